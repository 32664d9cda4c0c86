// A page of a list: one row more than asked for is read, so that the last page knows that it is the last. Used by all lists.
import type { ZodType } from 'zod';
import { encodeCursor, readCursor } from './contract/common';

export interface Paging {
  limit: number;
  cursor?: string | undefined;
}

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

export interface Wanted<Key> {
  after: Key | null;
  limit: number;
}

/** @param shape of the cursor: the sort values of the last row shown. @throws GantryError invalid for a cursor of no such shape. */
export async function paged<Key extends readonly [] | readonly (string | number)[], Row, Item>(
  query: Paging,
  shape: ZodType<Key>,
  read: (page: Wanted<Key>) => Promise<Row[]>,
  keyOf: (row: Row) => Key,
  present: (rows: Row[]) => Item[] | Promise<Item[]>,
): Promise<Page<Item>> {
  const rows = await read({ after: readCursor(query.cursor, shape), limit: query.limit + 1 });
  const shown = rows.slice(0, query.limit);
  const last = rows.length > query.limit ? shown.at(-1) : undefined;
  return { items: await present(shown), nextCursor: last === undefined ? null : encodeCursor(keyOf(last)) };
}
