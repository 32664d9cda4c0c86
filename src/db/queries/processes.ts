// Wakes a process job that sleeps in the ledger. Called inside the transaction that wrote what it is woken for;
// the caller wakes gantry_work after its commit.
import { sql } from 'kysely';
import type { Tx } from '../database';

/**
 * Makes the process due now. A tick in hand finds wake_seq moved on and runs again instead of going to sleep; a sleeping one
 * is put on its way by the dispatcher, which takes every job whose wake_at has come.
 */
export async function wakeProcess(tx: Tx, jobId: string): Promise<void> {
  await tx
    .updateTable('job')
    .set({ wakeSeq: sql<number>`wake_seq + 1`, wakeAt: sql<Date>`gantry_now()` })
    .where('id', '=', jobId)
    .where('state', 'in', ['running', 'canceling'])
    .execute();
}
