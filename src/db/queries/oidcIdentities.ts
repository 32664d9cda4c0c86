// Whom a provider calls by which subject. One account has one subject of a provider: an address that went to somebody else
// does not hand over the account.
import type { Db, Tx } from '../database';

export async function findUserIdOfIdentity(db: Db, issuer: string, subject: string): Promise<string | null> {
  const row = await db
    .selectFrom('oidcIdentity')
    .select('userId')
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return row?.userId ?? null;
}

/** False when the account belongs to another subject of this provider, or the subject to another account. */
export async function insertIdentity(tx: Tx, issuer: string, subject: string, userId: string): Promise<boolean> {
  // The account's lock: two subjects with one address at the same moment pass one after the other.
  await tx.selectFrom('appUser').select('id').where('id', '=', userId).forUpdate().execute();
  const other = await tx
    .selectFrom('oidcIdentity')
    .select('subject')
    .where('issuer', '=', issuer)
    .where('userId', '=', userId)
    .executeTakeFirst();
  if (other) return other.subject === subject;
  const result = await tx
    .insertInto('oidcIdentity')
    .values({ issuer, subject, userId })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}
