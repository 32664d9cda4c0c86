// What a page of jobs needs to be explained besides their rows: their reports, and why the open ones wait. A handful of
// statements a page, each bounded; called by the routes that show jobs.
import { sql } from 'kysely';
import type { Db } from '../database';

/** Nobody reads a larger number, and counting further would cost. */
export const MAX_AHEAD = 100;

export interface ReportFacts {
  infos: number;
  warnings: number;
  errors: number;
}

export interface WaitFacts {
  /** Due work that goes before it, counted up to MAX_AHEAD + 1. */
  ahead: number;
  /** It is held back until then. */
  dueAt: Date | null;
  /** A chunk of it is with a worker or on its way to one. */
  hasChunkInHand: boolean;
  /** Why its next chunk was handed back. */
  chunkError: string | null;
  chunkDueAt: Date | null;
  pausedBy: string | null;
}

export interface WorkerFigures {
  live: number;
  slots: number;
  busy: number;
  /** The latest heartbeat of any worker. */
  lastSeenAt: Date | null;
}

export interface JobSight {
  reports: Map<string, ReportFacts>;
  waits: Map<string, WaitFacts>;
  workers: WorkerFigures;
}

interface Seen {
  id: string;
  run: number;
  finishedAt: Date | null;
}

const NO_WORKERS: WorkerFigures = { live: 0, slots: 0, busy: 0, lastSeenAt: null };

export async function readJobSight(db: Db, jobs: Seen[], leaseMs: number): Promise<JobSight> {
  const open = jobs.filter((job) => job.finishedAt === null);
  const [reports, waits, workers] = await Promise.all([
    readReports(db, jobs),
    open.length > 0 ? readWaits(db, open) : [],
    open.length > 0 ? readWorkers(db, leaseMs) : NO_WORKERS,
  ]);
  return {
    reports: new Map(reports.map((row) => [row.jobId, row])),
    waits: new Map(waits.map((row) => [row.jobId, row])),
    workers,
  };
}

async function readReports(db: Db, jobs: Seen[]): Promise<(ReportFacts & { jobId: string })[]> {
  const { rows } = await sql<ReportFacts & { jobId: string }>`
    select job_id, infos, warnings, errors from run_record
      join unnest(${jobs.map((job) => job.id)}::uuid[], ${jobs.map((job) => job.run)}::int[]) as shown(job_id, run) using (job_id, run)`.execute(
    db,
  );
  return rows;
}

async function readWaits(db: Db, jobs: Seen[]): Promise<(WaitFacts & { jobId: string })[]> {
  const limit = sql.lit(MAX_AHEAD + 1);
  const { rows } = await sql<WaitFacts & { jobId: string }>`
    select shown.job_id, outbox.due_at, chunk.error_message as chunk_error, chunk.due_at as chunk_due_at,
      exists (select from chunk c where c.job_id = shown.job_id and c.run = shown.run
        and c.sent_at is not null and c.state in ('pending', 'running')) as has_chunk_in_hand,
      case when outbox.job_id is null then 0 else
        (select count(*)::int from (select from outbox o where o.sent_at is null and o.priority > outbox.priority limit ${limit}) higher)
        + (select count(*)::int from (select from outbox o where o.sent_at is null and o.priority = outbox.priority
            and (o.rank, o.due_at) < (outbox.rank, outbox.due_at) limit ${limit}) earlier) end as ahead,
      case when job.state = 'paused' or job.phase = 'pausing' then (select e.actor_name from job_event e
        where e.job_id = shown.job_id and e.run = shown.run and e.type = 'pause_requested' order by e.id desc limit 1) end as paused_by
    from unnest(${jobs.map((job) => job.id)}::uuid[], ${jobs.map((job) => job.run)}::int[]) as shown(job_id, run)
      join job on job.id = shown.job_id
      left join outbox on outbox.job_id = shown.job_id and outbox.sent_at is null
      left join lateral (select c.error_message, c.due_at from chunk c where c.job_id = shown.job_id and c.run = shown.run
        and c.state = 'pending' and c.sent_at is null order by c.chunk limit 1) chunk on job.input_format is not null`.execute(
    db,
  );
  return rows;
}

export async function readWorkers(db: Db, leaseMs: number): Promise<WorkerFigures> {
  const { rows } = await sql<WorkerFigures>`
    select count(*) filter (where live)::int as live, coalesce(sum(slots) filter (where live), 0)::int as slots,
      coalesce(sum(busy) filter (where live), 0)::int as busy, max(heartbeat_at) as last_seen_at
    from (select slots, busy, heartbeat_at, state = 'connected'
        and heartbeat_at > gantry_now() - ${leaseMs}::float8 * interval '1 millisecond' as live from worker) each`.execute(
    db,
  );
  return rows[0] ?? NO_WORKERS;
}
