// Accounts and tokens as clients see them; never a hash.
import type { z } from 'zod';
import type { TokenRow } from '../../db/queries/tokens';
import type { UserRow } from '../../db/queries/users';
import type { Scope } from '../contract/scopes';
import type { meDoc, tokenDoc, userDoc } from '../contract/people';

type UserDoc = z.infer<typeof userDoc>;

export function presentUser(row: UserRow): UserDoc {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    role: row.role,
    language: row.language,
    timeZone: row.timeZone,
    noticePreference: row.noticePreference as UserDoc['noticePreference'],
    alerts: row.alerts,
    disabled: row.disabledAt !== null,
    createdAt: row.createdAt.toISOString(),
    version: row.version,
  };
}

export function presentMe(row: UserRow): z.infer<typeof meDoc> {
  const isSuperadmin = row.role === 'superadmin';
  return {
    ...presentUser(row),
    may: {
      listJobs: row.role !== 'user',
      seeAllJobs: isSuperadmin,
      steerAllJobs: isSuperadmin,
      administer: isSuperadmin,
    },
  };
}

export function presentToken(row: TokenRow): z.infer<typeof tokenDoc> {
  return {
    id: row.id,
    userId: row.userId,
    name: row.name,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    scopes: row.scopes as Scope[] | null,
  };
}
