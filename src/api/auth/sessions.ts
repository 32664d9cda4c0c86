// Cookie sessions: express-session over our own table. The cookie's value is a secret of 192 random bits that is stored hashed.
import session from 'express-session';
import type { RequestHandler } from 'express';
import type { Kysely } from 'kysely';
import type { DB } from '../../db/generated/database';
import { deleteSession, findSession, saveSession, touchSession } from '../../db/queries/sessions';
import { hashSecret } from '../../lib/ids';
import type { PendingSignIn } from './oidcClient';

declare module 'express-session' {
  interface SessionData {
    userId: string;
    /** A sign-in at the provider that is under way. */
    oidc?: PendingSignIn;
  }
}

/** Unused for so long, a session is over; and so it is this long after the sign-in (ASVS 7.3). */
export const IDLE_MS = 30 * 60_000;
export const ABSOLUTE_MS = 12 * 3600_000;

export interface SessionOptions {
  db: Kysely<DB>;
  /** Hex; signs the cookie. */
  secretKey: string;
  isSecure: boolean;
}

export function sessions(options: SessionOptions): RequestHandler {
  const handler = session({
    name: options.isSecure ? '__Host-gantry' : 'gantry',
    secret: options.secretKey,
    store: new LedgerStore(options.db),
    resave: false,
    rolling: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', secure: options.isSecure, path: '/' },
  });
  if (!options.isSecure) return handler;
  return (request, response, next) => {
    // BASE_URL says https, so TLS ends in front of us, whatever headers that proxy sends: a secure cookie may be set.
    Object.defineProperty(request, 'secure', { value: true });
    handler(request, response, next);
  };
}

type Done<T = void> = (error?: unknown, value?: T) => void;

/** express-session wants a class; it holds nothing of its own. */
class LedgerStore extends session.Store {
  constructor(private readonly db: Kysely<DB>) {
    super();
  }
  override get(id: string, done: Done<session.SessionData | null>): void {
    findSession(this.db, hashSecret(id), ABSOLUTE_MS).then(
      (row) => done(null, row ? (JSON.parse(row.data) as session.SessionData) : null),
      done,
    );
  }
  override set(id: string, data: session.SessionData, done?: Done): void {
    saveSession(this.db, hashSecret(id), data.userId ?? null, JSON.stringify(data), IDLE_MS).then(
      () => done?.(),
      (error: unknown) => done?.(error),
    );
  }
  override touch(id: string, _data: session.SessionData, done?: () => void): void {
    touchSession(this.db, hashSecret(id), IDLE_MS).then(
      () => done?.(),
      () => done?.(),
    );
  }
  override destroy(id: string, done?: Done): void {
    deleteSession(this.db, hashSecret(id)).then(
      () => done?.(),
      (error: unknown) => done?.(error),
    );
  }
}
