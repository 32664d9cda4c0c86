// Notices as they are shown, and asked for again. What was told by a digest is shown as the digest stands.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { NoticeState } from '../generated/database';

export interface NoticeRow {
  id: string;
  jobId: string;
  run: number;
  kind: string;
  /** It is about one job, and jobId and run name it. */
  aboutJob: boolean;
  recipient: string;
  state: NoticeState;
  held: boolean;
  digestId: string | null;
  attempts: number;
  createdAt: Date;
  nextAttemptAt: Date | null;
  sentAt: Date | null;
  failure: string | null;
  lastError: string | null;
}

const SELECT = sql`
  select n.id, n.job_id, n.run, n.kind, n.kind not in ('digest', 'alert', 'alert-recovered') as about_job, n.recipient,
    shown.state, n.held, n.digest_id, shown.attempts, n.created_at, shown.sent_at, shown.failure, shown.last_error,
    case when shown.state = 'due' and not n.held then shown.due_at end as next_attempt_at
  from notice n join notice shown on shown.id = coalesce((select d.id from notice d where d.id = n.digest_id), n.id)`;

export async function listNoticesOfJob(
  db: Db,
  jobId: string,
  page: { after: string | null; limit: number },
): Promise<NoticeRow[]> {
  const { rows } = await sql<NoticeRow>`${SELECT}
    where n.job_id = ${jobId} ${page.after === null ? sql`` : sql`and n.id > ${page.after}`}
    order by n.id limit ${page.limit}`.execute(db);
  return rows;
}

/** Newest first; ids grow with time. A state is the notice's own, and what a digest told of counts as sent. */
export async function listNotices(
  db: Db,
  page: { state: NoticeState | null; before: string | null; limit: number },
): Promise<NoticeRow[]> {
  const { rows } = await sql<NoticeRow>`${SELECT}
    where true ${page.state === null ? sql`` : sql`and n.state = ${page.state}::notice_state`}
      ${page.before === null ? sql`` : sql`and n.id < ${page.before}`}
    order by n.id desc limit ${page.limit}`.execute(db);
  return rows;
}

export async function findNotice(db: Db, id: string): Promise<NoticeRow | null> {
  const { rows } = await sql<NoticeRow>`${SELECT} where n.id = ${id}`.execute(db);
  return rows[0] ?? null;
}

/** Makes a notice due now that failed, is unknown or waits for its next try. False: it does not stand so. */
export async function requeueNotice(tx: Tx, id: string): Promise<boolean> {
  const { rows } = await sql`
    update notice set state = 'due', due_at = gantry_now(), retried_at = gantry_now(), ambiguous = false
    where id = ${id} and not held and state in ('failed', 'unknown', 'due') returning 1`.execute(tx);
  return rows.length > 0;
}
