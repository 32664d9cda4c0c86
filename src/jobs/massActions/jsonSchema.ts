// Compiles the JSON Schemas that operations bring along. Compiling costs milliseconds, so validators are kept by their text.
import Ajv2020, { type ErrorObject, type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { messageOf } from '../../lib/errors';
import type { JsonObject } from '../define';

const validators = new Map<string, ValidateFunction>();
const MAX_VALIDATORS = 200;

/** @throws Error when the schema is none. */
export function compileSchema(schema: JsonObject): ValidateFunction {
  const text = JSON.stringify(schema);
  const known = validators.get(text);
  if (known) return known;
  // One instance a schema: two operations may use the same $id.
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
  addFormats.default(ajv);
  const validate = ajv.compile(schema);
  if (validators.size >= MAX_VALIDATORS) validators.clear();
  validators.set(text, validate);
  return validate;
}

/** Why a schema cannot be used; null: it can. Called when an operation is saved. */
export function faultOfSchema(schema: JsonObject): string | null {
  try {
    compileSchema(schema);
    return null;
  } catch (error) {
    return `is no JSON Schema that can be used: ${messageOf(error, 500)}`;
  }
}

/** Where in the value an error lies: `a.0.b`, or the missing property itself. */
export function pathOf(error: ErrorObject): string[] {
  const path = error.instancePath.split('/').slice(1);
  const missing: unknown = error.params['missingProperty'];
  return typeof missing === 'string' ? [...path, missing] : path;
}
