// NDJSON text to stored rows: each line verbatim, so that numbers keep their digits. Blank lines are passed over.
// Called by stageRows. A line must be a JSON object; what the object holds is judged at the chunk. An error file that is sent
// back, known by its first line, loses the two last members of each line here.
import { isTooDeep, MAX_JSON_DEPTH } from '../../lib/jsonDepth';
import { ERROR_COLUMNS } from './cellGuard';
import { NOT_UTF8, REPLACEMENT, type Utf8Decoder } from './decodeUtf8';
import type { RowReader, RowSink } from './rowReader';
import type { UploadFaults } from './uploadFaults';

export function createNdjsonReader(
  decoder: Utf8Decoder,
  faults: UploadFaults,
  sink: RowSink,
  maxRowBytes: number,
): RowReader {
  let rest = '';
  let line = 0;
  let rowIndex = 0;
  let isErrorFile = false;

  const take = (raw: string): void => {
    line += 1;
    const text = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (text.trim() === '') return;
    const fault = (column: number, message: string): void => faults.add({ rowIndex, line, column, message });
    const badPlace = decoder.sawBadBytes ? text.indexOf(REPLACEMENT) : -1;
    if (badPlace >= 0) fault(badPlace + 1, NOT_UTF8);
    else if (Buffer.byteLength(text) > maxRowBytes) fault(1, `the row is larger than ${maxRowBytes} bytes`);
    else {
      const wrong = whyNoObject(text);
      if (wrong) fault(wrong.column, wrong.message);
      else {
        if (rowIndex === 0) isErrorFile = hasErrorColumns(text);
        sink(isErrorFile && hasErrorColumns(text) ? text.replace(ERROR_MEMBERS, '}') : text);
      }
    }
    rowIndex += 1;
  };

  return {
    write: (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(take);
      if (rest.length > maxRowBytes) {
        faults.add({ rowIndex, line: line + 1, column: 1, message: `the row is larger than ${maxRowBytes} bytes` });
        // The line's end may never come: nothing more is read.
        faults.throwIfAny();
      }
      return Promise.resolve();
    },
    end: () => {
      if (rest !== '') take(rest);
      rest = '';
      return Promise.resolve();
    },
    close: () => undefined,
    columns: () => null,
  };
}

/** The two last members as the error file writes them; taken off the text, so that the rest stays as it was first sent. */
const ERROR_MEMBERS =
  /,?\s*"error_code"\s*:\s*"(?:[^"\\]|\\.)*"\s*,\s*"error_message"\s*:\s*"(?:[^"\\]|\\.)*"\s*\}\s*$/;

function hasErrorColumns(text: string): boolean {
  if (!text.includes('"error_message"') || !ERROR_MEMBERS.test(text)) return false;
  const names = Object.keys(JSON.parse(text) as object);
  return ERROR_COLUMNS.every((name, place) => names.at(place - ERROR_COLUMNS.length) === name);
}

function whyNoObject(text: string): { column: number; message: string } | null {
  if (isTooDeep(text)) return { column: 1, message: `the row is nested deeper than ${MAX_JSON_DEPTH} levels` };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return null;
    return { column: 1, message: 'the line is JSON, yet no object; each line must be { "column": value, … }' };
  } catch (error) {
    const place = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    return { column: place === undefined ? 1 : Number(place) + 1, message: 'the line is no JSON' };
  }
}
