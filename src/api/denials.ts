// Denied attempts go to the audit, but nobody can fill it by asking: the first of its kind at once, those that follow within
// the minute counted in one row at its end. Called by the border of errors and the sign-in; never holds an answer up.
import type { Request } from 'express';
import type { Kysely } from 'kysely';
import { insertAudit, type NewAudit } from '../db/queries/audit';
import type { DB } from '../db/generated/database';
import { hideLinkToken } from '../lib/approvalLink';
import { messageOf } from '../lib/errors';
import type { Logger } from '../lib/logger';

export interface DenialLog {
  note(request: Request, why: { status: number; code: string }): void;
  /** Writes what was counted. */
  stop(): Promise<void>;
}

const WINDOW_MS = 60_000;
/** Kinds of denial that are told apart within a minute; what comes on top is counted together. */
const MAX_KINDS = 100;

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Refused for who asks: every 403, a 401 that somebody tried to get past, a write to what is not there for the caller. */
export function isDenial(request: Request, { status }: { status: number }): boolean {
  if (status === 403) return true;
  const isWrite = !READS.has(request.method);
  if (status === 401) return isWrite || request.headers.authorization !== undefined;
  return status === 404 && isWrite && request.caller !== null && isKnownRoute(request);
}

/** Set by Express once a route has matched. */
function isKnownRoute(request: Request): boolean {
  return (request as { route?: unknown }).route !== undefined;
}

export function createDenialLog(db: Kysely<DB>, logger: Logger, windowMs = WINDOW_MS): DenialLog {
  const counted = new Map<string, { audit: NewAudit; more: number }>();
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<unknown> = Promise.resolve();

  const write = (audit: NewAudit): void => {
    writing = writing
      .then(() => db.transaction().execute((tx) => insertAudit(tx, audit)))
      .catch((error: unknown) => logger.warn({ error: messageOf(error, 300) }, 'a denial could not be audited'));
  };
  const flush = (): void => {
    timer = null;
    for (const { audit, more } of counted.values()) {
      if (more > 0) write({ ...audit, after: { ...(audit.after as object), more } });
    }
    counted.clear();
  };

  return {
    note: (request, why) => {
      const audit = auditOf(request, why);
      const own = JSON.stringify([audit.actor.id, request.ip, audit.subjectId, why.code]);
      const key = counted.has(own) || counted.size < MAX_KINDS ? own : 'others';
      const seen = counted.get(key);
      if (seen) {
        seen.more += 1;
        return;
      }
      counted.set(key, { audit, more: 0 });
      write(audit);
      timer ??= setTimeout(flush, windowMs).unref();
    },
    stop: async () => {
      if (timer) clearTimeout(timer);
      flush();
      await writing;
    },
  };
}

function auditOf(request: Request, why: { status: number; code: string }): NewAudit {
  const user = request.caller?.user;
  return {
    actor: { id: user?.id ?? null, name: user?.name ?? 'nobody', requestId: request.id },
    action: 'denied',
    subjectType: 'request',
    // Addresses may be of any length.
    subjectId: `${request.method} ${hideLinkToken(request.originalUrl.split('?')[0] ?? '')}`.slice(0, 300),
    after: { status: why.status, code: why.code, address: request.ip ?? null },
  };
}
