// The context that handlers of all three shapes share.
import type { JobFacts, Lease } from '../../db/queries/claims';
import type { Definition, JobContext } from '../../jobs/define';
import { PermanentJobError } from '../../lib/errors';
import type { Recorder } from './recorder';
import type { RunnerDeps } from './runnerDeps';

export function buildContext(
  deps: RunnerDeps,
  job: JobFacts,
  params: unknown,
  lease: Lease,
  signal: AbortSignal,
  recorder: Recorder,
  idempotencyKey: string,
): JobContext<unknown> {
  return {
    jobId: lease.jobId,
    run: lease.run,
    params,
    paramsText: job.params,
    owner: { id: job.ownerId, name: job.ownerName, email: job.ownerEmail },
    signal,
    db: deps.db,
    logger: deps.logger.child({ jobId: lease.jobId, run: lease.run, kind: job.kind }),
    log: recorder.log,
    progress: recorder.progress,
    report: recorder.report,
    idempotencyKey,
    deps: deps.handlerDeps,
  };
}

/** Parameters as the kind declares them now. @throws PermanentJobError when they do not fit (any more). */
export function parseParams(definition: Definition, stored: string): unknown {
  const parsed = definition.params.safeParse(JSON.parse(stored)) as
    { success: true; data: unknown } | { success: false; error: { message: string } };
  if (parsed.success) return parsed.data;
  throw new PermanentJobError(
    'invalid_params',
    `The parameters do not fit what "${definition.kind}" takes: ${parsed.error.message}`,
  );
}
