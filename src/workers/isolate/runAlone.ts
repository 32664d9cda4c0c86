// Runs claimed work in a process of its own and says what became of it when that process was killed or died: the slot is free at
// once, and nobody else's work suffers.
import { endSessionsNamed } from '../../db/queries/backends';
import { handBackChunk } from '../../db/queries/chunks';
import { releaseRun } from '../../db/queries/claims';
import { withRetry } from '../../db/retry';
import type { Definition } from '../../jobs/define';
import { cleanText } from '../../lib/errors';
import { maskSecrets } from '../../lib/secrets';
import { concludeLoneChunk } from '../runner/concludeChunk';
import type { Holding } from '../runner/holdings';
import { perform, type Task } from '../runner/perform';
import { concludeLoneRun } from '../runner/runJob';
import type { RunnerDeps } from '../runner/runnerDeps';
import type { Isolates } from './isolates';

/** A process that could not be started says nothing about the work: it is tried again after this time. */
const UNSTARTED_RETRY_MS = 5000;

export async function runAlone(
  deps: RunnerDeps,
  isolates: Isolates,
  definition: Definition,
  task: Task,
  holding: Holding,
  limitMs: number | null,
): Promise<void> {
  const { lease } = task;
  const end = await isolates.run(task, holding, limitMs);
  if (end.type === 'done') return;
  if (end.type === 'unknownKind') return perform(deps, definition, task, holding);
  if (end.type === 'unstarted') {
    deps.logger.error({ ...lease, error: end.message }, 'a process of its own could not be started');
    await handBack(
      deps,
      task,
      maskSecrets(cleanText(`A process of its own could not be started: ${end.message}`)).slice(0, 500),
    );
    return;
  }
  deps.logger.warn({ ...lease, kind: definition.kind, ...end }, 'a process of its own ended before its work');
  await withRetry(() => endSessionsNamed(deps.db, end.session));
  // Others have it, or handed it back.
  if (holding.reason() === 'lease_lost' || holding.reason() === 'stopping') return;
  if (task.shape === 'chunk' && definition.shape === 'massAction') {
    await concludeLoneChunk(deps, definition, task.claimed, holding, end);
  } else if (task.shape === 'run' && definition.shape !== 'massAction') {
    await concludeLoneRun(deps, definition, task.claimed, holding, end);
  }
}

/** The job says why it waits. */
async function handBack(deps: RunnerDeps, { shape, lease }: Task, message: string): Promise<void> {
  const delayMs = UNSTARTED_RETRY_MS;
  if (shape === 'chunk') {
    await withRetry(() =>
      handBackChunk(deps.db, lease, { delayMs, countsAsAttempt: false, error: { code: 'unstarted', message } }),
    );
  } else {
    await withRetry(() => releaseRun(deps.db, lease, { how: 'handed_back', delayMs, note: message }));
  }
}
