// The failed rows of a run: a page, grouped by cause, and all of them with their rows as sent in, for the error file.
import { sql } from 'kysely';
import type { Db } from '../database';

export interface RowErrorRow {
  rowIndex: number;
  code: string;
  message: string;
  attempt: number;
  /** The stored line: the JSON as sent, or the CSV cells as a JSON array. */
  line: string;
}

export interface RowErrorPage {
  /** Rows after this index. */
  after: number | null;
  limit: number;
  code?: string;
}

/** In the order of the input. */
export async function listRowErrors(db: Db, jobId: string, run: number, page: RowErrorPage): Promise<RowErrorRow[]> {
  let query = db
    .selectFrom('rowError')
    .select(['rowIndex', 'code', 'message', 'attempt'])
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .orderBy('rowIndex')
    .limit(page.limit);
  if (page.after !== null) query = query.where('rowIndex', '>', page.after);
  if (page.code !== undefined) query = query.where('code', '=', page.code);
  const errors = await query.execute();
  const lines = await readLines(
    db,
    jobId,
    errors.map((error) => error.rowIndex),
  );
  return errors.map((error) => ({ ...error, line: lines.get(error.rowIndex) ?? 'null' }));
}

/** Rows that are held in memory at once; each may be a megabyte. */
const STREAM_PAGE = 200;

export async function* errorFile(db: Db, jobId: string, run: number, code?: string): AsyncGenerator<RowErrorRow> {
  for (let after: number | null = null; ;) {
    const page: RowErrorRow[] = await listRowErrors(db, jobId, run, { after, limit: STREAM_PAGE, code });
    yield* page;
    if (page.length < STREAM_PAGE) return;
    after = page[page.length - 1]?.rowIndex ?? null;
  }
}

export interface ErrorGroup {
  code: string;
  /** One of the messages. */
  message: string;
  count: number;
  firstRowIndex: number;
}

/** The most frequent first. */
export function listErrorGroups(db: Db, jobId: string, run: number, limit: number): Promise<ErrorGroup[]> {
  return db
    .selectFrom('rowError')
    .select([
      'code',
      sql<string>`(array_agg(message order by row_index))[1]`.as('message'),
      sql<number>`count(*)`.as('count'),
      sql<number>`min(row_index)`.as('firstRowIndex'),
    ])
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .groupBy('code')
    .orderBy(sql`count(*)`, 'desc')
    .orderBy('code')
    .limit(limit)
    .execute();
}

/** Input chunks that are unpacked at once: four megabytes. */
const CHUNKS_AT_ONCE = 16;

async function readLines(db: Db, jobId: string, rowIndexes: number[]): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  if (rowIndexes.length === 0) return found;
  const { rows: places } = await sql<{ rowIndex: number; inputChunk: number }>`
    select wanted.row_index, i.input_chunk
    from unnest(${rowIndexes}::bigint[]) as wanted(row_index), lateral (
      select input_chunk from job_input where job_id = ${jobId} and first_row_index <= wanted.row_index
      order by first_row_index desc limit 1) i`.execute(db);
  const wantedOf = new Map<number, number[]>();
  for (const { rowIndex, inputChunk } of places) {
    wantedOf.set(inputChunk, [...(wantedOf.get(inputChunk) ?? []), rowIndex]);
  }
  const chunks = [...wantedOf.keys()];
  for (let from = 0; from < chunks.length; from += CHUNKS_AT_ONCE) {
    const inputs = await db
      .selectFrom('jobInput')
      .select(['inputChunk', 'firstRowIndex', 'rows'])
      .where('jobId', '=', jobId)
      .where('inputChunk', 'in', chunks.slice(from, from + CHUNKS_AT_ONCE))
      .execute();
    for (const { inputChunk, firstRowIndex, rows } of inputs) {
      const lines = rows.split('\n');
      for (const rowIndex of wantedOf.get(inputChunk) ?? [])
        found.set(rowIndex, lines[rowIndex - firstRowIndex] ?? 'null');
    }
  }
  return found;
}
