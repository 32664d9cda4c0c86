// CSV text to stored rows: cells as a JSON array of strings, never re-printed. Streams; holds one record at most.
// Called by stageRows. An error file that is sent back loses its two last columns and the `'` of its cells here.
import { CsvError, parse } from 'csv-parse';
import { ERROR_COLUMNS, unguardCell } from './cellGuard';
import { NOT_UTF8, REPLACEMENT, type Utf8Decoder } from './decodeUtf8';
import type { RowReader, RowSink } from './rowReader';
import type { UploadFaults } from './uploadFaults';

interface Header {
  /** As sent, without the columns of an error file. */
  columns: string[];
  /** How many cells each line must have. */
  width: number;
  isErrorFile: boolean;
}

export function createCsvReader(
  decoder: Utf8Decoder,
  faults: UploadFaults,
  sink: RowSink,
  maxRowBytes: number,
): RowReader {
  let header: Header | null = null;
  let rowIndex = 0;

  const parser = parse({
    // Files are met with any line end, and with several.
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRowBytes,
    on_record: (cells: string[], context) => {
      take(cells, context.lines);
      return null;
    },
  });
  // Errors come by the callback of the write; without a listener they would end the process.
  parser.on('error', () => undefined);
  parser.resume();

  const take = (cells: string[], lastLine: number): void => {
    const line = lastLine - cells.reduce((sum, cell) => sum + countLineEnds(cell), 0);
    if (decoder.sawBadBytes) {
      const place = cells.findIndex((cell) => cell.includes(REPLACEMENT));
      if (place >= 0) {
        faults.add({ rowIndex: header ? rowIndex : null, line, column: place + 1, message: NOT_UTF8 });
      }
    }
    if (!header) {
      header = readHeader(cells, line, faults);
      return;
    }
    if (cells.length !== header.width) {
      faults.add({
        rowIndex,
        line,
        column: Math.min(cells.length, header.width) + 1,
        message: `has ${cells.length} columns, the header has ${header.width}`,
      });
    } else if (header.isErrorFile) {
      sink(JSON.stringify(cells.slice(0, -ERROR_COLUMNS.length).map(unguardCell)));
    } else {
      sink(JSON.stringify(cells));
    }
    rowIndex += 1;
  };

  const settle = (error: Error | null | undefined): void => {
    if (!error) return;
    if (!(error instanceof CsvError)) throw error;
    const context = error as CsvError & { lines?: number; column?: number | string };
    faults.add({
      rowIndex: header ? rowIndex : null,
      line: context.lines ?? 1,
      column: typeof context.column === 'number' ? context.column + 1 : 1,
      message: MESSAGES[error.code] ?? error.message,
    });
    // After a broken quote nothing says where the next record begins.
    faults.throwIfAny();
  };

  return {
    write: async (text) => {
      settle(await new Promise<Error | null | undefined>((resolve) => parser.write(text, resolve)));
    },
    end: async () => {
      settle(
        await new Promise<Error | null>((resolve) => {
          parser.once('error', resolve);
          parser.once('end', () => resolve(null));
          parser.end();
        }),
      );
    },
    close: () => parser.destroy(),
    columns: () => header?.columns ?? null,
  };
}

const MESSAGES: Partial<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quoted cell is not closed before the file ends',
  CSV_INVALID_CLOSING_QUOTE: 'a closing quote must be followed by a comma or the end of the line',
  INVALID_OPENING_QUOTE: 'a quote may only stand at the beginning of a cell; within a quoted cell it is doubled',
  CSV_MAX_RECORD_SIZE: 'the row is larger than a row may be; a quote that is never closed looks like this too',
};

function readHeader(cells: string[], line: number, faults: UploadFaults): Header {
  const isErrorFile = ERROR_COLUMNS.every((name, place) => cells.at(place - ERROR_COLUMNS.length) === name);
  const columns = isErrorFile ? cells.slice(0, -ERROR_COLUMNS.length).map(unguardCell) : cells;
  const fault = (column: number, message: string): void => faults.add({ rowIndex: null, line, column, message });
  if (columns.length === 0) fault(1, 'the header names no column besides those of an error file');
  const seen = new Map<string, number>();
  columns.forEach((name, place) => {
    const earlier = seen.get(name);
    if (name.trim() === '') fault(place + 1, 'the header cell is empty; each column needs a name');
    else if (name.includes('\u0000')) fault(place + 1, 'the header holds U+0000; is the file UTF-16? Save it as UTF-8');
    else if (earlier !== undefined) {
      fault(place + 1, `the header names "${name.slice(0, 100)}" twice, first in column ${earlier}`);
    } else seen.set(name, place + 1);
  });
  return { columns, width: cells.length, isErrorFile };
}

function countLineEnds(cell: string): number {
  if (!cell.includes('\n') && !cell.includes('\r')) return 0;
  return cell.split(/\r\n|\r|\n/).length - 1;
}
