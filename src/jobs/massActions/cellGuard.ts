// The `'` before cells that a spreadsheet would take for a formula: put on by every CSV that we give out,
// taken off by the intake of an error file. A cell that begins with `'` gets one too, so that taking off is exact.

const RISKY_START = /^[=+\-@\t\r\n']/;
const PLAIN_NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

export function guardCell(cell: string): string {
  return RISKY_START.test(cell) && !PLAIN_NUMBER.test(cell) ? `'${cell}` : cell;
}

export function unguardCell(cell: string): string {
  return cell.startsWith("'") ? cell.slice(1) : cell;
}

/** The columns that an error file has last, in this order; an upload that ends with them is taken as such a file. */
export const ERROR_COLUMNS = ['error_code', 'error_message'] as const;
