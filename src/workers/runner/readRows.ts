// The rows of a chunk, read from the ledger, parsed and checked. Only the rows of this chunk leave the database.
import type { Db } from '../../db/database';
import { readInputLines, type ClaimedChunk } from '../../db/queries/chunks';
import type { JsonObject } from '../../jobs/define';
import { parseRows, type ParsedRows } from '../../jobs/massActions/parseRows';

export type ChunkRows = ParsedRows;

export async function readRows(db: Db, chunk: ClaimedChunk, rowSchema: JsonObject | null): Promise<ChunkRows> {
  const { firstRowIndex, rowCount } = chunk;
  const indexes = chunk.rowIndexes ?? Array.from({ length: rowCount }, (_, place) => firstRowIndex + place);
  const from = indexes[0] ?? firstRowIndex;
  const to = indexes[indexes.length - 1] ?? firstRowIndex;
  const stored = await readInputLines(db, chunk.jobId, chunk.inputChunk, from, to);
  const lines = indexes.map((rowIndex) => {
    const line = stored[rowIndex - from];
    if (line === undefined) throw new Error(`row ${rowIndex} of job ${chunk.jobId} is not in its input`);
    // The lines of an undo stand in brackets (jobs/undo/workOnRows.ts).
    return { rowIndex, line: chunk.undoOf === null ? line : line.slice(1, -1) };
  });
  const columns = chunk.inputColumns === null ? null : (JSON.parse(chunk.inputColumns) as string[]);
  // Rows of an undo are Gantry's own.
  return parseRows(lines, columns, chunk.undoOf === null ? rowSchema : null);
}
