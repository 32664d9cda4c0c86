// Operations: mass actions without code, one row each. Json columns are text; the secret is a sealed box and goes to no client.
import { sql, type Insertable } from 'kysely';
import type { Db, Tx } from '../database';
import type { Operation } from '../generated/database';

const COLUMNS = [
  'key',
  'title',
  'menu',
  'endpoint',
  'supportsDryRun',
  'supportsUndo',
  'adaptive',
  'needsApproval',
  'approval',
  'secretBox',
  'chunkSize',
  'concurrency',
  'ratePerSecond',
  'timeoutMs',
  'retry',
  'paramsSchema',
  'rowSchema',
  'roles',
  'createdAt',
  'updatedAt',
  'version',
] as const;

function selectOperations(db: Db) {
  return db.selectFrom('operation').select(COLUMNS);
}

export type OperationRow = Awaited<ReturnType<ReturnType<typeof selectOperations>['executeTakeFirstOrThrow']>>;

export type NewOperation = Omit<Insertable<Operation>, 'createdAt' | 'updatedAt' | 'version'>;

/** Null when the key is taken. */
export async function insertOperation(tx: Tx, operation: NewOperation): Promise<OperationRow | null> {
  const row = await tx
    .insertInto('operation')
    .values(operation)
    .onConflict((conflict) => conflict.column('key').doNothing())
    .returning(COLUMNS)
    .executeTakeFirst();
  return row ?? null;
}

export async function findOperation(db: Db, key: string): Promise<OperationRow | null> {
  return (await selectOperations(db).where('key', '=', key).executeTakeFirst()) ?? null;
}

/** By key, those after `after`; `limit` null: all of them, for the catalogue. */
export function listOperations(db: Db, page: { after: string | null; limit: number | null }): Promise<OperationRow[]> {
  return selectOperations(db)
    .orderBy('key')
    .$if(page.after !== null, (query) => query.where('key', '>', page.after ?? ''))
    .$if(page.limit !== null, (query) => query.limit(page.limit ?? 0))
    .execute();
}

/** Null when the version moved on (or the operation is gone). Undefined members stay as they are. */
export async function updateOperation(
  tx: Tx,
  key: string,
  version: number,
  change: Partial<Omit<NewOperation, 'key'>>,
): Promise<OperationRow | null> {
  const row = await tx
    .updateTable('operation')
    .set({ ...change, updatedAt: sql<Date>`gantry_now()`, version: sql<number>`version + 1` })
    .where('key', '=', key)
    .where('version', '=', version)
    .returning(COLUMNS)
    .executeTakeFirst();
  return row ?? null;
}

export async function deleteOperation(tx: Tx, key: string): Promise<boolean> {
  const result = await tx.deleteFrom('operation').where('key', '=', key).executeTakeFirst();
  return result.numDeletedRows === 1n;
}

/** Whether jobs of a kind still go on: an operation with such jobs cannot be deleted. */
export async function hasOpenJobs(db: Db, kind: string): Promise<boolean> {
  const row = await db
    .selectFrom('job')
    .select('id')
    .where('kind', '=', kind)
    .where('finishedAt', 'is', null)
    .where('deletedAt', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
