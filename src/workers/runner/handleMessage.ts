// The way in: a message from the queue becomes a claim, or nothing. Whatever happens, the ledger says what is so:
// this never throws, for the queue's opinion on success means nothing.
import { dropAttempt } from '../../db/queries/attempts';
import { claimRun, findKind, type ClaimedRun, type Lease } from '../../db/queries/claims';
import type { WorkMessage } from '../../queue/message';
import { withRetry } from '../../db/retry';
import { policyOf, type Definition } from '../../jobs/define';
import type { JobState } from '../../jobs/lifecycle';
import { messageOf } from '../../lib/errors';
import { runAlone } from '../isolate/runAlone';
import { endRun, type Ending } from './endRun';
import type { Holding, HoldingOptions } from './holdings';
import { perform, type Task } from './perform';
import { isRepeatable } from './concludeChunk';
import { claimOrStart, refusalOfChunk } from './runChunk';
import type { RunnerDeps } from './runnerDeps';
import { traceWork } from './traceWork';

export async function handleMessage(deps: RunnerDeps, message: WorkMessage, signal: AbortSignal): Promise<void> {
  const { jobId, run, chunk } = message;
  try {
    // A slot that is wanted back claims nothing: the message is sent again.
    if (signal.aborted) return;
    if (chunk === undefined) await handleRun(deps, jobId, run, signal);
    else await handleChunk(deps, jobId, run, chunk, signal);
  } catch (error) {
    deps.logger.error(
      { jobId, run, chunk, error: messageOf(error, 1000) },
      'work broke off; its lease will run out and it is taken up again',
    );
  }
}

async function handleChunk(
  deps: RunnerDeps,
  jobId: string,
  run: number,
  chunk: number,
  signal: AbortSignal,
): Promise<void> {
  const claimed = await claimOrStart(deps, jobId, run, chunk);
  if (!claimed) return;
  const found = await deps.catalog.get(claimed.kind);
  const definition = found?.shape === 'massAction' ? found : null;
  const lease = { jobId, run, chunk, epoch: claimed.epoch };
  // Rows of a repeatable kind may always be tried again: their effects carry one key.
  const options = { cancelAborts: true, restartable: !definition || isRepeatable(definition) };
  await holdWhile(deps, lease, signal, options, async (holding) => {
    const task: Task = { shape: 'chunk', claimed, lease };
    if (!definition || refusalOfChunk(definition, claimed)) await perform(deps, definition, task, holding);
    else await work(deps, definition, task, holding);
  });
}

/** A process that was canceled still gets its ticks: it ends itself. */
const CLAIMABLE: Record<'job' | 'process', JobState[]> = {
  job: ['queued', 'running'],
  process: ['queued', 'running', 'canceling'],
};

async function handleRun(deps: RunnerDeps, jobId: string, run: number, signal: AbortSignal): Promise<void> {
  const found = await withRetry(() => findKind(deps.db, jobId));
  if (!found || found.run !== run) return;
  const definition = await deps.catalog.get(found.kind);
  const states = definition?.shape === 'process' ? CLAIMABLE.process : CLAIMABLE.job;
  const claimed = await withRetry(() =>
    claimRun(deps.db, jobId, run, states, deps.claimer, { isProcess: definition?.shape === 'process' }),
  );
  if (!claimed) return;
  deps.waker.wake('gantry_change');
  const options = {
    cancelAborts: definition?.shape !== 'process',
    restartable: !definition || policyOf(definition).restartable,
  };
  await holdWhile(deps, { jobId, run, chunk: null, epoch: claimed.epoch }, signal, options, async (holding) => {
    const refusal = refusalOf(definition, claimed);
    if (refusal) {
      await dropAttempt(deps.db, holding.lease);
      await endRun(deps, holding.lease, refusal);
    } else if (definition) {
      await work(deps, definition, { shape: 'run', claimed, lease: holding.lease }, holding);
    }
  });
  // The slot is free for the next in turn.
  deps.waker.wake('gantry_work');
}

/** A suspect and work of isolated kinds run in a process of their own, all else in this one. */
async function work(deps: RunnerDeps, definition: Definition, task: Task, holding: Holding): Promise<void> {
  const { isolated, timeoutMs } = policyOf(definition);
  const { crashes, loneCrashes } = task.claimed;
  // A tick of a process is short by contract; how long the whole may take is its own business.
  const limitMs = definition.shape === 'process' ? null : timeoutMs;
  if (deps.isolates && (isolated || crashes + loneCrashes > 0)) {
    return runAlone(deps, deps.isolates, definition, task, holding, limitMs);
  }
  holding.limit(limitMs);
  return perform(deps, definition, task, holding);
}

function refusalOf(definition: Definition | null, run: ClaimedRun): Ending | null {
  const failed = (code: string, message: string): Ending => ({ outcome: 'failed', error: { code, message } });
  if (!definition || definition.shape === 'massAction') {
    return failed(
      'unknown_kind',
      `No worker here knows the kind "${run.kind}" (any more). Add it and requeue the job.`,
    );
  }
  if (run.crashes > 0 && !policyOf(definition).restartable) {
    return failed(
      'worker_lost',
      'Its worker died, and this kind of job may not be started twice. Requeue it if that is right.',
    );
  }
  return null;
}

async function holdWhile(
  deps: RunnerDeps,
  lease: Lease,
  signal: AbortSignal,
  options: HoldingOptions,
  work: (holding: Holding) => Promise<void>,
): Promise<void> {
  const holding = deps.holdings.take(lease, signal, options);
  try {
    await traceWork(deps, lease, () => work(holding));
  } finally {
    holding.release();
  }
}
