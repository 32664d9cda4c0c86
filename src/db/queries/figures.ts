// Figures of the moment, for /metrics and the page of queues; each a cheap count over what is open.
import { sql } from 'kysely';
import type { Db } from '../database';
import { readWorkers, type WorkerFigures } from './jobSight';

export interface Depth {
  state: string;
  kind: string;
  count: number;
}

export interface Figures {
  depths: Depth[];
  oldest: { jobId: string; queuedAt: Date; ageMs: number } | null;
  workers: WorkerFigures & { stuck: number };
  /** Runs that wait to be sent. */
  outboxDue: number;
  notices: { state: string; count: number }[];
}

export async function readFigures(db: Db, leaseMs: number): Promise<Figures> {
  const [depths, oldest, workers, stuck, outbox, notices] = await Promise.all([
    sql<Depth>`
      select state::text, kind, count(*)::int as count from job where deleted_at is null and finished_at is null
      group by state, kind order by state, count(*) desc, kind`.execute(db),
    sql<{ jobId: string; queuedAt: Date; ageMs: number }>`
      select id as job_id, queued_at, extract(epoch from gantry_now() - queued_at)::float8 * 1000 as age_ms from job
      where state = 'queued' and deleted_at is null order by queued_at limit 1`.execute(db),
    readWorkers(db, leaseMs),
    sql<{ stuck: number }>`
      select coalesce(sum(stuck), 0)::int as stuck from worker
      where state <> 'stopped' and heartbeat_at > gantry_now() - ${leaseMs}::float8 * interval '1 millisecond'`.execute(
      db,
    ),
    sql<{ count: number }>`select count(*)::int as count from outbox where sent_at is null`.execute(db),
    sql<{ state: string; count: number }>`
      select state::text, count(*)::int as count from notice group by state order by state`.execute(db),
  ]);
  return {
    depths: depths.rows,
    oldest: oldest.rows[0] ?? null,
    workers: { ...workers, stuck: stuck.rows[0]?.stuck ?? 0 },
    outboxDue: outbox.rows[0]?.count ?? 0,
    notices: notices.rows,
  };
}
