// Joins the work on a run or a chunk to the trace of the request that made its job. Called by the way in; never in its way.
import type { Kysely } from 'kysely';
import type { DB } from '../../db/generated/database';
import type { Lease } from '../../db/queries/claims';
import { findTraceParent } from '../../db/queries/traces';
import { inSpan } from '../../lib/tracing';

export async function traceWork(
  deps: { db: Kysely<DB>; isTracing?: boolean },
  lease: Lease,
  work: () => Promise<void>,
): Promise<void> {
  if (!deps.isTracing) return work();
  const found = await findTraceParent(deps.db, lease.jobId).catch(() => null);
  const { jobId, run, chunk } = lease;
  const attributes = {
    'gantry.job.id': jobId,
    'gantry.job.kind': found?.kind ?? '',
    'gantry.run': run,
    ...(chunk === null ? {} : { 'gantry.chunk': chunk }),
  };
  await inSpan(chunk === null ? 'run' : 'chunk', { kind: 'consumer', attributes, parent: found?.traceParent }, work);
}
