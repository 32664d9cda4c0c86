// Who worked on a run, when, and how that ended. The openings and closings of claims are pieces of the claims' own statements,
// so that a chunk costs no round trip more. Listed by GET /jobs/{id}/attempts.
import { sql, type RawBuilder } from 'kysely';
import type { Db, Tx } from '../database';
import type { JobState } from '../generated/database';
import type { Claimer, Lease } from './claims';

export type AttemptEnd =
  | 'succeeded'
  | 'completed_with_errors'
  | 'failed'
  | 'canceled'
  | 'timed_out'
  | 'retry_later'
  | 'handed_back'
  | 'worker_lost'
  | 'process_lost'
  | 'waiting';

/** The epoch of rows that stand for all a worker did on a run: of chunks, and of processes, which sleep and wake. */
const SHARED = 0;

/** An insert for a `with`: `taken` is the name of its part that holds the job_id, run and epoch of what was claimed. */
export function openAttempt(taken: string, claimer: Claimer, isShared: boolean): RawBuilder<unknown> {
  const from = sql.table(taken);
  // Most chunks find their worker's row open: no conflict is provoked, so nobody waits for its lock.
  const unlessOpen = isShared
    ? sql`where not exists (select 1 from attempt a where a.job_id = taken.job_id and a.run = taken.run
        and a.worker_id = ${claimer.workerId} and a.epoch = ${SHARED} and a.ended_at is null)`
    : sql``;
  return sql`
    insert into attempt (job_id, run, epoch, worker_id, host)
    select taken.job_id, taken.run, ${isShared ? sql`${SHARED}::int` : sql`taken.epoch`}, ${claimer.workerId}, ${claimer.host}
    from ${from} as taken ${unlessOpen}
    on conflict (job_id, run, worker_id, epoch) do update set ended_at = null, ended = null, error_code = null, error_message = null`;
}

/** An update for a `with`, of runs that one worker holds: `freed` holds the job_id and run of what was given back. */
export function closeAttempt(freed: string, how: AttemptEnd, message: string | null = null): RawBuilder<unknown> {
  return sql`
    update attempt set ended_at = gantry_now(), ended = ${how}, error_message = ${message}
    from ${sql.table(freed)} as freed
    where attempt.job_id = freed.job_id and attempt.run = freed.run and attempt.ended_at is null`;
}

/** As closeAttempt, for chunks: `lost` holds the worker_id besides. */
export function closeLostAttempt(lost: string): RawBuilder<unknown> {
  return sql`
    update attempt set ended_at = gantry_now(), ended = 'worker_lost'
    from ${sql.table(lost)} as lost
    where attempt.job_id = lost.job_id and attempt.run = lost.run and attempt.worker_id = lost.worker_id
      and attempt.ended_at is null`;
}

/** The run has ended: whoever still worked on it has, too. */
export async function closeAttempts(
  tx: Tx,
  jobId: string,
  run: number,
  outcome: JobState,
  error: { code: string; message: string } | null,
): Promise<void> {
  const how = error?.code === 'timed_out' ? 'timed_out' : WORDS.has(outcome) ? outcome : 'canceled';
  await sql`
    update attempt set ended_at = gantry_now(), ended = ${how}, error_code = ${error?.code ?? null},
      error_message = ${error?.message ?? null}
    where job_id = ${jobId} and run = ${run} and ended_at is null`.execute(tx);
}

const WORDS = new Set<JobState>(['succeeded', 'completed_with_errors', 'failed', 'canceled']);

/** The worker stops: what it shares with others it has handed back. */
export async function closeAttemptsOf(db: Db, workerId: string): Promise<void> {
  await sql`
    update attempt set ended_at = gantry_now(), ended = 'handed_back'
    where worker_id = ${workerId} and ended_at is null`.execute(db);
}

/** As rescue, for workers that fell silent between two chunks; one that was only frozen opens its row again with its next. */
export async function closeAttemptsOfSilent(db: Db, leaseMs: number): Promise<void> {
  await sql`
    update attempt set ended_at = gantry_now(), ended = 'worker_lost'
    where ended_at is null and epoch = ${SHARED} and worker_id in (select id from worker
      where state <> 'stopped' and heartbeat_at < gantry_now() - ${leaseMs}::float8 * interval '1 millisecond')`.execute(
    db,
  );
}

/** The claim found that the work may not be tried: it was none. */
export async function dropAttempt(db: Db, lease: Lease): Promise<void> {
  await sql`
    delete from attempt where job_id = ${lease.jobId} and run = ${lease.run} and epoch = ${lease.epoch} and ended_at is null`.execute(
    db,
  );
}

export interface AttemptRow {
  id: number;
  run: number;
  attempt: number;
  workerId: string;
  host: string;
  startedAt: Date;
  endedAt: Date | null;
  ended: AttemptEnd | null;
  errorCode: string | null;
  errorMessage: string | null;
}

/** Oldest first, those after id `after`; numbered from 1 within each run. */
export async function listAttempts(
  db: Db,
  jobId: string,
  page: { run: number | null; after: number | null; limit: number },
): Promise<AttemptRow[]> {
  const { rows } = await sql<AttemptRow>`
    select * from (
      select id, run, (row_number() over (partition by run order by id))::int as attempt, worker_id, host, started_at, ended_at,
        ended, error_code, error_message
      from attempt where job_id = ${jobId} and (${page.run}::int is null or run = ${page.run}::int)) numbered
    where ${page.after}::bigint is null or id > ${page.after}::bigint
    order by id limit ${page.limit}`.execute(db);
  return rows;
}
