// JSON Schema of a kind's parameters -> the fields of a form, and what was typed -> parameters. Pure.
// The server judges; here only that a number is a number, so that the form can say so beside the field.
import type { JsonSchema } from '../../api/types';

export type FieldShape = 'text' | 'longText' | 'number' | 'integer' | 'boolean' | 'choice' | 'json';

export interface Field {
  name: string;
  label: string;
  hint: string | null;
  shape: FieldShape;
  isRequired: boolean;
  choices: { value: string; label: string; raw: unknown }[];
  schema: JsonSchema;
}

export type Typed = Record<string, string | boolean>;

/** `reasonCode` -> Reason code */
function wordsOf(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** zod writes "nullable" as a choice between a type and null. */
function withoutNull(schema: JsonSchema): JsonSchema {
  const rest = schema.anyOf?.filter((each) => each.type !== 'null');
  const only = rest?.length === 1 ? rest[0] : undefined;
  return only ? { ...schema, ...only, anyOf: undefined } : schema;
}

function shapeOf(schema: JsonSchema): FieldShape {
  if (schema.enum) return 'choice';
  const type = Array.isArray(schema.type) ? schema.type.find((each) => each !== 'null') : schema.type;
  switch (type) {
    case 'string':
      return (schema.maxLength ?? 0) > 300 ? 'longText' : 'text';
    case 'number':
    case 'integer':
    case 'boolean':
      return type;
    default:
      return 'json';
  }
}

export function fieldsOf(schema: JsonSchema | null): Field[] {
  const required = new Set(schema?.required ?? []);
  return Object.entries(schema?.properties ?? {}).map(([name, declared]) => {
    const own = withoutNull(declared);
    return {
      name,
      label: own.title ?? wordsOf(name),
      hint: own.description ?? null,
      shape: shapeOf(own),
      // What has a default may be left empty, whatever the schema of the output says.
      isRequired: required.has(name) && own.default === undefined,
      choices: (own.enum ?? []).map((raw) => ({ value: String(raw), label: String(raw), raw })),
      schema: own,
    };
  });
}

export function startValues(fields: Field[]): Typed {
  const typed: Typed = {};
  for (const { name, shape, schema } of fields) {
    if (shape === 'boolean') typed[name] = schema.default === true;
    else if (schema.default === undefined || schema.default === null) typed[name] = '';
    else typed[name] = shape === 'json' ? JSON.stringify(schema.default) : String(schema.default);
  }
  return typed;
}

/** Parameters that were sent once, as the form shows them. */
export function typedOf(fields: Field[], params: unknown): Typed {
  const members = typeof params === 'object' && params !== null ? (params as Record<string, unknown>) : {};
  const typed: Typed = {};
  for (const { name, shape } of fields) {
    const value = members[name];
    if (value === undefined || value === null) typed[name] = shape === 'boolean' ? false : '';
    else if (shape === 'boolean') typed[name] = value === true;
    else typed[name] = shape === 'json' || typeof value === 'object' ? JSON.stringify(value) : String(value as string);
  }
  return typed;
}

export interface ReadParams {
  params: Record<string, unknown>;
  faults: Record<string, string>;
}

/** Empty fields are left out: the server fills its defaults and names what is missing. */
export function readParams(fields: Field[], typed: Typed): ReadParams {
  const params: Record<string, unknown> = {};
  const faults: Record<string, string> = {};
  for (const { name, shape, isRequired, choices } of fields) {
    const value = typed[name] ?? '';
    if (typeof value === 'boolean') {
      params[name] = value;
      continue;
    }
    if (value === '') {
      if (isRequired) faults[name] = 'This is needed.';
      continue;
    }
    if (shape === 'number' || shape === 'integer') {
      const number = Number(value);
      if (!Number.isFinite(number) || (shape === 'integer' && !Number.isInteger(number))) {
        faults[name] = shape === 'integer' ? 'A whole number is needed.' : 'A number is needed.';
      } else params[name] = number;
    } else if (shape === 'choice') {
      params[name] = choices.find((choice) => choice.value === value)?.raw ?? value;
    } else if (shape === 'json') {
      try {
        params[name] = JSON.parse(value) as unknown;
      } catch {
        faults[name] = 'This must be JSON, for example {"key": "value"} or [1, 2].';
      }
    } else params[name] = value;
  }
  return { params, faults };
}
