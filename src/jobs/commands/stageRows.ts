// Takes the rows of a job in before the job exists: streamed, checked, staged in short transactions, with flat memory.
// Called by POST /jobs. A refused or broken upload leaves nothing; a killed process leaves an upload row that maintenance clears.
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { deleteInput, deleteUpload, insertUpload, lockUpload } from '../../db/queries/input';
import type { Tx } from '../../db/database';
import { withRetry } from '../../db/retry';
import { GantryError, invalid } from '../../lib/errors';
import { canonicalJson } from '../../lib/signing';
import type { Actor } from '../actor';
import type { CommandDeps } from '../commandDeps';
import type { Definition, MassActionDefinition } from '../define';
import { createCsvReader } from '../massActions/csvReader';
import { createUtf8Decoder } from '../massActions/decodeUtf8';
import { createInputWriter, type InputWriter } from '../massActions/inputWriter';
import { createNdjsonReader } from '../massActions/ndjsonReader';
import { createUploadFaults } from '../massActions/uploadFaults';

/** What publishing a job needs to know of its staged rows. */
export interface StagedInput {
  jobId: string;
  format: 'json' | 'ndjson' | 'csv';
  columns: string[] | null;
  rowTotal: number;
  /** Of the bytes as sent; of the canonical JSON for rows inside a JSON body. */
  sha256: Buffer;
}

/** A row larger than this is refused: a chunk of a thousand such rows must still fit in memory. */
export const MAX_ROW_BYTES = 1024 * 1024;
/** Input chunks deleted by one statement. */
const DISCARD_BATCH = 500;

/** @throws GantryError bad_upload, no_rows or too_large; nothing is left of the upload then, nor when the signal fires. */
export function stageRows(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  source: Readable,
  format: 'csv' | 'ndjson',
  definition: Definition,
  signal: AbortSignal,
): Promise<StagedInput> {
  return staging(deps, actor, jobId, definition, async (writer) => {
    const faults = createUploadFaults();
    const decoder = createUtf8Decoder();
    const hash = createHash('sha256');
    const create = format === 'csv' ? createCsvReader : createNdjsonReader;
    const reader = create(decoder, faults, (line) => writer.add(line), MAX_ROW_BYTES);
    try {
      for await (const bytes of abortable(source, signal)) {
        hash.update(bytes);
        await reader.write(decoder.write(bytes));
        // Once a fault is known nothing is written any more; reading goes on for the faults that follow.
        if (faults.found === 0) await writer.flush();
      }
      await reader.write(decoder.end());
      await reader.end();
      faults.throwIfAny();
      if (writer.rowTotal > 0) await writer.flush(true);
      return { jobId, format, columns: reader.columns(), rowTotal: writer.rowTotal, sha256: hash.digest() };
    } finally {
      reader.close();
    }
  });
}

/** As stageRows, for rows that came inside a JSON body. */
export function stageJsonRows(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  rows: unknown[],
  definition: Definition,
): Promise<StagedInput> {
  return staging(deps, actor, jobId, definition, async (writer) => {
    const faults = createUploadFaults();
    for (const [rowIndex, row] of rows.entries()) {
      const where = { rowIndex, line: rowIndex + 1, column: 1 };
      const line = JSON.stringify(row) ?? 'null';
      if (typeof row !== 'object' || row === null || Array.isArray(row)) {
        faults.add({ ...where, message: 'the row is no object' });
      } else if (Buffer.byteLength(line) > MAX_ROW_BYTES) {
        faults.add({ ...where, message: `the row is larger than ${MAX_ROW_BYTES} bytes` });
      } else writer.add(line);
      if (faults.found === 0) await writer.flush();
    }
    faults.throwIfAny();
    await writer.flush(true);
    const sha256 = createHash('sha256').update(canonicalJson(rows)).digest();
    return { jobId, format: 'json', columns: null, rowTotal: writer.rowTotal, sha256 };
  });
}

/** Removes what is staged for a job that will not be published. Rows of a job that was published after all are left alone. */
export async function discardStaged(db: CommandDeps['db'], jobId: string): Promise<void> {
  const discardSome = async (tx: Tx): Promise<number> =>
    (await lockUpload(tx, jobId)) ? deleteInput(tx, jobId, DISCARD_BATCH) : 0;
  while ((await db.transaction().execute(discardSome)) > 0);
  // Last: until here the upload row tells maintenance that there is something to clear.
  await deleteUpload(db, jobId);
}

async function staging(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  definition: Definition,
  stage: (writer: InputWriter) => Promise<StagedInput>,
): Promise<StagedInput> {
  const { chunkSize } = requireMassAction(definition);
  await insertUpload(deps.db, jobId, actor.id);
  try {
    const staged = await stage(createInputWriter(deps.db, jobId, chunkSize, deps.settings.maxRows));
    if (staged.rowTotal > 0) return staged;
    throw new GantryError('no_rows', 'The upload holds no rows; no job was made. Send at least one row.');
  } catch (error) {
    await withRetry(() => discardStaged(deps.db, jobId));
    throw error;
  }
}

/** @throws GantryError invalid for kinds that take no rows. */
function requireMassAction(definition: Definition): MassActionDefinition {
  if (definition.shape === 'massAction') return definition;
  throw invalid([{ path: 'rows', message: `"${definition.kind}" takes no rows` }]);
}

/** The bytes of the source; a fired signal or a source that closes before its end throws. */
async function* abortable(source: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const abort = (): void => {
    source.destroy(new GantryError('bad_request', 'The upload broke off; nothing of it was kept.'));
  };
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    for await (const bytes of source) yield typeof bytes === 'string' ? Buffer.from(bytes) : (bytes as Uint8Array);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
