// Rows of one job staged anew for another, inside the database: they never pass through the process, however many there are.
// Called by resubmit, a batch of input chunks to a transaction.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { InputForm } from './inputColumns';

export interface InputFacts extends InputForm {
  rowTotal: number | null;
  sha256: Buffer | null;
}

export async function findInputFacts(db: Db, jobId: string): Promise<InputFacts | null> {
  const row = await db
    .selectFrom('job')
    .select(['inputFormat', 'inputColumns', 'rowTotal', 'inputSha256'])
    .where('id', '=', jobId)
    .executeTakeFirst();
  if (!row) return null;
  return {
    format: row.inputFormat as InputForm['format'],
    columns: row.inputColumns ? (JSON.parse(row.inputColumns) as string[]) : null,
    rowTotal: row.rowTotal,
    sha256: row.inputSha256,
  };
}

export interface CopyPart {
  from: string;
  to: string;
  /** Which rows; those of a scope are numbered from 0 anew. */
  scope: 'same' | 'failed' | 'unfinished';
  /** The last input chunk of the part before, and how much was copied so far. */
  after: number;
  chunks: number;
  rows: number;
  limit: number;
}

export interface CopiedPart {
  /** Null: there was nothing left. */
  last: number | null;
  chunks: number;
  rows: number;
  /** Of what was copied; null when no row of these chunks is wanted. */
  digest: Buffer | null;
}

/** @returns null when the upload was cleared meanwhile. */
export async function copyInput(tx: Tx, part: CopyPart): Promise<CopiedPart | null> {
  const touched = await tx
    .updateTable('upload')
    .set({ touchedAt: sql<Date>`gantry_now()` })
    .where('jobId', '=', part.to)
    .executeTakeFirst();
  if (touched.numUpdatedRows !== 1n) return null;
  // Bit n of a bitmap is the row at place n of its input chunk, as in queries/runs.ts.
  const wanted = {
    same: sql`true`,
    failed: sql`o.failed is not null and get_bit(o.failed, (l.n - 1)::int) = 1`,
    unfinished: sql`(o.good is null or get_bit(o.good, (l.n - 1)::int) = 0)`,
  }[part.scope];
  const kept =
    part.scope === 'same'
      ? sql`select input_chunk, row_count, rows from source`
      : sql`
        select s.input_chunk, count(*)::int as row_count, string_agg(l.line, E'\n' order by l.n) as rows
        from source s left join row_outcome o on o.job_id = ${part.from} and o.input_chunk = s.input_chunk,
          lateral string_to_table(s.rows, E'\n') with ordinality l(line, n)
        where ${wanted} group by s.input_chunk`;
  const { rows } = await sql<CopiedPart>`
    with source as (select input_chunk, row_count, rows from job_input
      where job_id = ${part.from} and input_chunk > ${part.after} order by input_chunk limit ${part.limit}),
    kept as (${kept}),
    numbered as (select row_number() over (order by input_chunk) - 1 + ${part.chunks}::int as input_chunk,
      ${part.rows}::bigint + sum(row_count) over (order by input_chunk) - row_count as first_row_index, row_count, rows
      from kept),
    copied as (insert into job_input (job_id, input_chunk, first_row_index, row_count, rows)
      select ${part.to}, input_chunk, first_row_index, row_count, rows from numbered)
    select (select max(input_chunk) from source) as last, count(*)::int as chunks,
      coalesce(sum(row_count), 0)::bigint as rows,
      sha256(string_agg(sha256(convert_to(rows, 'UTF8')), ''::bytea order by input_chunk)) as digest
    from numbered`.execute(tx);
  return rows[0] ?? null;
}
