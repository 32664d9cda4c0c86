// A key that was used before: the same content gives the same job, or the same bulk action, again; other content is refused.
import type { Request } from 'express';
import { releaseKey, reserveKey, type Reservation, type Reserved } from '../../db/queries/idempotency';
import { findJob, type JobRow } from '../../db/queries/jobs';
import type { Actor } from '../../jobs/actor';
import { GantryError, invalid, notFound } from '../../lib/errors';
import type { ApiDeps } from '../apiDeps';

const KEY = /^[\x21-\x7e]{1,200}$/;

/** @param id of what the call would make. @returns null without the header. */
export function reservationOf(request: Request, actor: Actor, route: string, id: string): Reservation | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && KEY.test(key)) return { userId: actor.id, route, key, reservedFor: id };
  throw invalid([{ path: 'Idempotency-Key', message: 'takes 1 to 200 printable ASCII characters' }]);
}

/** Makes it once for each key. @returns what was made, or the id of what the same call made before. */
export async function makeOnce<T>(
  deps: ApiDeps,
  reservation: Reservation | null,
  hash: Buffer,
  make: (idempotency: { reservation: Reservation; hash: Buffer } | undefined) => Promise<T>,
): Promise<{ made: T } | { standing: string }> {
  if (!reservation) return { made: await make(undefined) };
  const standing = await reserveKey(deps.db, reservation, hash);
  if (standing) return { standing: await standingId(standing, () => Promise.resolve(hash)) };
  try {
    return { made: await make({ reservation, hash }) };
  } catch (error) {
    // A refused request does not use its key.
    await releaseKey(deps.db, reservation);
    throw error;
  }
}

/** @param readHash reads the whole request, rows included, to compare it. */
export async function findReservedJob(
  deps: ApiDeps,
  standing: Reserved,
  readHash: () => Promise<Buffer>,
): Promise<JobRow> {
  const job = await findJob(deps.db, await standingId(standing, readHash));
  if (!job) throw notFound('job');
  return job;
}

async function standingId(standing: Reserved, readHash: () => Promise<Buffer>): Promise<string> {
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
      'This Idempotency-Key was used for another request; nothing was made. Use a new key for new content.',
    );
  }
  return standing.jobId;
}
