// From stored lines to rows: parsed, and checked by the kind's schema. A row that cannot be handed to a handler is a fault of that
// row alone. Called by the runner for a chunk, and by the preview.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import type { RowFault } from '../../db/queries/chunks';
import type { JsonObject, Row } from '../define';

export interface ParsedRows {
  rows: Row[];
  faults: RowFault[];
}

/** @param columns the header of a CSV, whose lines hold cells; null: each line is the JSON that was sent. */
export function parseRows(
  lines: { rowIndex: number; line: string }[],
  columns: string[] | null,
  rowSchema: JsonObject | null,
): ParsedRows {
  const validate = rowSchema ? validatorOf(rowSchema) : null;
  const rows: Row[] = [];
  const faults: RowFault[] = [];
  for (const { rowIndex, line } of lines) {
    const data = parseLine(line, columns);
    const fault = data === null ? NOT_AN_OBJECT : (textFault(data) ?? schemaFault(validate, data));
    if (fault) faults.push({ rowIndex, ...fault });
    else rows.push({ rowIndex, data: data as JsonObject, ...(columns ? {} : { json: line }) });
  }
  return { rows, faults };
}

type Fault = Omit<RowFault, 'rowIndex'>;
const NOT_AN_OBJECT: Fault = { code: 'bad_row', message: 'The row is no JSON object.' };

/** CSV rows are stored as their cells, all others as the line that was sent. */
export function parseLine(line: string, columns: string[] | null): JsonObject | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (columns && Array.isArray(value)) {
    const cells = value as unknown[];
    return Object.fromEntries(columns.map((column, place) => [column, cells[place] ?? '']));
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

/** Text that PostgreSQL or a receiver cannot hold. */
function textFault(data: JsonObject): Fault | null {
  return hasBadText(data) ? { code: 'bad_text', message: 'The row holds U+0000 or half a surrogate pair.' } : null;
}

function hasBadText(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\u0000') || !value.isWellFormed();
  if (Array.isArray(value)) return value.some(hasBadText);
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).some(([key, inner]) => hasBadText(key) || hasBadText(inner));
  }
  return false;
}

function schemaFault(validate: ValidateFunction | null, data: JsonObject): Fault | null {
  if (!validate || validate(data)) return null;
  const [error] = validate.errors ?? [];
  const place = error?.instancePath ? error.instancePath.slice(1).replaceAll('/', '.') + ' ' : '';
  return { code: 'invalid_row', message: `${place}${error?.message ?? 'does not fit the schema of a row'}` };
}

const validators = new Map<string, ValidateFunction>();
const MAX_VALIDATORS = 200;

/** Compiling costs milliseconds, and a kind's schema is the same for each of its chunks. */
function validatorOf(schema: JsonObject): ValidateFunction {
  const key = JSON.stringify(schema);
  const known = validators.get(key);
  if (known) return known;
  if (validators.size >= MAX_VALIDATORS) validators.clear();
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  addFormats.default(ajv);
  const validate = ajv.compile(schema);
  validators.set(key, validate);
  return validate;
}
