// How a job's rows were sent: the format and, for CSV, the header. Kept apart from JobRow, since a header may be long.
import type { Db } from '../database';

export interface InputForm {
  format: 'json' | 'ndjson' | 'csv' | null;
  columns: string[] | null;
}

/** Each line of an undo job is one cell: the row that is taken back, and what was before it. */
const UNDO_COLUMNS = ['undo'];

export async function findInputForm(db: Db, jobId: string): Promise<InputForm> {
  const row = await db
    .selectFrom('job')
    .select(['inputFormat', 'inputColumns', 'undoOf'])
    .where('id', '=', jobId)
    .executeTakeFirst();
  return {
    format: (row?.inputFormat ?? null) as InputForm['format'],
    columns: row?.undoOf ? UNDO_COLUMNS : row?.inputColumns ? (JSON.parse(row.inputColumns) as string[]) : null,
  };
}
