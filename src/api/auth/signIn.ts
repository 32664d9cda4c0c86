// Signing in: throttled per account and address, in the same time for known and unknown accounts, with a fresh session id.
import type { Request } from 'express';
import { insertAudit } from '../../db/queries/audit';
import { clearSignInFailures, deleteExpiredSessions, reserveSignIn } from '../../db/queries/sessions';
import { findPassword, findUser, replacePasswordHash, type UserRow } from '../../db/queries/users';
import { GantryError } from '../../lib/errors';
import type { ApiDeps } from '../apiDeps';
import { checkPassword, hashPassword, isOutdated } from './passwords';

/** Failures in 15 minutes (api.md; ASVS 6.3.1). */
const LIMITS = { perAccount: 10, perAddress: 100 };

export async function signIn(deps: ApiDeps, request: Request, email: string, password: string): Promise<UserRow> {
  const { db } = deps;
  const id = await userOfPassword(deps, request, email, password);
  const user = id === null ? null : await findUser(db, id);
  if (!user) {
    deps.logger.warn({ requestId: request.id, address: request.ip, email: email.slice(0, 320) }, 'a sign-in failed');
    throw new GantryError('bad_credentials', 'E-mail and password do not belong together, or the account is closed.');
  }
  await openSession(deps, request, user, { by: 'password' });
  return user;
}

/** The end of every way to sign in: a fresh session id, told in the audit. */
export async function openSession(
  deps: ApiDeps,
  request: Request,
  user: UserRow,
  how: { by: 'password' | 'oidc'; issuer?: string },
): Promise<void> {
  await newSession(request, user.id);
  await deleteExpiredSessions(deps.db);
  await deps.db.transaction().execute((tx) =>
    insertAudit(tx, {
      actor: { id: user.id, name: user.name, requestId: request.id },
      action: 'session.sign_in',
      subjectType: 'user',
      subjectId: user.id,
      after: how,
    }),
  );
  deps.logger.info({ requestId: request.id, address: request.ip, userId: user.id, by: how.by }, 'signed in');
}

/** Null when the two do not belong together. Takes the same time for known and unknown accounts. @throws too_many_requests. */
export async function userOfPassword(
  deps: ApiDeps,
  request: Request,
  email: string,
  password: string,
): Promise<string | null> {
  const { db } = deps;
  const account = email.trim().toLowerCase();
  if (!(await reserveSignIn(db, account, request.ip ?? '', LIMITS))) {
    throw new GantryError(
      'too_many_requests',
      'Too many wrong passwords. Try again in 15 minutes; tokens and open sessions go on working.',
      { retryAfterSeconds: 900 },
    );
  }
  const found = await findPassword(db, account);
  const isRight = await checkPassword(found?.passwordHash ?? null, password);
  if (!isRight || !found) return null;
  if (found.passwordHash !== null && isOutdated(found.passwordHash))
    await replacePasswordHash(db, found.id, found.passwordHash, await hashPassword(password));
  await clearSignInFailures(db, account);
  return found.id;
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
