// The first superadmin, made when there is none: from ADMIN_EMAIL and ADMIN_PASSWORD, else with a random password told once.
import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Config } from '../../config/config';
import type { DB } from '../../db/generated/database';
import { countSuperadmins, findUserByEmail } from '../../db/queries/users';
import { findUserOfToken, wasTokenDeleted } from '../../db/queries/tokens';
import { SYSTEM_ACTOR } from '../../jobs/actor';
import { GantryError } from '../../lib/errors';
import { hashSecret } from '../../lib/ids';
import { createToken, createUser } from './accounts';

export interface FirstAdmin {
  email: string;
  /** Null when it was given by ADMIN_PASSWORD. */
  password: string | null;
}

const DEFAULT_EMAIL = 'admin@gantry.local';

/** @returns the account to be told to the operator, or null when there was a superadmin already. */
export async function bootstrapAdmin(db: Kysely<DB>, admin: Config['admin']): Promise<FirstAdmin | null> {
  const made = (await countSuperadmins(db)) === 0 ? await makeAdmin(db, admin) : null;
  const email = admin.email ?? made?.email;
  if (admin.token && email) await giveToken(db, email, admin.token);
  return made;
}

async function makeAdmin(db: Kysely<DB>, admin: Config['admin']): Promise<FirstAdmin | null> {
  const email = admin.email ?? DEFAULT_EMAIL;
  const password = admin.password ?? randomBytes(15).toString('base64url');
  try {
    await createUser(db, SYSTEM_ACTOR, { email, name: 'Administrator', role: 'superadmin', password });
  } catch (error) {
    // Another process that starts at this moment was first.
    if (error instanceof GantryError && error.code === 'already_exists') return null;
    throw error;
  }
  return { email, password: admin.password === undefined ? password : null };
}

async function giveToken(db: Kysely<DB>, email: string, token: string): Promise<void> {
  const hash = hashSecret(token);
  // Who deleted it meant it: it does not come back with the next start, though the variable may still be set.
  if ((await findUserOfToken(db, hash)) || (await wasTokenDeleted(db, hash))) return;
  const user = await findUserByEmail(db, email);
  if (!user || user.role !== 'superadmin') return;
  await createToken(db, SYSTEM_ACTOR, { userId: user.id, name: 'ADMIN_TOKEN', expiresAt: null }, token).catch(
    (error: { code?: string }) => {
      // Made by another process meanwhile.
      if (error.code !== '23505') throw error;
    },
  );
}
