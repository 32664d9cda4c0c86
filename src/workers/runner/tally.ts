// From the results of a handler to counts, row errors and outcome bits. Pure arithmetic.
import type { Outcomes, RowFault } from '../../db/queries/chunks';
import type { KeptValue } from '../../db/queries/undo';
import type { RowResult } from '../../jobs/define';
import { cleanText } from '../../lib/errors';
import { maskSecrets } from '../../lib/secrets';

export interface Tally {
  good: number;
  failed: number;
  skipped: number;
  faults: RowFault[];
  goodRows: number[];
  /** What to keep of good rows for an undo. */
  kept: KeptValue[];
}

const MAX_MESSAGE = 2000;
const MAX_CODE = 100;

/** Every row gets one outcome: its fault, its result, or `no_result`. Results of rows that were not asked for are ignored. */
export function tally(rowIndexes: number[], faults: RowFault[], results: RowResult[]): Tally {
  const byRow = new Map(results.map((result) => [result.rowIndex, result]));
  const count: Tally = { good: 0, failed: faults.length, skipped: 0, faults: faults.map(cut), goodRows: [], kept: [] };
  for (const rowIndex of rowIndexes) {
    const result = byRow.get(rowIndex);
    if (result?.skipped) {
      count.skipped += 1;
      count.goodRows.push(rowIndex);
    } else if (result?.success) {
      count.good += 1;
      count.goodRows.push(rowIndex);
      if (result.before) count.kept.push({ rowIndex, before: result.before });
    } else {
      count.failed += 1;
      count.faults.push(cut(faultOf(rowIndex, result)));
    }
  }
  return count;
}

/** All rows that were to be tried fail for one reason. */
export function tallyFailed(rowIndexes: number[], faults: RowFault[], code: string, message: string): Tally {
  return tally(
    rowIndexes,
    faults,
    rowIndexes.map((rowIndex) => ({ rowIndex, success: false, code, message })),
  );
}

function faultOf(rowIndex: number, result: RowResult | undefined): RowFault {
  if (!result) return { rowIndex, code: 'no_result', message: 'The answer held no result for this row.' };
  return {
    rowIndex,
    code: result.code || 'failed',
    message: result.message || 'The row was refused without a reason.',
  };
}

function cut(fault: RowFault): RowFault {
  return {
    rowIndex: fault.rowIndex,
    code: cleanText(String(fault.code)).slice(0, MAX_CODE),
    message: maskSecrets(cleanText(String(fault.message))).slice(0, MAX_MESSAGE),
  };
}

/**
 * good stays set once a row succeeded or was skipped in some run; failed says that its last outcome was a failure.
 * Bit n of a byte string is counted from the lowest bit of its first byte, as get_bit does.
 */
export function mergeOutcomes(before: Outcomes, firstRowIndex: number, count: Tally): Outcomes {
  const good = Buffer.from(before.good);
  const failed = Buffer.from(before.failed);
  for (const rowIndex of count.goodRows) {
    setBit(good, rowIndex - firstRowIndex, true);
    setBit(failed, rowIndex - firstRowIndex, false);
  }
  for (const { rowIndex } of count.faults) setBit(failed, rowIndex - firstRowIndex, true);
  return { good, failed };
}

function setBit(bits: Buffer, place: number, on: boolean): void {
  const at = place >> 3;
  const mask = 1 << (place & 7);
  const byte = bits[at];
  if (byte === undefined) throw new RangeError(`row bit ${place} is outside of the input chunk`);
  bits[at] = on ? byte | mask : byte & ~mask;
}
