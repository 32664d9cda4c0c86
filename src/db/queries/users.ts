// People: accounts by e-mail, newest first. Passwords are hashes and leave this room for the sign-in only.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { UserRole } from '../generated/database';

const COLUMNS = [
  'id',
  'email',
  'name',
  'role',
  'language',
  'timeZone',
  'noticePreference',
  'alerts',
  'disabledAt',
  'createdAt',
  'version',
] as const;

function selectUsers(db: Db) {
  return db.selectFrom('appUser').select(COLUMNS);
}

export type UserRow = Awaited<ReturnType<ReturnType<typeof selectUsers>['executeTakeFirstOrThrow']>>;

export interface NewUser {
  id: string;
  email: string;
  name: string;
  role: UserRole;
  passwordHash: string | null;
}

/** Null when the e-mail is taken. */
export async function insertUser(tx: Tx, user: NewUser): Promise<UserRow | null> {
  const row = await tx
    .insertInto('appUser')
    .values({ ...user, email: user.email.toLowerCase() })
    .onConflict((conflict) => conflict.column('email').doNothing())
    .returning(COLUMNS)
    .executeTakeFirst();
  return row ?? null;
}

export async function findUser(db: Db, id: string): Promise<UserRow | null> {
  return (await selectUsers(db).where('id', '=', id).executeTakeFirst()) ?? null;
}

export async function findUserByEmail(db: Db, email: string): Promise<UserRow | null> {
  return (await selectUsers(db).where('email', '=', email.toLowerCase()).executeTakeFirst()) ?? null;
}

export async function findPassword(db: Db, email: string): Promise<{ id: string; passwordHash: string | null } | null> {
  const row = await db
    .selectFrom('appUser')
    .select(['id', 'passwordHash'])
    .where('email', '=', email.toLowerCase())
    .where('disabledAt', 'is', null)
    .executeTakeFirst();
  return row ?? null;
}

/** The same password under another hash; nothing when it was changed meanwhile. */
export async function replacePasswordHash(db: Db, id: string, from: string, to: string): Promise<void> {
  await db
    .updateTable('appUser')
    .set({ passwordHash: to })
    .where('id', '=', id)
    .where('passwordHash', '=', from)
    .execute();
}

/** Ids grow with time. */
export function listUsers(db: Db, page: { after: string | null; limit: number }): Promise<UserRow[]> {
  const { after } = page;
  return selectUsers(db)
    .$if(after !== null, (query) => query.where('id', '<', after ?? ''))
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute();
}

export interface UserChange {
  name?: string;
  role?: UserRole;
  language?: string;
  timeZone?: string;
  noticePreference?: string;
  alerts?: boolean;
  passwordHash?: string;
  disabled?: boolean;
}

/** Null when the version moved on. */
export async function updateUser(tx: Tx, id: string, version: number, change: UserChange): Promise<UserRow | null> {
  const { disabled, ...plain } = change;
  const disabledAt = disabled ? sql<Date>`coalesce(disabled_at, gantry_now())` : null;
  const row = await tx
    .updateTable('appUser')
    .set({
      ...plain,
      ...(disabled === undefined ? {} : { disabledAt }),
      updatedAt: sql<Date>`gantry_now()`,
      version: sql<number>`version + 1`,
    })
    .where('id', '=', id)
    .where('version', '=', version)
    .returning(COLUMNS)
    .executeTakeFirst();
  return row ?? null;
}

export async function deleteUser(tx: Tx, id: string): Promise<boolean> {
  const result = await tx.deleteFrom('appUser').where('id', '=', id).executeTakeFirst();
  return result.numDeletedRows === 1n;
}

/** Holds them until the transaction ends, so that of two that take each other away one is told. */
export async function lockSuperadmins(tx: Tx): Promise<void> {
  await tx
    .selectFrom('appUser')
    .select('id')
    .where('role', '=', 'superadmin')
    .where('disabledAt', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute();
}

export async function countSuperadmins(db: Db): Promise<number> {
  const row = await db
    .selectFrom('appUser')
    .select(sql<number>`count(*)`.as('count'))
    .where('role', '=', 'superadmin')
    .where('disabledAt', 'is', null)
    .executeTakeFirstOrThrow();
  return row.count;
}
