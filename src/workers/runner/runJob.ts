// Runs a defineJob handler under the lease of its run, and turns what it returned or threw into the run's end.
import { releaseRun, type ClaimedRun } from '../../db/queries/claims';
import { withRetry } from '../../db/retry';
import { policyOf, type JobDefinition, type JsonObject } from '../../jobs/define';
import { messageOf, PermanentJobError, RetryLaterError } from '../../lib/errors';
import { awaitHandler, type Handled } from './awaitHandler';
import { buildContext, parseParams } from './buildContext';
import { endRun, type Ending } from './endRun';
import type { Holding } from './holdings';
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
      'a handler did not heed its cancel; its slot stays taken until it returns',
    );
    await handled.settled;
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
  if (handled.type === 'returned') {
    await endRun(deps, lease, { outcome: 'succeeded', ...reportOf(handled.value) });
    return;
  }
  if (handled.type === 'deaf' || reason === 'canceled') {
    await endRun(deps, lease, { outcome: 'canceled' });
    return;
  }
  if (handled.error instanceof RetryLaterError) {
    const { delayMs, message } = handled.error;
    await withRetry(() => releaseRun(deps.db, lease, delayMs, message));
    deps.waker.wake('gantry_work');
    return;
  }
  if (reason === 'stopping' && policyOf(definition).restartable) {
    await withRetry(() => releaseRun(deps.db, lease, 0, null));
    deps.waker.wake('gantry_work');
    return;
  }
  await endRun(deps, lease, failureOf(handled.error, reason === 'stopping'));
}

export function failureOf(thrown: unknown, stopping: boolean): Ending {
  if (thrown instanceof PermanentJobError) {
    return { outcome: 'failed', error: { code: thrown.code, message: thrown.message } };
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
