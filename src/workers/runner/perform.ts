// Does work that was claimed, by its shape: called by handleMessage.ts in the worker, and by isolate/serveIsolate.ts in a process
// of its own.
import type { ClaimedChunk } from '../../db/queries/chunks';
import type { ClaimedRun, Lease } from '../../db/queries/claims';
import type { Definition } from '../../jobs/define';
import type { Holding } from './holdings';
import { runChunk } from './runChunk';
import { runJob } from './runJob';
import { runProcess } from './runProcess';
import type { RunnerDeps } from './runnerDeps';

/** Claimed work, plain enough to be sent to another process. */
export type Task =
  { shape: 'run'; claimed: ClaimedRun; lease: Lease } | { shape: 'chunk'; claimed: ClaimedChunk; lease: Lease };

export async function perform(
  deps: RunnerDeps,
  definition: Definition | null,
  task: Task,
  holding: Holding,
): Promise<void> {
  if (task.shape === 'chunk') {
    await runChunk(deps, definition?.shape === 'massAction' ? definition : null, task.claimed, holding);
  } else if (definition?.shape === 'process') {
    await runProcess(deps, definition, task.claimed, holding);
  } else if (definition?.shape === 'job') {
    await runJob(deps, definition, task.claimed, holding);
  }
}
