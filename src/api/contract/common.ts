// Pieces that many endpoints share: ids, pages, times.
import { z, type ZodType } from 'zod';

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
export function encodeCursor(values: unknown[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** Null when the text is no cursor of ours: the caller answers 422. */
export function decodeCursor(cursor: string | undefined, length: number): (string | number)[] | null {
  if (cursor === undefined) return null;
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const isOurs =
      Array.isArray(values) &&
      values.length === length &&
      values.every((value) => typeof value === 'string' || typeof value === 'number');
    return isOurs ? (values as (string | number)[]) : null;
  } catch {
    return null;
  }
}
