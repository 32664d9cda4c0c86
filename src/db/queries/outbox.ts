// What must reach a worker: one row per run that is due or under way, written in the transaction that makes it due.
// Commands write here; workers/dispatcher deals from it (queries/dispatch.ts).
import { sql } from 'kysely';
import type { Tx } from '../database';

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
    .values({ ...row, dueAt: row.dueAt ?? sql<Date>`gantry_now()` })
    .onConflict((conflict) => conflict.column('jobId').doNothing())
    .execute();
}

export async function setOutboxPriority(tx: Tx, jobId: string, priority: number): Promise<void> {
  await tx.updateTable('outbox').set({ priority }).where('jobId', '=', jobId).execute();
}

/** Fast track: before all others of the same owner and priority; the last one asked for goes first. */
export async function setOutboxFirst(tx: Tx, jobId: string): Promise<void> {
  await tx
    .updateTable('outbox')
    .set({ rank: sql<number>`-(extract(epoch from gantry_now()) * 1000000)::bigint` })
    .where('jobId', '=', jobId)
    .execute();
}
