// Cuts stored lines into input chunks and writes them, some at a time, in short transactions. Memory stays flat:
// what was collected is written before more is taken.
import type { Kysely } from 'kysely';
import type { DB } from '../../db/generated/database';
import { insertInput, type InputChunk } from '../../db/queries/input';
import { withRetry } from '../../db/retry';
import { GantryError } from '../../lib/errors';

/** An input chunk holds at most so many bytes, so that reading one never hurts (architecture, decision 6). */
const MAX_CHUNK_BYTES = 256 * 1024;
/** So much is written by one statement. */
const MAX_BATCH_BYTES = 1024 * 1024;
const MAX_BATCH_CHUNKS = 64;

export interface InputWriter {
  readonly rowTotal: number;
  /** @throws GantryError too_large beyond the limit of rows. */
  add(line: string): void;
  /** Writes what is ready; with `all`, the rest too. */
  flush(all?: boolean): Promise<void>;
}

export function createInputWriter(db: Kysely<DB>, jobId: string, chunkSize: number, maxRows: number): InputWriter {
  let ready: InputChunk[] = [];
  let lines: string[] = [];
  let bytes = 0;
  let rowTotal = 0;
  let nextChunk = 0;

  const cut = (): void => {
    if (lines.length === 0) return;
    const chunk = { inputChunk: nextChunk, firstRowIndex: rowTotal - lines.length, rowCount: lines.length };
    ready.push({ ...chunk, rows: lines.join('\n') });
    nextChunk += 1;
    lines = [];
    bytes = 0;
  };

  const write = async (chunks: InputChunk[]): Promise<void> => {
    const staged = await withRetry(() => db.transaction().execute((tx) => insertInput(tx, jobId, chunks)));
    if (!staged) {
      throw new GantryError(
        'unavailable',
        'The upload took too long and was cleared; nothing was kept. Send it again.',
        {
          retryAfterSeconds: 1,
        },
      );
    }
  };

  return {
    get rowTotal() {
      return rowTotal;
    },
    add: (line) => {
      if (rowTotal >= maxRows) {
        throw new GantryError(
          'too_large',
          `The upload has more than ${maxRows} rows and was refused; nothing was kept. Send it in parts, or raise MAX_ROWS.`,
        );
      }
      const size = Buffer.byteLength(line) + 1;
      if (lines.length >= chunkSize || (bytes + size > MAX_CHUNK_BYTES && lines.length > 0)) cut();
      lines.push(line);
      bytes += size;
      rowTotal += 1;
    },
    flush: async (all = false) => {
      if (all) cut();
      while (ready.length > 0) {
        let size = 0;
        let count = 0;
        for (const chunk of ready) {
          if (count > 0 && (count >= MAX_BATCH_CHUNKS || size + chunk.rows.length > MAX_BATCH_BYTES)) break;
          size += chunk.rows.length;
          count += 1;
        }
        // A batch that is not full yet may wait for company.
        if (!all && count === ready.length && count < MAX_BATCH_CHUNKS && size < MAX_BATCH_BYTES / 2) return;
        await write(ready.slice(0, count));
        ready = ready.slice(count);
      }
    },
  };
}
