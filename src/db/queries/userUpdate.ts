// Changes many accounts at once for users.update and users.deactivate, inside the chunk's transaction. Accounts are locked by
// e-mail, after the superadmins, so that chunks never wait for each other in a circle.
import { sql } from 'kysely';
import type { Tx } from '../database';
import type { UserRole } from '../generated/database';

export interface Account {
  id: string;
  email: string;
  name: string;
  role: UserRole;
  language: string;
  timeZone: string;
  disabled: boolean;
}

export async function lockAccountsByEmail(tx: Tx, emails: string[]): Promise<Account[]> {
  const { rows } = await sql<Account>`
    select id, email, name, role, language, time_zone, disabled_at is not null as disabled
    from app_user where email = any(${emails}::text[]) order by email for update`.execute(tx);
  return rows;
}

export async function saveAccounts(tx: Tx, accounts: Account[]): Promise<void> {
  if (accounts.length === 0) return;
  await sql`
    update app_user set name = given.name, role = given.role::user_role, language = given.language, time_zone = given.time_zone,
      disabled_at = case when given.disabled then coalesce(app_user.disabled_at, gantry_now()) end,
      updated_at = gantry_now(), version = version + 1
    from unnest(${accounts.map((a) => a.id)}::uuid[], ${accounts.map((a) => a.name)}::text[], ${accounts.map((a) => a.role)}::text[],
      ${accounts.map((a) => a.language)}::text[], ${accounts.map((a) => a.timeZone)}::text[],
      ${accounts.map((a) => a.disabled)}::boolean[]) as given(id, name, role, language, time_zone, disabled)
    where app_user.id = given.id`.execute(tx);
}

export async function endSessionsOf(tx: Tx, userIds: string[]): Promise<void> {
  if (userIds.length > 0) await tx.deleteFrom('session').where('userId', 'in', userIds).execute();
}
