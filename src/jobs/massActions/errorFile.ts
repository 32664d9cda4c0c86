// The error file: the failed rows of a run with their columns as sent in, and code and message as last columns.
// Streams text; called by GET /jobs/{id}/errors.csv and .ndjson. Sent back mended, it is taken as rows again (csvReader, ndjsonReader).
import type { Db } from '../../db/database';
import { findInputForm } from '../../db/queries/inputColumns';
import { errorFile, type RowErrorRow } from '../../db/queries/rowErrors';
import type { JsonObject } from '../define';
import { ERROR_COLUMNS, guardCell } from './cellGuard';

export async function* errorFileCsv(db: Db, jobId: string, run: number, code?: string): AsyncGenerator<string> {
  const { columns: sent } = await findInputForm(db, jobId);
  const columns = sent ?? (await columnsOf(db, jobId, run, code));
  yield csvLine([...columns, ...ERROR_COLUMNS]);
  for await (const error of errorFile(db, jobId, run, code)) {
    const row: unknown = JSON.parse(error.line);
    const cells = Array.isArray(row) ? row.map(cellOf) : columns.map((column) => cellOf((row as JsonObject)[column]));
    yield csvLine([...cells, error.code, error.message]);
  }
}

export async function* errorFileNdjson(db: Db, jobId: string, run: number, code?: string): AsyncGenerator<string> {
  const { columns } = await findInputForm(db, jobId);
  for await (const error of errorFile(db, jobId, run, code)) yield `${ndjsonLine(error, columns)}\n`;
}

/** One line, its cells guarded against formulas, ended by LF. */
export function csvLine(cells: string[]): string {
  return `${cells.map((cell) => quote(guardCell(cell))).join(',')}\n`;
}

/** What some spreadsheets split at is quoted, too. */
function quote(cell: string): string {
  return /[",;\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** The row's own text with two members more, so that its numbers keep their digits. */
function ndjsonLine(error: RowErrorRow, columns: string[] | null): string {
  const added = `"${ERROR_COLUMNS[0]}":${JSON.stringify(error.code)},"${ERROR_COLUMNS[1]}":${JSON.stringify(error.message)}}`;
  const text = columns ? objectText(columns, JSON.parse(error.line) as string[]) : error.line.trimEnd();
  const open = text.slice(0, -1).trimEnd();
  return open.endsWith('{') ? `${open}${added}` : `${open},${added}`;
}

/** Written member by member: an object would sort columns that look like numbers to the front. */
function objectText(columns: string[], cells: string[]): string {
  return `{${columns.map((column, place) => `${JSON.stringify(column)}:${JSON.stringify(cells[place] ?? '')}`).join(',')}}`;
}

/** Rows without a header: all their members, in the order in which they are met. */
async function columnsOf(db: Db, jobId: string, run: number, code?: string): Promise<string[]> {
  const columns = new Set<string>();
  for await (const { line } of errorFile(db, jobId, run, code)) {
    for (const name of Object.keys((JSON.parse(line) ?? {}) as JsonObject)) columns.add(name);
  }
  return [...columns];
}

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
