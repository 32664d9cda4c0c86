// Hands the rows of a chunk to the kind: to processChunk, or for a job that takes another one back to undoChunk.
// Called by the runner, in its own process or in one that works alone.
import type { ChunkContext, ChunkOutcome, JsonObject, MassActionDefinition, Row, UndoRow } from '../define';
import { PermanentJobError } from '../../lib/errors';

export function workOnRows(
  definition: MassActionDefinition,
  chunk: { undoOf: string | null },
  context: ChunkContext<never>,
  rows: Row[],
): Promise<ChunkOutcome> {
  if (chunk.undoOf === null) return definition.processChunk(context, rows);
  if (!definition.undoChunk) {
    throw new PermanentJobError('not_undoable', `"${definition.kind}" cannot take its rows back (any more).`);
  }
  return definition.undoChunk({ ...context, undoOf: chunk.undoOf }, rows.map(undoRowOf));
}

/**
 * One line of an undo job's input, with the row and its earlier value as they were stored. In brackets: a worker of a version that
 * knows no undo takes it for no row at all and fails it, instead of doing the row once more.
 */
export function undoLine(value: { rowIndex: number; row: string; before: string }): string {
  return `[{"rowIndex":${value.rowIndex},"data":${value.row},"before":${value.before}}]`;
}

function undoRowOf({ rowIndex, data, json }: Row): UndoRow {
  const kept = data as { rowIndex: number; data: JsonObject; before: JsonObject };
  return { rowIndex, undoneRowIndex: kept.rowIndex, data: kept.data, before: kept.before, json };
}
