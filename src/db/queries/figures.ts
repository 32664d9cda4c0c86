// The figures of /metrics, each a cheap count.
import { sql } from 'kysely';
import type { Db } from '../database';

export interface Figures {
  states: { state: string; count: number }[];
  oldestWaitSeconds: number;
  slots: number;
  busy: number;
  workers: number;
  noticesDue: number;
  outboxDue: number;
}

export async function readFigures(db: Db, leaseMs: number): Promise<Figures> {
  const states = await sql<{ state: string; count: number }>`
    select state::text, count(*)::int as count from job where deleted_at is null and finished_at is null group by state`.execute(
    db,
  );
  const { rows } = await sql<Omit<Figures, 'states'>>`
    select coalesce(extract(epoch from gantry_now() - (select min(queued_at) from job where state = 'queued' and deleted_at is null)), 0)::float8 as oldest_wait_seconds,
      coalesce(sum(slots), 0)::int as slots, coalesce(sum(busy), 0)::int as busy, count(*)::int as workers,
      (select count(*)::int from notice where state in ('due', 'sending')) as notices_due,
      (select count(*)::int from outbox where sent_at is null) as outbox_due
    from worker where state <> 'stopped' and heartbeat_at > gantry_now() - ${leaseMs}::float8 * interval '1 millisecond'`.execute(
    db,
  );
  return { states: states.rows, ...(rows[0] as Omit<Figures, 'states'>) };
}
