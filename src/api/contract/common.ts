// Pieces that many endpoints share: ids, pages, times.
import { z, type ZodType } from 'zod';
import { invalid } from '../../lib/errors';

export const uuid = z.uuid();
export const instant = z.iso.datetime();
export const jsonObject = z.record(z.string(), z.unknown());

/** Every list takes these two. */
export const paging = {
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().min(1).max(500).optional(),
};

export function page<T extends ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** Cursors are opaque to clients; ours are the sort values of the last item. */
export function encodeCursor(values: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** @returns null without a cursor. @throws GantryError invalid when it is none that a list of this shape gave out. */
export function readCursor<T extends ZodType>(cursor: string | undefined, shape: T): z.infer<T> | null {
  if (cursor === undefined) return null;
  const parsed = shape.safeParse(jsonOf(Buffer.from(cursor, 'base64url').toString('utf8')));
  if (parsed.success) return parsed.data;
  throw invalid([{ path: 'cursor', message: 'is no cursor of this list; leave it out to begin at the start' }]);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const INTEGER_MAX = 2_147_483_647;
/** Cursors of lists by one value: an integer column, a bigint column, a UUID. */
export const idCursor = z.tuple([z.int().min(0).max(INTEGER_MAX)]);
export const numberCursor = z.tuple([z.int().min(0)]);
export const uuidCursor = z.tuple([uuid]);

/** The number of a run in an address, as large as its column. */
export const runNumber = z.coerce.number().int().min(1).max(INTEGER_MAX);
