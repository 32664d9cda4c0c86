// Addresses: whether one is a user's own, who reads there and in which language, and those that a mail server refused for good.
// Called by the commands that set a notice, by finishRun, and by the notice sender.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';

export async function isUserAddress(db: Db, email: string): Promise<boolean> {
  const row = await db.selectFrom('appUser').select('id').where('email', '=', email.toLowerCase()).executeTakeFirst();
  return row !== undefined;
}

export interface Recipient {
  /** How the owner wants to be told; somebody without an account any more is told as if he never chose. */
  preference: string;
  /** The owner's address now; null without an account. */
  ownerEmail: string | null;
  readerId: string | null;
  reader: { name: string; language: string; timeZone: string };
}

/** Who reads a notice: the owner, the user of the address that was named, or nobody by name, in the owner's language. */
export async function findRecipient(tx: Tx, ownerId: string, notifyTo: string | null): Promise<Recipient> {
  const to = notifyTo?.toLowerCase() ?? null;
  const users = await tx
    .selectFrom('appUser')
    .select(['id', 'email', 'name', 'language', 'timeZone', 'noticePreference'])
    .where((eb) => eb.or([eb('id', '=', ownerId), ...(to === null ? [] : [eb('email', '=', to)])]))
    .execute();
  const owner = users.find((user) => user.id === ownerId);
  const reader = to === null ? owner : users.find((user) => user.email === to);
  const { language, timeZone } = reader ?? owner ?? { language: 'en', timeZone: 'UTC' };
  return {
    preference: owner?.noticePreference ?? 'always',
    ownerEmail: owner?.email ?? null,
    readerId: reader?.id ?? null,
    reader: { name: reader?.name ?? '', language, timeZone },
  };
}

/** Superadmins who want to be told of what is wrong with the installation. */
export function listAlertReaders(
  tx: Tx,
): Promise<{ email: string; name: string; language: string; timeZone: string }[]> {
  return tx
    .selectFrom('appUser')
    .select(['email', 'name', 'language', 'timeZone'])
    .where('role', '=', 'superadmin')
    .where('disabledAt', 'is', null)
    .where('alerts', '=', true)
    .orderBy('id')
    .execute();
}

export async function suppressAddress(db: Db, address: string, reason: string): Promise<void> {
  await db
    .insertInto('mailSuppression')
    .values({ address: address.toLowerCase(), reason })
    .onConflict((conflict) => conflict.column('address').doNothing())
    .execute();
}

export async function isSuppressed(db: Db, address: string): Promise<boolean> {
  const row = await db
    .selectFrom('mailSuppression')
    .select('address')
    .where('address', '=', address.toLowerCase())
    .executeTakeFirst();
  return row !== undefined;
}

export interface SuppressionRow {
  address: string;
  reason: string;
  since: Date;
}

/** By address, those after `after`. */
export function listSuppressions(db: Db, page: { after: string | null; limit: number }): Promise<SuppressionRow[]> {
  return db
    .selectFrom('mailSuppression')
    .select(['address', 'reason', 'since'])
    .$if(page.after !== null, (query) => query.where('address', '>', page.after ?? ''))
    .orderBy('address')
    .limit(page.limit)
    .execute();
}

/** Null when the address is not suppressed. */
export async function liftSuppression(tx: Tx, address: string): Promise<SuppressionRow | null> {
  const { rows } = await sql<SuppressionRow>`
    delete from mail_suppression where address = ${address.toLowerCase()} returning address, reason, since`.execute(tx);
  return rows[0] ?? null;
}
