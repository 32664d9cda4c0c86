// The rows as sent in: staged before the job is published, immutable from then on. One stored line a row.
// An upload that broke off is known by its upload row; whoever publishes the job deletes that row in the same transaction.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';

export interface InputChunk {
  inputChunk: number;
  firstRowIndex: number;
  rowCount: number;
  /** The stored lines, joined by LF. */
  rows: string;
}

export async function insertUpload(db: Db, jobId: string, userId: string): Promise<void> {
  await db.insertInto('upload').values({ jobId, userId }).execute();
}

/** Stages some input chunks and shows that the upload lives. @returns false when the upload was cleared meanwhile. */
export async function insertInput(tx: Tx, jobId: string, chunks: InputChunk[]): Promise<boolean> {
  const touched = await tx
    .updateTable('upload')
    .set({ touchedAt: sql<Date>`gantry_now()` })
    .where('jobId', '=', jobId)
    .executeTakeFirst();
  if (touched.numUpdatedRows !== 1n) return false;
  await tx
    .insertInto('jobInput')
    .values(chunks.map((chunk) => ({ jobId, ...chunk })))
    .execute();
  return true;
}

/** Holds the upload against its publishing until the transaction ends. @returns false when there is none, or it belongs to a job now. */
export async function lockUpload(tx: Tx, jobId: string): Promise<boolean> {
  const row = await tx.selectFrom('upload').select('jobId').where('jobId', '=', jobId).forUpdate().executeTakeFirst();
  return row !== undefined;
}

/** Takes the upload row away: what is staged belongs to a job now. @returns false when it was cleared before. */
export async function claimUpload(tx: Tx, jobId: string): Promise<boolean> {
  const result = await tx.deleteFrom('upload').where('jobId', '=', jobId).executeTakeFirst();
  return result.numDeletedRows === 1n;
}

/** Deletes up to `limit` input chunks of an upload. @returns how many went. */
export async function deleteInput(db: Db, jobId: string, limit: number): Promise<number> {
  const result = await sql`
    delete from job_input where job_id = ${jobId} and input_chunk in (
      select input_chunk from job_input where job_id = ${jobId} order by input_chunk limit ${limit})`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
}

export async function deleteUpload(db: Db, jobId: string): Promise<void> {
  await db.deleteFrom('upload').where('jobId', '=', jobId).execute();
}
