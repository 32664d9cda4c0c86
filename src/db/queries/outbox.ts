// What must reach a worker: one row per run that is due or under way, written in the transaction that makes it due.
// Commands write here; workers/dispatcher deals from it (queries/dispatch.ts).
import { sql } from 'kysely';
import type { Db, Tx } from '../database';

export interface NewOutbox {
  jobId: string;
  run: number;
  ownerId: string;
  shape: 'run' | 'chunks';
  priority: number;
  maxOnWay: number;
  /** Null: now. */
  dueAt: Date | null;
}

export async function insertRunDue(tx: Tx, row: NewOutbox): Promise<void> {
  await tx
    .insertInto('outbox')
    .values({ ...row, maxOnWay: oneForUndo(row), dueAt: row.dueAt ?? sql<Date>`gantry_now()` })
    .onConflict((conflict) => conflict.column('jobId').doNothing())
    .execute();
}

/** Chunks of an undo go one after the other: later effects on a subject are taken back before earlier ones. */
function oneForUndo({ jobId, maxOnWay }: NewOutbox) {
  return sql<number>`case when exists (select from job where id = ${jobId} and undo_of is not null) then 1 else ${maxOnWay}::int end`;
}

export async function setOutboxPriority(tx: Tx, jobId: string, priority: number): Promise<void> {
  await tx.updateTable('outbox').set({ priority }).where('jobId', '=', jobId).execute();
}

/** Above every priority that can be asked for: what waited too long, and before even that the fast track. */
const STARVING = 101;
const FAST_TRACK = 102;

/** Fast track: before all others of the same owner; the last one asked for goes first. */
export async function setOutboxFirst(tx: Tx, jobId: string): Promise<void> {
  await tx
    .updateTable('outbox')
    .set({ priority: FAST_TRACK, rank: sql<number>`-(extract(epoch from gantry_now()) * 1000000)::bigint` })
    .where('jobId', '=', jobId)
    .execute();
}

/** What is due since longer than `afterMs` goes before higher priorities from now on. @returns how many were lifted. */
export async function liftStarving(db: Db, afterMs: number, limit: number): Promise<number> {
  const { rows } = await sql`
    with lifted as (
      update outbox set priority = ${STARVING}
      where job_id = any(array(select job_id from outbox
        where sent_at is null and priority < ${STARVING} and due_at < gantry_now() - ${afterMs}::float8 * interval '1 millisecond'
        order by due_at limit ${limit} for update skip locked))
      returning job_id, run)
    insert into job_event (job_id, run, type) select job_id, run, 'lifted' from lifted returning 1`.execute(db);
  return rows.length;
}

/** Whether runs that are due wait for longer than `forMs`: upkeep then makes way. */
export async function isBacklogged(db: Db, forMs: number): Promise<boolean> {
  const { rows } = await sql<{ waits: boolean }>`
    select exists (select 1 from outbox where sent_at is null
      and due_at < gantry_now() - ${forMs}::float8 * interval '1 millisecond') as waits`.execute(db);
  return rows[0]?.waits ?? false;
}
