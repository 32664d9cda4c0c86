// A key that was used before: the same content gives the same job again, other content is refused.
import type { Reserved } from '../../db/queries/idempotency';
import { findJob, type JobRow } from '../../db/queries/jobs';
import { GantryError, notFound } from '../../lib/errors';
import type { ApiDeps } from '../apiDeps';

/** @param readHash reads the whole request, rows included, to compare it. */
export async function findReservedJob(
  deps: ApiDeps,
  standing: Reserved,
  readHash: () => Promise<Buffer>,
): Promise<JobRow> {
  if (standing.jobId === null) {
    throw new GantryError(
      'idempotency_in_progress',
      'The first call with this Idempotency-Key is still under way. Wait for its answer, or repeat this call later.',
      { retryAfterSeconds: 1 },
    );
  }
  if (!(await readHash()).equals(standing.jobHash)) {
    throw new GantryError(
      'idempotency_mismatch',
      'This Idempotency-Key was used for another job; no job was made. Use a new key for new content.',
    );
  }
  const job = await findJob(deps.db, standing.jobId);
  if (!job) throw notFound('job');
  return job;
}
