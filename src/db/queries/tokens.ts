// API tokens. Stored as SHA-256: the token itself is shown once, at its making.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { UserRow } from './users';

export interface TokenRow {
  id: string;
  userId: string;
  name: string;
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
  /** Null: all that its user may do. */
  scopes: string[] | null;
}

const COLUMNS = ['id', 'userId', 'name', 'createdAt', 'expiresAt', 'lastUsedAt', 'scopes'] as const;

export async function insertToken(
  tx: Tx,
  token: {
    id: string;
    userId: string;
    name: string;
    tokenHash: Buffer;
    expiresAt: Date | null;
    scopes: string[] | null;
  },
): Promise<TokenRow> {
  return tx.insertInto('apiToken').values(token).returning(COLUMNS).executeTakeFirstOrThrow();
}

/** The user of a token that has not expired and whose account is open. */
export async function findUserOfToken(
  db: Db,
  tokenHash: Buffer,
): Promise<(UserRow & { tokenId: string; scopes: string[] | null }) | null> {
  const row = await db
    .selectFrom('apiToken')
    .innerJoin('appUser', 'appUser.id', 'apiToken.userId')
    .select([
      'apiToken.id as tokenId',
      'apiToken.scopes',
      'appUser.id',
      'appUser.email',
      'appUser.name',
      'appUser.role',
      'appUser.language',
      'appUser.timeZone',
      'appUser.noticePreference',
      'appUser.alerts',
      'appUser.disabledAt',
      'appUser.createdAt',
      'appUser.version',
    ])
    .where('apiToken.tokenHash', '=', tokenHash)
    .where('appUser.disabledAt', 'is', null)
    .where(sql<boolean>`(api_token.expires_at is null or api_token.expires_at > gantry_now())`)
    .executeTakeFirst();
  return row ?? null;
}

/** Noted once a minute at most: a write for each call would cost more than it tells. */
export async function markTokenUsed(db: Db, id: string): Promise<void> {
  await db
    .updateTable('apiToken')
    .set({ lastUsedAt: sql<Date>`gantry_now()` })
    .where('id', '=', id)
    .where(sql<boolean>`(last_used_at is null or last_used_at < gantry_now() - interval '1 minute')`)
    .execute();
}

/** Newest first: ids grow with time. `userId` null: everybody's. */
export function listTokens(
  db: Db,
  page: { userId: string | null; after: string | null; limit: number },
): Promise<TokenRow[]> {
  const { after, userId } = page;
  return db
    .selectFrom('apiToken')
    .select(COLUMNS)
    .$if(userId !== null, (query) => query.where('userId', '=', userId ?? ''))
    .$if(after !== null, (query) => query.where('id', '<', after ?? ''))
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute();
}

/** `userId` null: whosever it is. */
export async function deleteToken(
  tx: Tx,
  id: string,
  userId: string | null,
): Promise<(TokenRow & { tokenHash: Buffer }) | null> {
  const row = await tx
    .deleteFrom('apiToken')
    .where('id', '=', id)
    .$if(userId !== null, (query) => query.where('userId', '=', userId ?? ''))
    .returning([...COLUMNS, 'tokenHash'])
    .executeTakeFirst();
  return row ?? null;
}

/** Part of a token's hash: enough to know it again, too little to find it by. */
export function fingerprintOf(tokenHash: Buffer): string {
  return tokenHash.subarray(0, 8).toString('hex');
}

/** Whether somebody deleted this very token, as the audit tells. */
export async function wasTokenDeleted(db: Db, tokenHash: Buffer): Promise<boolean> {
  const { rows } = await sql`
    select 1 from audit where action = 'token.delete' and before ->> 'fingerprint' = ${fingerprintOf(tokenHash)} limit 1`.execute(
    db,
  );
  return rows.length > 0;
}
