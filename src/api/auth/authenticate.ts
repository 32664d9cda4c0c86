// Finds out who calls: a bearer token, or the cookie of a session. Wrong tokens are refused after they were counted as
// anonymous calls; roles are the router's.
import type { Request, RequestHandler } from 'express';
import type { Kysely } from 'kysely';
import type { DB } from '../../db/generated/database';
import { findUserOfToken, markTokenUsed } from '../../db/queries/tokens';
import { findUser, type UserRow } from '../../db/queries/users';
import type { Actor } from '../../jobs/actor';
import { GantryError } from '../../lib/errors';
import { hashSecret } from '../../lib/ids';
import type { Scope } from '../contract/scopes';

declare module 'express-serve-static-core' {
  interface Request {
    id: string;
    /** Null: nobody is signed in. */
    caller: Caller | null;
    /** Set when the token that was sent is not known. */
    tokenFault?: GantryError;
  }
}

export interface Caller {
  user: UserRow;
  /** Cookies are sent by browsers unasked, tokens are not: only the former need the cross-site check. */
  by: 'session' | 'token';
  /** What the rate is counted by. */
  key: string;
  /** What a token is limited to; null: all that its user may do. */
  scopes: readonly string[] | null;
}

export function authenticate(db: Kysely<DB>): RequestHandler {
  return (request, _response, next) => {
    findCaller(db, request).then(
      (caller) => {
        request.caller = caller;
        next();
      },
      (error: unknown) => {
        if (!(error instanceof GantryError)) return next(error);
        request.tokenFault = error;
        next();
      },
    );
  };
}

/** Comes after the limit of anonymous calls, so that nobody tries tokens at will. */
export const refuseWrongToken: RequestHandler = (request, _response, next) => next(request.tokenFault);

export async function findCaller(db: Kysely<DB>, request: Request): Promise<Caller | null> {
  const header = request.headers.authorization;
  if (header !== undefined) {
    const token = /^Bearer ([\x21-\x7e]{1,500})$/.exec(header)?.[1];
    const user = token ? await findUserOfToken(db, hashSecret(token)) : null;
    if (!user) {
      throw new GantryError(
        'not_signed_in',
        'This token is not known, has expired, or its account is closed. Make a new one in the UI or by `gantry token create`.',
      );
    }
    await markTokenUsed(db, user.tokenId);
    return { user, by: 'token', key: `token:${user.tokenId}`, scopes: user.scopes };
  }
  const userId = request.session?.userId;
  if (!userId) return null;
  const user = await findUser(db, userId);
  return user && user.disabledAt === null ? { user, by: 'session', key: `user:${user.id}`, scopes: null } : null;
}

/** @throws GantryError scope_missing that names the scope. */
export function demandScope(request: Request, scope: Scope): void {
  const scopes = request.caller?.scopes ?? null;
  if (scopes === null || scopes.includes(scope)) return;
  throw new GantryError(
    'scope_missing',
    `This token lacks the scope \`${scope}\` (it has: ${scopes.join(', ') || 'none'}); nothing was changed. Make a token with it.`,
    { more: { scope } },
  );
}

export function actorOf(request: Request): Actor {
  if (!request.caller)
    throw new GantryError('not_signed_in', 'Sign in first, or send a token: `Authorization: Bearer <token>`.');
  const { user, scopes } = request.caller;
  const { id, name, email, role } = user;
  return { id, name, email, role, requestId: request.id, ...(scopes === null ? {} : { scopes }) };
}
