// Guarded moves of a job that does not end: pause, resume, cancel asked for, priority, notice, tombstone.
// Called by the commands, which hold the job's lock and have checked the state; each must touch exactly one row.
import { sql, type RawBuilder, type Updateable } from 'kysely';
import type { Tx } from '../database';
import type { Job, JobState } from '../generated/database';

/** Values, or SQL that makes them. */
export type JobChange = { [Column in keyof Updateable<Job>]: Updateable<Job>[Column] | RawBuilder<unknown> };

/** @returns false when the job is not in one of the states any more. */
export async function moveJob(
  tx: Tx,
  jobId: string,
  run: number,
  from: JobState[],
  change: JobChange,
): Promise<boolean> {
  const result = await tx
    .updateTable('job')
    .set({ ...(change as Updateable<Job>), version: sql<number>`version + 1` })
    .where('id', '=', jobId)
    .where('run', '=', run)
    .where('state', 'in', from)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Times are the database's, also in the values of a change. */
export const NOW = sql<Date>`gantry_now()`;
export const NEXT_WAKE = sql<number>`wake_seq + 1`;

/** Whoever holds or will claim this run by an older message is fenced. */
export async function raiseEpoch(tx: Tx, jobId: string, run: number): Promise<void> {
  await tx
    .updateTable('run')
    .set({ epoch: sql<number>`epoch + 1` })
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .execute();
}

/** The wait for a worker begins now: the wait for an approval is counted apart. */
export async function markRunQueued(tx: Tx, jobId: string, run: number): Promise<void> {
  await tx.updateTable('run').set({ queuedAt: NOW }).where('jobId', '=', jobId).where('run', '=', run).execute();
}

/** Adds the pause that ends now to the run's paused time, which is counted apart. */
export async function markRunResumed(tx: Tx, jobId: string, run: number): Promise<void> {
  await tx
    .updateTable('run')
    .set({
      pausedMs: sql<number>`paused_ms + coalesce(extract(epoch from gantry_now() - paused_at) * 1000, 0)::bigint`,
      pausedAt: null,
    })
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .execute();
}

/** Whether a worker holds a chunk of this run now. Claims take the job's lock, so the answer stands until the caller commits. */
export async function hasChunkInHand(tx: Tx, jobId: string, run: number): Promise<boolean> {
  const row = await tx
    .selectFrom('chunk')
    .select('chunk')
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .where('state', '=', 'running')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
