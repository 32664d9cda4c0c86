// Writes accounts in bulk for users.import, inside the chunk's transaction, ordered by e-mail so that chunks never deadlock.
import { sql } from 'kysely';
import type { Tx } from '../database';
import type { UserRole } from '../generated/database';

export interface ImportedAccount {
  id: string;
  email: string;
  name: string;
  role: UserRole;
}

/** @returns those that are new; the others exist. */
export async function insertAccounts(tx: Tx, accounts: ImportedAccount[]): Promise<ImportedAccount[]> {
  const { rows } = await sql<ImportedAccount>`
    insert into app_user (id, email, name, role)
    select id, email, name, role::user_role
    from unnest(${accounts.map((a) => a.id)}::uuid[], ${accounts.map((a) => a.email)}::text[],
      ${accounts.map((a) => a.name)}::text[], ${accounts.map((a) => a.role)}::text[]) as given(id, email, name, role)
    order by email
    on conflict (email) do nothing
    returning id, email, name, role`.execute(tx);
  return rows;
}

export async function lockAccounts(tx: Tx, emails: string[]): Promise<ImportedAccount[]> {
  if (emails.length === 0) return [];
  return tx
    .selectFrom('appUser')
    .select(['id', 'email', 'name', 'role'])
    .where('email', 'in', emails)
    .orderBy('email')
    .forUpdate()
    .execute();
}

export async function updateAccounts(tx: Tx, accounts: ImportedAccount[]): Promise<void> {
  if (accounts.length === 0) return;
  await sql`
    update app_user set name = given.name, role = given.role::user_role, updated_at = gantry_now(), version = version + 1
    from unnest(${accounts.map((a) => a.id)}::uuid[], ${accounts.map((a) => a.name)}::text[],
      ${accounts.map((a) => a.role)}::text[]) as given(id, name, role)
    where app_user.id = given.id`.execute(tx);
}
