// Pages by one rising or falling id, an integer or a UUID.
import { idCursor, uuidCursor } from '../../contract/common';
import { paged, type Page, type Paging, type Wanted } from '../../paged';

export function pagedById<Row, Item>(
  query: Paging,
  read: (page: Wanted<number>) => Promise<Row[]>,
  idOf: (row: Row) => number,
  present: (row: Row) => Item,
): Promise<Page<Item>> {
  return paged(
    query,
    idCursor,
    ({ after, limit }) => read({ after: after?.[0] ?? null, limit }),
    (row) => [idOf(row)],
    (rows) => rows.map(present),
  );
}

export function pagedByUuid<Row, Item>(
  query: Paging,
  read: (page: Wanted<string>) => Promise<Row[]>,
  idOf: (row: Row) => string,
  present: (row: Row) => Item,
): Promise<Page<Item>> {
  return paged(
    query,
    uuidCursor,
    ({ after, limit }) => read({ after: after?.[0] ?? null, limit }),
    (row) => [idOf(row)],
    (rows) => rows.map(present),
  );
}
