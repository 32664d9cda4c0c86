// The way in: a message from the queue becomes a claim, or nothing. Whatever happens, the ledger says what is so:
// this never throws, for the queue's opinion on success means nothing.
import { claimRun, findKind, type ClaimedRun, type Lease } from '../../db/queries/claims';
import type { WorkMessage } from '../../queue/message';
import { withRetry } from '../../db/retry';
import { policyOf, type Definition } from '../../jobs/define';
import type { JobState } from '../../jobs/lifecycle';
import { messageOf } from '../../lib/errors';
import { endRun, type Ending } from './endRun';
import type { Holding, HoldingOptions } from './holdings';
import { claimOrStart, runChunk } from './runChunk';
import { runJob } from './runJob';
import { runProcess } from './runProcess';
import { MAX_CRASHES, type RunnerDeps } from './runnerDeps';

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

/** A chunk of rows may always be tried again: each row's effects carry one key. */
const CHUNK_HOLDING: HoldingOptions = { cancelAborts: true, restartable: true };

async function handleChunk(
  deps: RunnerDeps,
  jobId: string,
  run: number,
  chunk: number,
  signal: AbortSignal,
): Promise<void> {
  const claimed = await claimOrStart(deps, jobId, run, chunk);
  if (!claimed) return;
  await holdWhile(deps, { jobId, run, chunk, epoch: claimed.epoch }, signal, CHUNK_HOLDING, async (holding) => {
    const definition = await deps.catalog.get(claimed.kind);
    await runChunk(deps, definition?.shape === 'massAction' ? definition : null, claimed, holding);
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
  const claimed = await withRetry(() => claimRun(deps.db, jobId, run, states, deps.claimer));
  if (!claimed) return;
  deps.waker.wake('gantry_change');
  const options = {
    cancelAborts: definition?.shape !== 'process',
    restartable: !definition || policyOf(definition).restartable,
  };
  await holdWhile(deps, { jobId, run, chunk: null, epoch: claimed.epoch }, signal, options, async (holding) => {
    const refusal = refusalOf(definition, claimed);
    if (refusal) await endRun(deps, holding.lease, refusal);
    else if (definition?.shape === 'process') await runProcess(deps, definition, claimed, holding);
    else if (definition?.shape === 'job') await runJob(deps, definition, claimed, holding);
  });
  // The slot is free for the next in turn.
  deps.waker.wake('gantry_work');
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
  if (run.crashes >= MAX_CRASHES) {
    return failed('poison', `${run.crashes} workers died in a row with this job in hand; it was not started again.`);
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
    await work(holding);
  } finally {
    holding.release();
  }
}
