// Stages the input of an undo job: the values that a job kept, the latest effect first, with their rows as they were sent.
// Streamed through with flat memory, in short transactions, like an upload; called by undoJob.
import { createHash } from 'node:crypto';
import { findInputForm } from '../../db/queries/inputColumns';
import { insertUpload } from '../../db/queries/input';
import { streamValues } from '../../db/queries/undo';
import { withRetry } from '../../db/retry';
import type { Actor } from '../actor';
import type { CommandDeps } from '../commandDeps';
import { discardStaged, type StagedInput } from '../commands/stageRows';
import { createInputWriter } from '../massActions/inputWriter';
import { parseLine } from '../massActions/parseRows';
import { undoLine } from './workOnRows';

export async function stageUndo(
  deps: CommandDeps,
  actor: Actor,
  undoneId: string,
  undoId: string,
  chunkSize: number,
): Promise<StagedInput> {
  const { columns } = await findInputForm(deps.db, undoneId);
  await insertUpload(deps.db, undoId, actor.id);
  try {
    const writer = createInputWriter(deps.db, undoId, chunkSize, Infinity);
    const hash = createHash('sha256');
    for await (const { rowIndex, line, before } of streamValues(deps.db, undoneId)) {
      // JSON as it was sent, so that numbers keep their digits; the cells of a CSV under their columns.
      const row = columns ? JSON.stringify(parseLine(line, columns)) : line;
      const text = undoLine({ rowIndex, row, before });
      hash.update(text).update('\n');
      writer.add(text);
      await writer.flush();
    }
    await writer.flush(true);
    return { jobId: undoId, format: 'ndjson', columns: null, rowTotal: writer.rowTotal, sha256: hash.digest() };
  } catch (error) {
    await withRetry(() => discardStaged(deps.db, undoId));
    throw error;
  }
}
