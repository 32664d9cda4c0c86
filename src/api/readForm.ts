// Reads the small form of a page that works without script (application/x-www-form-urlencoded): bounded, and checked like JSON.
import type { Request } from 'express';
import type { z, ZodType } from 'zod';
import { findBadText } from '../jobs/badText';
import { GantryError, invalid } from '../lib/errors';

/** The longest reason with every character percent-encoded. */
const MAX_BYTES = 64 * 1024;

/** @throws GantryError wrong_type, too_large, invalid. */
export async function readForm<T extends ZodType>(request: Request, shape: T): Promise<z.infer<T>> {
  if (!request.is('application/x-www-form-urlencoded')) {
    throw new GantryError('wrong_type', 'This call takes a form: Content-Type: application/x-www-form-urlencoded.');
  }
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BYTES) throw new GantryError('too_large', 'The form is too long. Nothing was changed.');
    parts.push(part);
  }
  const given = Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString('utf8')));
  const parsed = shape.safeParse(given);
  if (!parsed.success) {
    throw invalid(parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })));
  }
  const badText = findBadText(parsed.data, 'form');
  if (badText !== null) throw invalid([{ path: badText, message: 'holds U+0000 or half of a surrogate pair' }]);
  return parsed.data;
}
