// Idempotency keys, per user and route, kept 24 h. Reserved before the upload, tied to the job in the transaction that
// publishes it, released when the request is refused.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';

export interface Reservation {
  userId: string;
  route: string;
  key: string;
  /** Made by the request that reserved: nobody else finishes or releases it. */
  reservedFor: string;
}

export interface Reserved {
  jobHash: Buffer;
  /** Null while the first call is under way. */
  jobId: string | null;
}

const KEPT = sql`interval '24 hours'`;
/** A call that has not come to its end after so long was killed; its key may be taken over. */
const ABANDONED = sql`interval '1 hour'`;

/** @returns null when the key is ours now, else what stands under it. */
export async function reserveKey(db: Db, reservation: Reservation, jobHash: Buffer): Promise<Reserved | null> {
  const { userId, route, key, reservedFor } = reservation;
  const { rows } = await sql<{ jobId: string | null; jobHash: Buffer; reservedFor: string }>`
    with reserved as (
      insert into idempotency (user_id, route, key, job_hash, reserved_for)
      values (${userId}, ${route}, ${key}, ${jobHash}, ${reservedFor})
      on conflict (user_id, route, key) do update
        set job_hash = excluded.job_hash, job_id = null, reserved_for = excluded.reserved_for, created_at = gantry_now()
        where idempotency.created_at < gantry_now() - ${KEPT}
          or (idempotency.job_id is null and idempotency.created_at < gantry_now() - ${ABANDONED})
      returning job_id, job_hash, reserved_for)
    select * from reserved
    union all
    select job_id, job_hash, reserved_for from idempotency
    where user_id = ${userId} and route = ${route} and key = ${key} and not exists (select 1 from reserved)`.execute(
    db,
  );
  const [row] = rows;
  // Nothing to be seen: it was inserted by a call that commits at this moment, and is under way.
  if (!row) return { jobHash: Buffer.alloc(0), jobId: null };
  return row.reservedFor === reservedFor ? null : { jobHash: row.jobHash, jobId: row.jobId };
}

/** Ties the key to the published job; the hash is known for sure only now that the rows were read. */
export async function finishKey(tx: Tx, reservation: Reservation, jobId: string, jobHash: Buffer): Promise<boolean> {
  const result = await tx
    .updateTable('idempotency')
    .set({ jobId, jobHash })
    .where('userId', '=', reservation.userId)
    .where('route', '=', reservation.route)
    .where('key', '=', reservation.key)
    .where('reservedFor', '=', reservation.reservedFor)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** A refused request does not use its key. */
export async function releaseKey(db: Db, reservation: Reservation): Promise<void> {
  await db
    .deleteFrom('idempotency')
    .where('userId', '=', reservation.userId)
    .where('route', '=', reservation.route)
    .where('key', '=', reservation.key)
    .where('reservedFor', '=', reservation.reservedFor)
    .where('jobId', 'is', null)
    .execute();
}
