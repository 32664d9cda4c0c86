// The first rows of what would be a job's input, for the preview: read as for a job, but nothing is stored, and a large upload is
// read no further than needed. Called by POST /jobs/preview.
import type { Readable } from 'node:stream';
import { MAX_ROW_BYTES } from '../commands/stageRows';
import { createCsvReader } from '../massActions/csvReader';
import { createUtf8Decoder } from '../massActions/decodeUtf8';
import { createNdjsonReader } from '../massActions/ndjsonReader';
import { createUploadFaults } from '../massActions/uploadFaults';

export interface PeekedRows {
  columns: string[] | null;
  lines: { rowIndex: number; line: string }[];
  /** All rows of the upload; null when it was not read to its end. */
  total: number | null;
}

export const PREVIEW_ROWS = 100;
/** An upload of this size is read to its end, so that its rows are counted. */
const READ_ON_BYTES = 1024 * 1024;

/** @throws GantryError bad_upload for what would refuse the upload as a job, too. */
export async function peekRows(source: Readable, format: 'csv' | 'ndjson', signal: AbortSignal): Promise<PeekedRows> {
  const faults = createUploadFaults();
  const decoder = createUtf8Decoder();
  const lines: PeekedRows['lines'] = [];
  let seen = 0;
  let bytesRead = 0;
  const take = (line: string): void => {
    if (seen < PREVIEW_ROWS) lines.push({ rowIndex: seen, line });
    seen += 1;
  };
  const create = format === 'csv' ? createCsvReader : createNdjsonReader;
  const reader = create(decoder, faults, take, MAX_ROW_BYTES);
  const stop = (): void => void source.destroy(new Error('the upload broke off'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    // The rest of an upload that is cut short still flows: its sender gets the answer when it listens.
    for await (const bytes of source.iterator({ destroyOnReturn: false })) {
      bytesRead += (bytes as Buffer).length;
      await reader.write(decoder.write(bytes as Buffer));
      faults.throwIfAny();
      if (seen >= PREVIEW_ROWS && bytesRead > READ_ON_BYTES) return { columns: reader.columns(), lines, total: null };
    }
    await reader.write(decoder.end());
    await reader.end();
    faults.throwIfAny();
    return { columns: reader.columns(), lines, total: seen };
  } finally {
    signal.removeEventListener('abort', stop);
    reader.close();
  }
}

/** As peekRows, for rows inside a JSON body. */
export function peekJsonRows(rows: unknown[]): PeekedRows {
  const lines = rows.slice(0, PREVIEW_ROWS).map((row, rowIndex) => ({ rowIndex, line: JSON.stringify(row) ?? 'null' }));
  return { columns: null, lines, total: rows.length };
}
