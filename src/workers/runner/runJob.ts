// Runs a defineJob handler under the lease of its run, and turns what it returned or threw into the run's end.
import { releaseRun, type ClaimedRun, type Release } from '../../db/queries/claims';
import { withRetry } from '../../db/retry';
import { policyOf, type JobDefinition, type JsonObject, type ProcessDefinition } from '../../jobs/define';
import { isPermanent, isRetryLater, messageOf, type RetryLaterError } from '../../lib/errors';
import { awaitHandler, type Handled } from './awaitHandler';
import { buildContext, parseParams } from './buildContext';
import { endRun, type Ending } from './endRun';
import type { Holding } from './holdings';
import { LONE_RETRY_MS, MAX_LONE_CRASHES, poisonOf, timeoutMessage } from './lostWork';
import { createRecorder } from './recorder';
import type { RunnerDeps } from './runnerDeps';

export async function runJob(
  deps: RunnerDeps,
  definition: JobDefinition,
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
  const handled = await awaitHandler(
    async () => {
      const params = parseParams(definition, job.params) as JsonObject;
      const context = buildContext(deps, job, params, lease, holding.signal, recorder, `${job.jobId}:${job.run}`);
      return definition.run(context as Parameters<typeof definition.run>[0]);
    },
    holding,
    deps.cancelGraceMs,
  );
  await recorder.close();
  await conclude(deps, definition, holding, handled);
  holding.release();
  if (handled.type === 'deaf') {
    deps.logger.warn(
      { jobId: job.jobId, kind: job.kind },
      'a handler did not heed its signal; its slot stays taken until it returns',
    );
    await deps.holdings.stuckUntil(handled.settled);
  }
}

async function conclude(
  deps: RunnerDeps,
  definition: JobDefinition,
  holding: Holding,
  handled: Handled<JsonObject | void>,
): Promise<void> {
  const { lease } = holding;
  const reason = holding.reason();
  if (reason === 'lease_lost') return;
  if (reason === 'timed_out') {
    await endRun(deps, lease, {
      outcome: 'failed',
      error: { code: 'timed_out', message: timeoutMessage(definition) },
    });
    return;
  }
  if (handled.type === 'returned') {
    await endRun(deps, lease, { outcome: 'succeeded', ...reportOf(handled.value) });
    return;
  }
  if (handled.type === 'deaf' || reason === 'canceled') {
    await endRun(deps, lease, { outcome: 'canceled' });
    return;
  }
  if (isRetryLater(handled.error)) {
    const release = retryLater(handled.error);
    await withRetry(() => releaseRun(deps.db, lease, release));
    deps.waker.wake('gantry_work');
    return;
  }
  if (reason === 'stopping' && policyOf(definition).restartable) {
    await withRetry(() => releaseRun(deps.db, lease, HAND_BACK));
    deps.waker.wake('gantry_work');
    return;
  }
  await endRun(deps, lease, failureOf(handled.error, reason === 'stopping'));
}

export const HAND_BACK: Release = { how: 'handed_back', delayMs: 0, note: null };

/** A wait that is no number, or beyond a month, is no plan. */
const MAX_DELAY_MS = 31 * 24 * 3_600_000;

export function retryLater(error: RetryLaterError): Release {
  const delayMs = Number.isFinite(error.delayMs) ? Math.min(Math.max(0, error.delayMs), MAX_DELAY_MS) : 0;
  return { how: 'retry_later', delayMs, note: messageOf(error, 500) };
}

/** What becomes of a run whose process of its own was killed, or died by itself. */
export async function concludeLoneRun(
  deps: RunnerDeps,
  definition: JobDefinition | ProcessDefinition,
  job: ClaimedRun,
  holding: Holding,
  end: { type: 'killed' } | { type: 'crashed'; how: string },
): Promise<void> {
  const { lease } = holding;
  if (definition.shape === 'job' && (end.type === 'killed' || holding.reason() !== null)) {
    return conclude(deps, definition, holding, { type: 'deaf', settled: Promise.resolve() });
  }
  if (end.type === 'killed') return;
  const crashes = job.loneCrashes + 1;
  const note = `Its process ended ${end.how}.`;
  if (!policyOf(definition).restartable) {
    const message = `${note} This kind of job may not be started twice; requeue it if that is right.`;
    await endRun(deps, lease, { outcome: 'failed', error: { code: 'worker_lost', message } });
  } else if (crashes >= MAX_LONE_CRASHES) {
    await endRun(deps, lease, { outcome: 'failed', error: poisonOf('this job', crashes, end.how) });
  } else {
    await withRetry(() => releaseRun(deps.db, lease, { how: 'process_lost', delayMs: LONE_RETRY_MS, note }));
    deps.waker.wake('gantry_work');
  }
}

export function failureOf(thrown: unknown, stopping: boolean): Ending {
  if (isPermanent(thrown)) {
    return { outcome: 'failed', error: { code: String(thrown.code).slice(0, 100), message: messageOf(thrown) } };
  }
  if (stopping) {
    const message =
      'Its worker was stopped, and this kind of job may not be started twice. Requeue it if that is right.';
    return { outcome: 'failed', error: { code: 'worker_stopped', message } };
  }
  return { outcome: 'failed', error: { code: 'handler_failed', message: messageOf(thrown) } };
}

const MAX_REPORT_BYTES = 1024 * 1024;

/** A report that cannot be kept does not turn good work into a failure. */
function reportOf(value: JsonObject | void): { report?: JsonObject } {
  if (value === undefined || value === null) return {};
  try {
    const text = JSON.stringify(value);
    if (typeof value !== 'object' || text === undefined)
      return { report: { note: 'The handler returned no object; nothing was kept.' } };
    if (Buffer.byteLength(text) > MAX_REPORT_BYTES)
      return { report: { note: 'The report was larger than 1 MiB and was not kept.' } };
    return { report: JSON.parse(text.toWellFormed()) as JsonObject };
  } catch (error) {
    return { report: { note: `The report could not be written as JSON: ${messageOf(error, 200)}` } };
  }
}
