// The file that a job made, in parts: written whole in one transaction, read part by part. It goes with its job.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';

export interface JobFile {
  name: string;
  /** Media type. */
  type: string;
  rows: number;
}

/** Takes an earlier run's file away; the new one begins with its first part. */
export async function clearJobFile(tx: Tx, jobId: string): Promise<void> {
  await tx.deleteFrom('jobFile').where('jobId', '=', jobId).execute();
  await tx.deleteFrom('jobFilePart').where('jobId', '=', jobId).execute();
}

export async function insertFilePart(tx: Tx, jobId: string, part: number, content: string): Promise<void> {
  await tx.insertInto('jobFilePart').values({ jobId, part, content }).execute();
}

/** Last: from here on the file is there. */
export async function insertJobFile(tx: Tx, jobId: string, file: JobFile): Promise<void> {
  await tx
    .insertInto('jobFile')
    .values({ jobId, ...file })
    .execute();
}

export async function findJobFile(db: Db, jobId: string): Promise<JobFile | null> {
  const row = await db
    .selectFrom('jobFile')
    .select(['name', 'type', 'rows'])
    .where('jobId', '=', jobId)
    .executeTakeFirst();
  return row ?? null;
}

export async function* streamFileParts(db: Db, jobId: string): AsyncGenerator<string> {
  for (let part = 0; ; part += 1) {
    const row = await db
      .selectFrom('jobFilePart')
      .select('content')
      .where('jobId', '=', jobId)
      .where('part', '=', part)
      .executeTakeFirst();
    if (!row) return;
    yield row.content;
  }
}

/** A reader's transaction that sees the ledger as it was at its first statement. */
export async function seeOneMoment(tx: Tx): Promise<void> {
  await sql`set transaction isolation level repeatable read`.execute(tx);
}
