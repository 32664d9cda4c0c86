// The first superadmin: made once, by whichever process comes first, with no password that anybody could know beforehand.
import { removeToken } from '../../src/api/auth/accounts';
import { bootstrapAdmin } from '../../src/api/auth/bootstrapAdmin';
import { checkPassword } from '../../src/api/auth/passwords';
import type { Database } from '../../src/db/database';
import { findUserOfToken, listTokens } from '../../src/db/queries/tokens';
import { findPassword, listUsers } from '../../src/db/queries/users';
import { SYSTEM_ACTOR } from '../../src/jobs/actor';
import { hashSecret } from '../../src/lib/ids';
import { createTestDatabase, openTestDatabase } from '../support/database';

let scratch: Awaited<ReturnType<typeof createTestDatabase>>;
let database: Database;
beforeEach(async () => {
  scratch = await createTestDatabase();
  database = openTestDatabase(scratch.url);
}, 30_000);
afterEach(async () => {
  await database.close();
  await scratch.drop();
});

const NOTHING = { email: undefined, password: undefined, token: undefined };
const TOKEN = 'a-token-of-more-than-thirty-two-characters';
const given = { email: 'Boss@example.org', password: 'a long enough password', token: TOKEN };
const superadmin = { ...SYSTEM_ACTOR, role: 'superadmin' as const };
const isPassword = async (email: string, password: string): Promise<boolean> =>
  checkPassword((await findPassword(database.kysely, email))?.passwordHash ?? null, password);

it('has a random password that is told once', async () => {
  const db = database.kysely;
  const made = await bootstrapAdmin(db, NOTHING);
  expect(made?.password).toMatch(/^[\w-]{20}$/);
  expect(await isPassword(made?.email ?? '', made?.password ?? '')).toBe(true);
  expect(await bootstrapAdmin(db, NOTHING)).toBeNull();
  const stored = await db.selectFrom('appUser').selectAll().execute();
  expect(JSON.stringify(stored)).not.toContain(made?.password);
});

it('is the one that was asked for, with its token, and is not told', async () => {
  const db = database.kysely;
  expect(await bootstrapAdmin(db, given)).toEqual({ email: given.email, password: null });
  expect(await isPassword('boss@example.org', given.password)).toBe(true);
  expect(await findUserOfToken(db, hashSecret(TOKEN))).toMatchObject({ email: 'boss@example.org', role: 'superadmin' });
  expect(await bootstrapAdmin(db, { ...given, password: 'another password' })).toBeNull();
  expect(await isPassword('boss@example.org', given.password)).toBe(true);
  expect(await listTokens(db, { userId: null, after: null, limit: 10 })).toHaveLength(1);
});

it('is made once when processes start at the same moment', async () => {
  const db = database.kysely;
  const made = await Promise.all(Array.from({ length: 5 }, () => bootstrapAdmin(db, given)));
  expect(made.filter(Boolean)).toHaveLength(1);
  expect(await listUsers(db, { after: null, limit: 10 })).toHaveLength(1);
  expect(await listTokens(db, { userId: null, after: null, limit: 10 })).toHaveLength(1);
});

it('does not get a token back that was deleted', async () => {
  const db = database.kysely;
  await bootstrapAdmin(db, given);
  const [token] = await listTokens(db, { userId: null, after: null, limit: 10 });
  await removeToken(db, superadmin, token?.id ?? '');
  await bootstrapAdmin(db, given);
  expect(await findUserOfToken(db, hashSecret(TOKEN))).toBeNull();
  await bootstrapAdmin(db, { ...given, token: `${TOKEN}-and-a-new-one` });
  expect(await findUserOfToken(db, hashSecret(`${TOKEN}-and-a-new-one`))).not.toBeNull();
});
