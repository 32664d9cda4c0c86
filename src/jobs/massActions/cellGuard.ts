// The `'` before what a spreadsheet would take for a formula: put on by every CSV that we give out, taken off by the intake of an
// error file. Where there are some already, one more is put on, so that taking off is exact.

/** What may stand before a formula and is overlooked: blanks, controls and signs without width. */
const BLANK = '[\\s\\p{Cc}\\p{Cf}]';
/** Their wide forms are the same to spreadsheets of East Asia. */
const SIGN = '[=+\\-@＝＋－＠]';

const RISKY_START = new RegExp(`^(?:[\\t\\r\\n']|${BLANK}*${SIGN})`, 'u');
const PLAIN_NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

// A spreadsheet that splits at semicolons, tabs or line ends begins a cell in the middle of ours.
const SPLIT = '[;\\t\\r\\n]';
const INNER = `(${SPLIT}(?:(?!${SPLIT})${BLANK}|")*'*)`;
const INNER_START = new RegExp(`${INNER}(?=${SIGN})`, 'gu');
const GUARDED_INNER_START = new RegExp(`${INNER}'(?=${SIGN})`, 'gu');

export function guardCell(cell: string): string {
  const guarded = cell.replace(INNER_START, "$1'");
  return RISKY_START.test(cell) && !PLAIN_NUMBER.test(cell) ? `'${guarded}` : guarded;
}

export function unguardCell(cell: string): string {
  return (cell.startsWith("'") ? cell.slice(1) : cell).replace(GUARDED_INNER_START, '$1');
}

/** The columns that an error file has last, in this order; an upload that ends with them is taken as such a file. */
export const ERROR_COLUMNS = ['error_code', 'error_message'] as const;
