// Saved filters of the job list and the kinds that a user hides from it. Both are views: they never change a job.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';

export interface SavedFilterRow {
  id: string;
  userId: string;
  ownerName: string;
  name: string;
  /** JSON text: the parameters of GET /jobs. */
  filter: string;
  shared: boolean;
  createdAt: Date;
  version: number;
}

function selectFilters(db: Db) {
  return db
    .selectFrom('savedFilter')
    .innerJoin('appUser', 'appUser.id', 'savedFilter.userId')
    .select([
      'savedFilter.id',
      'savedFilter.userId',
      'appUser.name as ownerName',
      'savedFilter.name',
      'savedFilter.filter',
      'savedFilter.shared',
      'savedFilter.createdAt',
      'savedFilter.version',
    ]);
}

/** Own filters and those that are shared, newest first. */
export function listSavedFilters(
  db: Db,
  page: { userId: string; after: string | null; limit: number },
): Promise<SavedFilterRow[]> {
  return selectFilters(db)
    .where((where) => where.or([where('savedFilter.userId', '=', page.userId), where('savedFilter.shared', '=', true)]))
    .$if(page.after !== null, (query) => query.where('savedFilter.id', '<', page.after ?? ''))
    .orderBy('savedFilter.id', 'desc')
    .limit(page.limit)
    .execute();
}

/** As far as the user may see it. */
export async function findSavedFilter(db: Db, id: string, userId: string): Promise<SavedFilterRow | null> {
  const row = await selectFilters(db)
    .where('savedFilter.id', '=', id)
    .where((where) => where.or([where('savedFilter.userId', '=', userId), where('savedFilter.shared', '=', true)]))
    .executeTakeFirst();
  return row ?? null;
}

export interface SavedFilterValues {
  name: string;
  filter: string;
  shared: boolean;
}

/** False when the user has a filter of that name, large and small letters taken alike. */
export async function insertSavedFilter(
  tx: Tx,
  filter: SavedFilterValues & { id: string; userId: string },
): Promise<boolean> {
  const { rows } = await sql`
    insert into saved_filter (id, user_id, name, filter, shared)
    values (${filter.id}, ${filter.userId}, ${filter.name}, ${filter.filter}, ${filter.shared})
    on conflict (user_id, lower(name)) do nothing returning 1`.execute(tx);
  return rows.length === 1;
}

/** moved: the version is another one; taken: the user has another filter of that name. */
export async function updateSavedFilter(
  tx: Tx,
  id: string,
  version: number,
  change: Partial<SavedFilterValues>,
): Promise<'changed' | 'moved' | 'taken'> {
  const { name } = change;
  if (name !== undefined) {
    const { rows } = await sql`
      select 1 from saved_filter other join saved_filter mine on mine.user_id = other.user_id
      where mine.id = ${id} and other.id <> mine.id and lower(other.name) = lower(${name})`.execute(tx);
    if (rows.length > 0) return 'taken';
  }
  const result = await tx
    .updateTable('savedFilter')
    .set({ ...change, updatedAt: sql<Date>`gantry_now()`, version: sql<number>`version + 1` })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n ? 'changed' : 'moved';
}

export async function deleteSavedFilter(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('savedFilter').where('id', '=', id).execute();
}

export async function findHiddenKinds(db: Db, userId: string): Promise<string[]> {
  const row = await db.selectFrom('appUser').select('hiddenKinds').where('id', '=', userId).executeTakeFirst();
  return row?.hiddenKinds ?? [];
}

/** No new version of the account: nothing of it that others edit changes. */
export async function setHiddenKinds(tx: Tx, userId: string, kinds: string[]): Promise<void> {
  await tx.updateTable('appUser').set({ hiddenKinds: kinds }).where('id', '=', userId).execute();
}
