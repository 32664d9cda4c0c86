// Sign-in sessions, by the SHA-256 of the cookie's value, and the failures that slow a guesser down.
import { sql, type Kysely } from 'kysely';
import type { Db } from '../database';
import type { DB } from '../generated/database';

export interface SessionRow {
  data: string;
  userId: string | null;
  createdAt: Date;
}

/** Null when there is none, it is older than its limits, or its user was disabled. */
export async function findSession(db: Db, id: Buffer, absoluteMs: number): Promise<SessionRow | null> {
  const row = await db
    .selectFrom('session')
    .leftJoin('appUser', 'appUser.id', 'session.userId')
    .select(['session.data', 'session.userId', 'session.createdAt'])
    .where('session.id', '=', id)
    .where('appUser.disabledAt', 'is', null)
    .where(sql<boolean>`session.expires_at > gantry_now()`)
    .where(sql<boolean>`session.created_at > gantry_now() - ${absoluteMs}::float8 * interval '1 millisecond'`)
    .executeTakeFirst();
  return row ?? null;
}

export async function saveSession(
  db: Db,
  id: Buffer,
  userId: string | null,
  data: string,
  idleMs: number,
): Promise<void> {
  const expiresAt = sql<Date>`gantry_now() + ${idleMs}::float8 * interval '1 millisecond'`;
  await db
    .insertInto('session')
    .values({ id, userId, data, expiresAt })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ data, userId, expiresAt }))
    .execute();
}

/** Moves the idle limit, at most once in half a minute. */
export async function touchSession(db: Db, id: Buffer, idleMs: number): Promise<void> {
  const until = sql<Date>`gantry_now() + ${idleMs}::float8 * interval '1 millisecond'`;
  await db
    .updateTable('session')
    .set({ expiresAt: until })
    .where('id', '=', id)
    .where(sql<boolean>`expires_at < ${until} - interval '30 seconds'`)
    .execute();
}

export async function deleteSession(db: Db, id: Buffer): Promise<void> {
  await db.deleteFrom('session').where('id', '=', id).execute();
}

export async function deleteSessionsOf(db: Db, userId: string): Promise<void> {
  await db.deleteFrom('session').where('userId', '=', userId).execute();
}

export async function deleteExpiredSessions(db: Db): Promise<void> {
  await sql`delete from session where id in (select id from session where expires_at < gantry_now() limit 500)`.execute(
    db,
  );
  await sql`delete from sign_in_failure where id in (select id from sign_in_failure where at < gantry_now() - interval '1 day' limit 500)`.execute(
    db,
  );
}

export interface SignInLimits {
  perAccount: number;
  perAddress: number;
}

/**
 * Counts a try as failed before its password is looked at, so that guesses sent at the same moment count each other.
 * @returns false when the account or the address has had its failures of 15 minutes.
 */
export async function reserveSignIn(
  db: Kysely<DB>,
  account: string,
  address: string,
  limits: SignInLimits,
): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`sign-in ${account}`}, 0))`.execute(tx);
    const since = sql`gantry_now() - interval '15 minutes'`;
    const result = await sql`
      insert into sign_in_failure (account, address) select ${account}, ${address}
      where (select count(*) from sign_in_failure where account = ${account} and at > ${since}) < ${limits.perAccount}
        and (select count(*) from sign_in_failure where address = ${address} and at > ${since}) < ${limits.perAddress}`.execute(
      tx,
    );
    return result.numAffectedRows === 1n;
  });
}

export async function clearSignInFailures(db: Db, account: string): Promise<void> {
  await db.deleteFrom('signInFailure').where('account', '=', account).execute();
}
