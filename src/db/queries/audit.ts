// The audit: who did what to what, appended in the transaction of the deed. A trigger refuses change and deletion.
import type { Insertable } from 'kysely';
import type { Db, Tx } from '../database';
import type { Audit } from '../generated/database';

export interface NewAudit {
  /** id null: somebody without an account, such as an agent. */
  actor: { id: string | null; name: string; requestId?: string };
  /** `subject.verb`, such as `job.cancel`. */
  action: string;
  subjectType: string;
  subjectId: string;
  before?: unknown;
  after?: unknown;
  reason?: string | null;
  /** The job whose work did it. */
  jobId?: string;
}

export function insertAudit(tx: Tx, audit: NewAudit): Promise<void> {
  return insertAudits(tx, [audit]);
}

export async function insertAudits(tx: Tx, audits: NewAudit[]): Promise<void> {
  if (audits.length === 0) return;
  await tx.insertInto('audit').values(audits.map(rowOf)).execute();
}

function rowOf(audit: NewAudit): Insertable<Audit> {
  return {
    actorId: audit.actor.id,
    actorName: audit.actor.name,
    action: audit.action,
    subjectType: audit.subjectType,
    subjectId: audit.subjectId,
    before: audit.before === undefined ? null : JSON.stringify(audit.before),
    after: audit.after === undefined ? null : JSON.stringify(audit.after),
    reason: audit.reason ?? null,
    requestId: audit.actor.requestId ?? null,
    jobId: audit.jobId ?? null,
  };
}

export interface AuditRow {
  id: number;
  at: Date;
  actorId: string | null;
  actorName: string;
  action: string;
  subjectType: string;
  subjectId: string;
  before: string | null;
  after: string | null;
  reason: string | null;
  requestId: string | null;
  jobId: string | null;
}

export interface AuditFilter {
  actorId?: string;
  subjectType?: string;
  subjectId?: string;
  action?: string;
  requestId?: string;
  /** Inclusive. */
  since?: Date;
  /** Exclusive. */
  until?: Date;
  /** Rows before this id: newest first. */
  before: number | null;
  limit: number;
}

export function listAudit(db: Db, filter: AuditFilter): Promise<AuditRow[]> {
  let query = db.selectFrom('audit').selectAll().orderBy('id', 'desc').limit(filter.limit);
  if (filter.actorId !== undefined) query = query.where('actorId', '=', filter.actorId);
  if (filter.subjectType !== undefined) query = query.where('subjectType', '=', filter.subjectType);
  if (filter.subjectId !== undefined) query = query.where('subjectId', '=', filter.subjectId);
  if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  if (filter.requestId !== undefined) query = query.where('requestId', '=', filter.requestId);
  if (filter.since !== undefined) query = query.where('at', '>=', filter.since);
  if (filter.until !== undefined) query = query.where('at', '<', filter.until);
  if (filter.before !== null) query = query.where('id', '<', filter.before);
  return query.execute();
}
