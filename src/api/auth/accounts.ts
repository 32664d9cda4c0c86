// Making and changing accounts and tokens, audited. Called by the routes of users and tokens, the command line and the bootstrap.
import type { Kysely } from 'kysely';
import { insertAudit } from '../../db/queries/audit';
import { deleteSessionsOf } from '../../db/queries/sessions';
import { deleteToken, fingerprintOf, insertToken, type TokenRow } from '../../db/queries/tokens';
import {
  countSuperadmins,
  deleteUser,
  findUser,
  insertUser,
  lockSuperadmins,
  updateUser,
  type UserChange,
  type UserRow,
} from '../../db/queries/users';
import type { DB, UserRole } from '../../db/generated/database';
import type { Actor } from '../../jobs/actor';
import { GantryError, notFound } from '../../lib/errors';
import { hashSecret, newId, newSecret } from '../../lib/ids';
import { hashPassword } from './passwords';

export interface NewAccount {
  email: string;
  name: string;
  role: UserRole;
  password?: string;
}

/** Without a password the account can only be used by tokens. @throws GantryError already_exists. */
export async function createUser(db: Kysely<DB>, actor: Actor, account: NewAccount): Promise<UserRow> {
  const { email, name, role } = account;
  const passwordHash = account.password === undefined ? null : await hashPassword(account.password);
  return db.transaction().execute(async (tx) => {
    const user = await insertUser(tx, { id: newId(), email, name, role, passwordHash });
    if (!user) throw new GantryError('already_exists', `There is an account of ${email} already; nothing was changed.`);
    await insertAudit(tx, {
      actor,
      action: 'user.create',
      subjectType: 'user',
      subjectId: user.id,
      after: { email: user.email, name, role },
    });
    return user;
  });
}

export interface AccountChange {
  name?: string;
  role?: UserRole;
  language?: string;
  timeZone?: string;
  noticePreference?: string;
  alerts?: boolean;
  password?: string;
  disabled?: boolean;
}

/** A new password, role or a closed account ends the user's sessions at once. @throws GantryError version_moved, in_use. */
export async function changeUser(
  db: Kysely<DB>,
  actor: Actor,
  id: string,
  version: number,
  input: AccountChange,
): Promise<UserRow> {
  const { password, ...plain } = input;
  const change: UserChange = { ...plain };
  if (password !== undefined) change.passwordHash = await hashPassword(password);
  return db.transaction().execute(async (tx) => {
    await lockSuperadmins(tx);
    const before = await findUser(tx, id);
    if (!before) throw notFound('user');
    const after = await updateUser(tx, id, version, change);
    if (!after)
      throw new GantryError(
        'version_moved',
        'Somebody changed this account meanwhile; nothing of yours was stored. Read it again and repeat the change.',
      );
    if ((await countSuperadmins(tx)) === 0)
      throw new GantryError('in_use', 'This is the last superadmin; nothing was changed. Make another one first.');
    if (password !== undefined || input.disabled || (input.role !== undefined && input.role !== before.role))
      await deleteSessionsOf(tx, id);
    await insertAudit(tx, {
      actor,
      action: 'user.change',
      subjectType: 'user',
      subjectId: id,
      before: shown(before),
      after: { ...shown(after), ...(password === undefined ? {} : { password: 'changed' }) },
    });
    return after;
  });
}

/** The user's jobs stay, under the name they had. */
export async function removeUser(db: Kysely<DB>, actor: Actor, id: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lockSuperadmins(tx);
    const before = await findUser(tx, id);
    if (!before || !(await deleteUser(tx, id))) throw notFound('user');
    if ((await countSuperadmins(tx)) === 0)
      throw new GantryError('in_use', 'This is the last superadmin; nothing was changed. Make another one first.');
    await insertAudit(tx, { actor, action: 'user.delete', subjectType: 'user', subjectId: id, before: shown(before) });
  });
}

function shown(user: UserRow): object {
  return { email: user.email, name: user.name, role: user.role, disabled: user.disabledAt !== null };
}

/** @param given a token that was chosen outside (ADMIN_TOKEN); default: a new one. */
export async function createToken(
  db: Kysely<DB>,
  actor: Actor,
  input: { userId: string; name: string; expiresAt: Date | null; scopes?: string[] | null },
  given?: string,
): Promise<{ row: TokenRow; token: string }> {
  const token = given ?? newSecret('gantry');
  const row = await db.transaction().execute(async (tx) => {
    if (!(await findUser(tx, input.userId))) throw notFound('user');
    const made = await insertToken(tx, {
      id: newId(),
      tokenHash: hashSecret(token),
      ...input,
      scopes: input.scopes ?? null,
    });
    await insertAudit(tx, {
      actor,
      action: 'token.create',
      subjectType: 'token',
      subjectId: made.id,
      after: { name: input.name, userId: input.userId, scopes: made.scopes, expiresAt: made.expiresAt },
    });
    return made;
  });
  return { row, token };
}

/** Own tokens, or anybody's for a superadmin; foreign ones are not there for others. */
export async function removeToken(db: Kysely<DB>, actor: Actor, id: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const removed = await deleteToken(tx, id, actor.role === 'superadmin' ? null : actor.id);
    if (!removed) throw notFound('token');
    await insertAudit(tx, {
      actor,
      action: 'token.delete',
      subjectType: 'token',
      subjectId: id,
      before: { name: removed.name, userId: removed.userId, fingerprint: fingerprintOf(removed.tokenHash) },
    });
  });
}
