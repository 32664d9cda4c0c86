// Pages by one rising or falling id: one row more than asked for is read, so that the last page knows that it is the last.
import { decodeCursor, encodeCursor } from '../../contract/common';
import { invalid } from '../../../lib/errors';
import { isUuid } from '../../../lib/ids';

interface Paging {
  limit: number;
  cursor?: string | undefined;
}

interface Paged<Item> {
  items: Item[];
  nextCursor: string | null;
}

interface Wanted<Key> {
  after: Key | null;
  limit: number;
}

export function pagedById<Row, Item>(
  query: Paging,
  read: (page: Wanted<number>) => Promise<Row[]>,
  idOf: (row: Row) => number,
  present: (row: Row) => Item,
): Promise<Paged<Item>> {
  return paged(query, (value): value is number => Number.isSafeInteger(value), read, idOf, present);
}

export function pagedByUuid<Row, Item>(
  query: Paging,
  read: (page: Wanted<string>) => Promise<Row[]>,
  idOf: (row: Row) => string,
  present: (row: Row) => Item,
): Promise<Paged<Item>> {
  return paged(query, (value): value is string => typeof value === 'string' && isUuid(value), read, idOf, present);
}

async function paged<Key, Row, Item>(
  query: Paging,
  isKey: (value: unknown) => value is Key,
  read: (page: Wanted<Key>) => Promise<Row[]>,
  keyOf: (row: Row) => Key,
  present: (row: Row) => Item,
): Promise<Paged<Item>> {
  const given = decodeCursor(query.cursor, 1)?.[0];
  const after = isKey(given) ? given : null;
  if (query.cursor !== undefined && after === null) {
    throw invalid([{ path: 'cursor', message: 'is no cursor of this list' }]);
  }
  const rows = await read({ after, limit: query.limit + 1 });
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1);
  return {
    items: shown.map(present),
    nextCursor: rows.length > query.limit && last !== undefined ? encodeCursor([keyOf(last)]) : null,
  };
}
