// Earlier values of rows: kept with a chunk's completion, read for an undo job, and taken away as its rows succeed.
// Called by the runner inside a chunk's transaction and by the undo command.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';

export interface KeptValue {
  rowIndex: number;
  before: object;
}

/**
 * In the order given. A value that a row has already stays: undo takes a job back as a whole, to the time before its first
 * run, and a second run has found only what the first one left.
 */
export async function keepValues(tx: Tx, jobId: string, values: KeptValue[]): Promise<void> {
  if (values.length === 0) return;
  await sql`
    insert into undo_value (job_id, row_index, before)
    select ${jobId}, row_index, before::json
    from unnest(${values.map((value) => value.rowIndex)}::bigint[], ${values.map((value) => JSON.stringify(value.before))}::text[])
      with ordinality as kept(row_index, before, place)
    order by place
    on conflict (job_id, row_index) do nothing`.execute(tx);
}

/** What these rows of an undo job have put back needs not be put back again. */
export async function dropValues(
  tx: Tx,
  undo: { jobId: string; inputChunk: number; undoOf: string },
  rowIndexes: number[],
): Promise<void> {
  if (rowIndexes.length === 0) return;
  await sql`
    delete from undo_value where job_id = ${undo.undoOf} and row_index in (
      select (l.text::json -> 0 ->> 'rowIndex')::bigint
      from job_input i, unnest(string_to_array(i.rows, E'\n')) with ordinality as l(text, ordinality)
      where i.job_id = ${undo.jobId} and i.input_chunk = ${undo.inputChunk}
        and i.first_row_index + l.ordinality - 1 = any(${rowIndexes}::bigint[]))`.execute(tx);
}

export interface ValueRow {
  seq: number;
  rowIndex: number;
  /** JSON as it was kept. */
  before: string;
  /** The stored line of the row. */
  line: string;
}

/** Rows that are held in memory at once; each may be a megabyte. */
const PAGE = 200;

/** The latest effect first. */
export async function* streamValues(db: Db, jobId: string): AsyncGenerator<ValueRow> {
  for (let below: number | null = null; ;) {
    const rows: ValueRow[] = await readPage(db, jobId, below);
    yield* rows;
    const last = rows[rows.length - 1];
    if (!last || rows.length < PAGE) return;
    below = last.seq;
  }
}

async function readPage(db: Db, jobId: string, below: number | null): Promise<ValueRow[]> {
  const { rows } = await sql<ValueRow>`
      with page as (
        select seq, row_index, before from undo_value
        where job_id = ${jobId} and (${below}::bigint is null or seq < ${below}::bigint) order by seq desc limit ${PAGE}),
      place as (
        select page.*, i.input_chunk, i.first_row_index from page, lateral (
          select input_chunk, first_row_index from job_input where job_id = ${jobId} and first_row_index <= page.row_index
          order by first_row_index desc limit 1) i),
      line as materialized (
        select i.first_row_index + l.ordinality - 1 as row_index, l.text
        from job_input i, unnest(string_to_array(i.rows, E'\n')) with ordinality as l(text, ordinality)
        where i.job_id = ${jobId} and i.input_chunk in (select input_chunk from place))
      select place.seq, place.row_index, place.before::text as before, line.text as line
      from place join line using (row_index) order by place.seq desc`.execute(db);
  return rows;
}

/** Ties an undo job to the job that it takes back. */
export async function markUndoneBy(tx: Tx, jobId: string, undoJobId: string): Promise<void> {
  await sql`
    update job set undone_by = ${undoJobId}, version = version + 1 where id = ${jobId}`.execute(tx);
}
