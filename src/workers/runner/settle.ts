// Decides what becomes of a job between its chunks: it ends, rests, fails by its limit, or is canceled. Called by the runner
// after a chunk, and by the dispatcher for jobs that were asked to stop. It locks the job first and never waits for a handler.
import type { Tx } from '../../db/database';
import { insertOutbox } from '../../db/queries/dispatch';
import {
  beginPausing,
  fenceWork,
  lockStanding,
  pauseRun,
  readInHand,
  type InHand,
  type Standing,
} from '../../db/queries/settle';
import { withRetry } from '../../db/retry';
import { finishRun, type RunEnd } from '../../jobs/finishRun';
import { isFinal, statesBefore } from '../../jobs/lifecycle';
import { outcomeOf } from '../../jobs/massActions/outcome';
import { announceEnd } from './endRun';
import type { RunnerDeps } from './runnerDeps';

export type SettleDeps = Pick<RunnerDeps, 'db' | 'catalog' | 'waker' | 'cancelGraceMs' | 'retentionDays'>;

/** The worker that holds the work ends it at the grace time; this much later somebody else does. */
const GRACE_MARGIN_MS = 1000;
/** The share of failed rows is judged from this many rows on. */
const PERCENT_FROM_ROWS = 100;

type Settled = 'ended' | 'rested' | 'due' | 'nothing';

export async function settleJob(deps: SettleDeps, jobId: string): Promise<Settled> {
  const settled = await withRetry(() =>
    deps.db.transaction().execute(async (tx): Promise<Settled> => {
      const job = await lockStanding(tx, jobId);
      if (!job || isFinal(job.state)) return 'nothing';
      const hand = await readInHand(tx, jobId, job.run);
      if (!hand) return 'nothing';
      return job.inputFormat === null ? settleHeld(deps, tx, job, hand) : settleChunks(deps, tx, job, hand);
    }),
  );
  if (settled === 'ended') announceEnd(deps);
  if (settled === 'rested') deps.waker.wake('gantry_change');
  if (settled === 'due') deps.waker.wake('gantry_work');
  return settled;
}

/** Jobs without rows are only settled when they were canceled: all else is the business of their holder. */
async function settleHeld(deps: SettleDeps, tx: Tx, job: Standing, hand: InHand): Promise<Settled> {
  if (job.state !== 'canceling') return 'nothing';
  const definition = await deps.catalog.get(job.kind);
  if (definition?.shape === 'process') {
    if (hand.held) return 'nothing';
    // It ends itself in a tick; make sure that one comes.
    await insertOutbox(tx, job.jobId, 'run', 1);
    return 'due';
  }
  if (hand.held) {
    if (!graceIsOver(deps, job)) return 'nothing';
    await fenceWork(tx, job.jobId, job.run);
  }
  return end(deps, tx, job, { outcome: 'canceled' });
}

async function settleChunks(deps: SettleDeps, tx: Tx, job: Standing, hand: InHand): Promise<Settled> {
  if (hand.openChunks === 0) return end(deps, tx, job, { outcome: outcomeOf(hand) });
  if (job.state === 'canceling') {
    if (hand.runningChunks > 0) {
      if (!graceIsOver(deps, job)) return 'nothing';
      if ((await fenceWork(tx, job.jobId, job.run)) > 0) return 'nothing';
    }
    return end(deps, tx, job, { outcome: 'canceled' });
  }
  let waitingFor = job.phase === 'pausing' ? job.waitingFor : null;
  if (waitingFor === null && job.phase !== 'pausing') {
    if (job.state !== 'running') return 'nothing';
    waitingFor = limitReached({ ...job, ...hand }) ? 'limit' : trialReached({ ...job, ...hand }) ? 'trial' : null;
    if (waitingFor === null) return 'nothing';
    await beginPausing(tx, job.jobId, waitingFor);
  }
  if (hand.runningChunks > 0) return 'nothing';
  if (waitingFor === 'limit' && job.limitThen === 'fail') {
    const message = `${hand.failed} of the ${hand.good + hand.failed + hand.skipped} rows dealt with have failed, more than the limit of this job allows. Nothing more was started.`;
    return end(deps, tx, job, { outcome: 'failed', error: { code: 'limit_reached', message } });
  }
  return (await pauseRun(tx, job.jobId, job.run, statesBefore('paused'))) ? 'rested' : 'nothing';
}

async function end(
  deps: SettleDeps,
  tx: Tx,
  job: Standing,
  ending: Pick<RunEnd, 'outcome' | 'error'>,
): Promise<Settled> {
  const { jobId, run } = job;
  const ended = await finishRun(tx, { jobId, run, epoch: null, retentionDays: deps.retentionDays, ...ending });
  return ended ? 'ended' : 'nothing';
}

function graceIsOver(deps: SettleDeps, job: Standing): boolean {
  return (job.cancelAgeMs ?? Infinity) > deps.cancelGraceMs + GRACE_MARGIN_MS;
}

interface Counted {
  good: number;
  failed: number;
  skipped: number;
}

export function limitReached(
  run: Counted & { maxFailed: number | null; maxFailedPercent: number | null; limitPassed: boolean },
): boolean {
  if (run.limitPassed) return false;
  if (run.maxFailed !== null && run.failed > run.maxFailed) return true;
  const done = run.good + run.failed + run.skipped;
  return run.maxFailedPercent !== null && done >= PERCENT_FROM_ROWS && (run.failed / done) * 100 > run.maxFailedPercent;
}

export function trialReached(run: Counted & { trial: number | null; trialPassed: boolean }): boolean {
  return run.trial !== null && !run.trialPassed && run.good + run.failed + run.skipped >= run.trial;
}
