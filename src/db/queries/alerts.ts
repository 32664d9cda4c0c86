// What is wrong with the installation: the conditions, read from the ledger, and the incidents that are kept of them.
// Called by workers/maintenance/alerts.ts in any number of processes, and by the API for showing.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';

/** One watcher at a time; the others come back at their next round. */
export async function lockWatch(tx: Tx): Promise<boolean> {
  const { rows } = await sql<{ held: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended('gantry:alerts', 0)) as held`.execute(tx);
  return rows[0]?.held ?? false;
}

const ms = (amount: number) => sql`${amount}::float8 * interval '1 millisecond'`;

export async function countLiveWorkers(db: Db, leaseMs: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from worker
    where state = 'connected' and heartbeat_at > gantry_now() - ${ms(leaseMs)}`.execute(db);
  return rows[0]?.count ?? 0;
}

export interface Waiting {
  waiting: number;
  oldestWaitSeconds: number;
}

/** Bounded: an alert says that many wait, not how many millions. */
const COUNT_LIMIT = 10_000;

/** Jobs that are due and have waited for their first worker at least `forMs`; null without any. */
export async function findWaiting(db: Db, forMs: number): Promise<Waiting | null> {
  const { rows } = await sql<Waiting>`
    select count(*)::int as waiting, extract(epoch from gantry_now() - min(queued_at))::float8 as oldest_wait_seconds
    from (select job.queued_at from outbox o join job on job.id = o.job_id
      where o.due_at <= gantry_now() and job.state = 'queued' and job.deleted_at is null
        and job.queued_at < gantry_now() - ${ms(forMs)} limit ${COUNT_LIMIT}) late`.execute(db);
  return rows[0]?.waiting ? rows[0] : null;
}

/** Jobs that had begun: looked at only when nobody holds any work. */
const BEGUN_LIMIT = 50;

/** Whether any work is in hand, or was begun or done within `withinMs`. */
export async function isWorking(db: Db, withinMs: number): Promise<boolean> {
  const { rows } = await sql<{ works: boolean }>`
    select exists (select from run where lease_until > gantry_now())
      or exists (select from chunk where state = 'running' and lease_until > gantry_now())
      or exists (select from job where finished_at > gantry_now() - ${ms(withinMs)} and deleted_at is null)
      or exists (select from (select job_id, run from outbox limit ${BEGUN_LIMIT}) o
        join run using (job_id, run)
        where run.started_at > gantry_now() - ${ms(withinMs)}
          or (select max(greatest(c.started_at, c.finished_at)) from chunk c where c.job_id = o.job_id and c.run = o.run)
            > gantry_now() - ${ms(withinMs)}) as works`.execute(db);
  return rows[0]?.works ?? false;
}

export interface MailTrouble {
  /** Tried, and not delivered for the time that was asked about. */
  undelivered: number;
  /** Refused for good within that time, for another reason than its address. */
  refused: number;
  sent: number;
}

export async function readMailTrouble(db: Db, forMs: number): Promise<MailTrouble> {
  const { rows } = await sql<MailTrouble>`
    select
      (select count(*)::int from notice where state in ('due', 'sending') and failure = 'temporary'
        and coalesce(retried_at, created_at) < gantry_now() - ${ms(forMs)}) as undelivered,
      (select count(*)::int from notice where state = 'failed' and failure = 'permanent'
        and created_at > gantry_now() - ${ms(forMs)}
        and not exists (select from mail_suppression s where s.address = lower(notice.recipient))) as refused,
      (select count(*)::int from (select from notice where state = 'sent' and digest_id is null
        and sent_at > gantry_now() - ${ms(forMs)} limit 1) one) as sent`.execute(db);
  return rows[0] ?? { undelivered: 0, refused: 0, sent: 0 };
}

/** The time since which a run of the duty is owed, or null: the first due time that was claimed and not finished, else the next one. */
export async function owedSince(db: Db, schedule: string): Promise<Date | null> {
  const { rows } = await sql<{ owed: Date | null }>`
    select least(next_due_at, (select min(d.due_at) from schedule_due d where d.name = schedule.name and d.finished_at is null
      and d.due_at > coalesce((select max(f.due_at) from schedule_due f where f.name = schedule.name and f.finished_at is not null), '-infinity'))) as owed
    from schedule where name = ${schedule}`.execute(db);
  return rows[0]?.owed ?? null;
}

export interface AlertRow {
  id: string;
  kind: string;
  figures: string;
  openedAt: Date;
  closedAt: Date | null;
}

const COLUMNS = ['id', 'kind', 'figures', 'openedAt', 'closedAt'] as const;

export function listOpenAlerts(db: Db): Promise<AlertRow[]> {
  return db.selectFrom('alert').select(COLUMNS).where('closedAt', 'is', null).execute();
}

/** Null when an incident of the kind is open already. */
export async function openAlert(tx: Tx, id: string, kind: string, figures: string): Promise<AlertRow | null> {
  const { rows } = await sql<AlertRow>`
    insert into alert (id, kind, figures) values (${id}, ${kind}, ${figures})
    on conflict (kind) where closed_at is null do nothing
    returning id, kind, figures, opened_at, closed_at`.execute(tx);
  return rows[0] ?? null;
}

export async function updateAlert(tx: Tx, id: string, figures: string): Promise<void> {
  await sql`update alert set figures = ${figures} where id = ${id} and closed_at is null`.execute(tx);
}

/** Null when it was closed already. */
export async function closeAlert(tx: Tx, id: string): Promise<AlertRow | null> {
  const { rows } = await sql<AlertRow>`
    update alert set closed_at = gantry_now() where id = ${id} and closed_at is null
    returning id, kind, figures, opened_at, closed_at`.execute(tx);
  return rows[0] ?? null;
}

export async function pruneAlerts(tx: Tx, keepMs: number): Promise<void> {
  await sql`delete from alert where closed_at < gantry_now() - ${ms(keepMs)}`.execute(tx);
}

/** Newest first; ids grow with time. */
export function listAlerts(
  db: Db,
  page: { open: boolean | null; after: string | null; limit: number },
): Promise<AlertRow[]> {
  return db
    .selectFrom('alert')
    .select(COLUMNS)
    .$if(page.open !== null, (query) => query.where('closedAt', page.open ? 'is' : 'is not', null))
    .$if(page.after !== null, (query) => query.where('id', '<', page.after ?? ''))
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute();
}

export async function countOpenAlerts(db: Db): Promise<number> {
  const { rows } = await sql<{
    count: number;
  }>`select count(*)::int as count from alert where closed_at is null`.execute(db);
  return rows[0]?.count ?? 0;
}
