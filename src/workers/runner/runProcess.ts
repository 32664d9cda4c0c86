// Advances a defineProcess tick by tick: each tick and its decision commit together. It holds no slot while it waits.
import {
  confirmRun,
  lockJob,
  readTick,
  releaseRun,
  saveProgress,
  sleepRun,
  type ClaimedRun,
} from '../../db/queries/claims';
import { withRetry } from '../../db/retry';
import type { Tx } from '../../db/database';
import type { Advance, ProcessDefinition } from '../../jobs/define';
import { finishRun } from '../../jobs/finishRun';
import { pause } from '../../lib/abort';
import { exhaustive } from '../../lib/exhaustive';
import { isPermanent, isRetryLater, messageOf } from '../../lib/errors';
import { buildContext, parseParams } from './buildContext';
import { announceEnd, endRun } from './endRun';
import type { Holding } from './holdings';
import { createRecorder, type Recorder } from './recorder';
import { failureOf, HAND_BACK, retryLater } from './runJob';
import type { RunnerDeps } from './runnerDeps';

/** The lease went to somebody else in the middle of a tick: the transaction is rolled back whole. */
class LeaseLostError extends Error {}

/** A tick that throws is tried again after these waits; then the process fails. */
const RETRY_WAITS_MS = [100, 1000];

export async function runProcess(
  deps: RunnerDeps,
  definition: ProcessDefinition,
  job: ClaimedRun,
  holding: Holding,
): Promise<void> {
  const { lease } = holding;
  const recorder = createRecorder({
    db: deps.db,
    lease,
    logger: deps.logger,
    logLimitBytes: deps.logLimitBytes,
    onProgress: () => deps.waker.wake('gantry_change'),
  });
  try {
    for (let failures = 0; ;) {
      if (holding.reason() === 'lease_lost') return;
      if (holding.reason() === 'stopping') {
        await recorder.flush();
        await withRetry(() => releaseRun(deps.db, lease, HAND_BACK));
        return;
      }
      try {
        const next = await withRetry(() =>
          deps.db.transaction().execute((tx) => tick(deps, definition, job, holding, tx, recorder)),
        );
        failures = 0;
        if (next === 'again') continue;
        if (next === 'ended') announceEnd(deps);
        else deps.waker.wake('gantry_change');
        return;
      } catch (error) {
        if (error instanceof LeaseLostError) return;
        if (isRetryLater(error)) {
          const release = retryLater(error);
          await recorder.flush();
          await withRetry(() => releaseRun(deps.db, lease, release));
          return;
        }
        const wait = RETRY_WAITS_MS[failures];
        if (isPermanent(error) || wait === undefined) {
          await recorder.flush();
          await endRun(deps, lease, failureOf(error, false));
          return;
        }
        failures += 1;
        recorder.log('warn', `This step failed and is tried again: ${messageOf(error, 500)}`);
        await pause(wait, holding.signal);
      }
    }
  } finally {
    await recorder.close();
    holding.release();
  }
}

async function tick(
  deps: RunnerDeps,
  definition: ProcessDefinition,
  job: ClaimedRun,
  holding: Holding,
  tx: Tx,
  recorder: Recorder,
): Promise<'again' | 'asleep' | 'ended'> {
  const { lease } = holding;
  const facts = await readTick(tx, lease);
  if (!facts) throw new LeaseLostError();
  const params = parseParams(definition, job.params) as never;
  const context = buildContext(deps, job, params, lease, holding.signal, recorder, `${lease.jobId}:${lease.run}`);
  const advance = await definition.advance({ ...context, params, tx, cancelRequested: facts.state === 'canceling' });
  await lockJob(tx, lease.jobId);
  const progress = recorder.takeProgress();
  if (progress) await saveProgress(tx, lease, progress);
  return decide(deps, holding, tx, advance, facts.wakeSeq);
}

async function decide(
  deps: RunnerDeps,
  holding: Holding,
  tx: Tx,
  advance: Advance,
  seenWakeSeq: number,
): Promise<'again' | 'asleep' | 'ended'> {
  const { lease } = holding;
  const again = async (): Promise<'again'> => {
    if (!(await confirmRun(tx, lease, deps.claimer.leaseMs))) throw new LeaseLostError();
    return 'again';
  };
  switch (advance.type) {
    case 'again':
      return again();
    case 'waitFor': {
      const slept = await sleepRun(tx, lease, seenWakeSeq, advance);
      if (slept === 'lost') throw new LeaseLostError();
      // A wake since the tick began must not vanish: it runs again at once.
      return slept === 'woken' ? again() : 'asleep';
    }
    case 'ended': {
      const ended = await finishRun(tx, {
        jobId: lease.jobId,
        run: lease.run,
        epoch: lease.epoch,
        outcome: advance.state,
        error: advance.error,
        report: advance.report,
        retentionDays: deps.retentionDays,
      });
      if (!ended) throw new LeaseLostError();
      return 'ended';
    }
    default:
      return exhaustive(advance);
  }
}
