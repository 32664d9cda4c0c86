// How a job's rows were sent: the format and, for CSV, the header. Kept apart from JobRow, since a header may be long.
import type { Db } from '../database';

export interface InputForm {
  format: 'json' | 'ndjson' | 'csv' | null;
  columns: string[] | null;
}

export async function findInputForm(db: Db, jobId: string): Promise<InputForm> {
  const row = await db
    .selectFrom('job')
    .select(['inputFormat', 'inputColumns'])
    .where('id', '=', jobId)
    .executeTakeFirst();
  return {
    format: (row?.inputFormat ?? null) as InputForm['format'],
    columns: row?.inputColumns ? (JSON.parse(row.inputColumns) as string[]) : null,
  };
}
