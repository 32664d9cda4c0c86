// Signing in: throttled per account and address, in the same time for known and unknown accounts, with a fresh session id.
import type { Request } from 'express';
import {
  clearSignInFailures,
  countSignInFailures,
  deleteExpiredSessions,
  insertSignInFailure,
} from '../../db/queries/sessions';
import { findPassword, findUser, type UserRow } from '../../db/queries/users';
import { GantryError } from '../../lib/errors';
import type { ApiDeps } from '../apiDeps';
import { checkPassword } from './passwords';

/** In 15 minutes (api.md; ASVS 6.3.1). */
const FAILURES_PER_ACCOUNT = 10;
const FAILURES_PER_ADDRESS = 100;

export async function signIn(deps: ApiDeps, request: Request, email: string, password: string): Promise<UserRow> {
  const { db } = deps;
  const account = email.trim().toLowerCase();
  const address = request.ip ?? '';
  const failures = await countSignInFailures(db, account, address);
  if (failures.account >= FAILURES_PER_ACCOUNT || failures.address >= FAILURES_PER_ADDRESS) {
    throw new GantryError(
      'too_many_requests',
      'Too many failed sign-ins. Try again in 15 minutes; tokens and open sessions go on working.',
      { retryAfterSeconds: 900 },
    );
  }
  const found = await findPassword(db, account);
  const isRight = await checkPassword(found?.passwordHash ?? null, password);
  const user = isRight && found ? await findUser(db, found.id) : null;
  if (!user) {
    await insertSignInFailure(db, account, address);
    throw new GantryError('bad_credentials', 'E-mail and password do not belong together, or the account is closed.');
  }
  await clearSignInFailures(db, account);
  await newSession(request, user.id);
  await deleteExpiredSessions(db);
  return user;
}

/** A session id that was there before the sign-in is worth nothing after it. */
export function newSession(request: Request, userId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request.session.regenerate((error: unknown) => {
      if (error) return reject(error as Error);
      request.session.userId = userId;
      request.session.save((fault: unknown) => (fault ? reject(fault as Error) : resolve()));
    });
  });
}

export function endSession(request: Request): Promise<void> {
  return new Promise((resolve, reject) =>
    request.session.destroy((error: unknown) => (error ? reject(error as Error) : resolve())),
  );
}
