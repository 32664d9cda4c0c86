// Where a job stands when no chunk of it is in hand any more: paused, canceled, failed by its limit, or ended.
// Called by workers/runner/settle.ts, which locks the job first.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { JobState } from '../generated/database';

export interface Standing {
  jobId: string;
  run: number;
  kind: string;
  state: JobState;
  phase: string | null;
  waitingFor: string | null;
  inputFormat: string | null;
  limitThen: string;
  limitPassed: boolean;
  maxFailed: number | null;
  maxFailedPercent: number | null;
  trial: number | null;
  trialPassed: boolean;
  /** Milliseconds since cancel was asked for. */
  cancelAgeMs: number | null;
}

export async function lockStanding(tx: Tx, jobId: string): Promise<Standing | null> {
  const { rows } = await sql<Standing>`
    select id as job_id, run, kind, state, phase, waiting_for, input_format, limit_then, limit_passed, max_failed,
      max_failed_percent, trial, trial_passed, extract(epoch from gantry_now() - cancel_requested_at)::float8 * 1000 as cancel_age_ms
    from job where id = ${jobId} and deleted_at is null for update`.execute(tx);
  return rows[0] ?? null;
}

export interface InHand {
  epoch: number;
  good: number;
  failed: number;
  skipped: number;
  openChunks: number;
  /** A worker holds the run itself. */
  held: boolean;
  runningChunks: number;
}

/** Read after the job's lock, so that what committed before it is seen. */
export async function readInHand(tx: Tx, jobId: string, run: number): Promise<InHand | null> {
  const { rows } = await sql<InHand>`
    select epoch, good, failed, skipped, open_chunks, lease_until is not null as held,
      (select count(*)::int from chunk where job_id = ${jobId} and run = ${run} and sent_at is not null and state = 'running') as running_chunks
    from run where job_id = ${jobId} and run = ${run} and finished_at is null`.execute(tx);
  return rows[0] ?? null;
}

/**
 * Drops chunks still running and raises the epochs: late writes of their workers change nothing.
 * A chunk locked by its own completion is passed over. @returns how many could not be fenced.
 */
export async function fenceWork(tx: Tx, jobId: string, run: number): Promise<number> {
  await sql`
    update chunk set state = 'dropped', epoch = epoch + 1, lease_until = null, finished_at = gantry_now()
    where (job_id, run, chunk) in (select job_id, run, chunk from chunk
      where job_id = ${jobId} and run = ${run} and sent_at is not null and state = 'running' order by chunk for update skip locked)`.execute(
    tx,
  );
  await sql`update run set epoch = epoch + 1, lease_until = null where job_id = ${jobId} and run = ${run}`.execute(tx);
  const { rows } = await sql<{ left: number }>`
    select count(*)::int as left from chunk where job_id = ${jobId} and run = ${run} and sent_at is not null and state = 'running'`.execute(
    tx,
  );
  return rows[0]?.left ?? 0;
}

export async function beginPausing(tx: Tx, jobId: string, waitingFor: string): Promise<void> {
  await sql`
    update job set phase = 'pausing', waiting_for = ${waitingFor}, version = version + 1
    where id = ${jobId} and phase is distinct from 'pausing'`.execute(tx);
}

/** The run holds no worker until it is resumed; messages on their way find nothing to claim. */
export async function pauseRun(tx: Tx, jobId: string, run: number, statesBefore: JobState[]): Promise<boolean> {
  const { rows } = await sql`
    with rested as (
      update job set state = 'paused', phase = null, version = version + 1
      where id = ${jobId} and run = ${run} and (state = any(${statesBefore}::job_state[]) or state = 'paused')
      returning id, run, owner_id, waiting_for),
    stamped as (update run set paused_at = coalesce(run.paused_at, gantry_now()) from rested where run.job_id = rested.id and run.run = rested.run),
    unsent as (update chunk set sent_at = null from rested
      where chunk.job_id = rested.id and chunk.run = rested.run and chunk.state = 'pending' and chunk.sent_at is not null),
    gone as (delete from outbox using rested where outbox.job_id = rested.id),
    told as (insert into job_event (job_id, run, type, data)
      select id, run, 'paused', json_build_object('waitingFor', waiting_for) from rested),
    changed as (insert into change (topic, subject_id, owner_id) select 'job', id, owner_id from rested)
    select 1 from rested`.execute(tx);
  return rows.length > 0;
}

/** Jobs that somebody asked to stop or to rest: the dispatcher looks whether the last of their work has ended. */
export async function listUnsettled(db: Db, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    (select id from job where state = 'canceling' and deleted_at is null limit ${limit})
    union all
    (select id from job where phase = 'pausing' and deleted_at is null limit ${limit})`.execute(db);
  return rows.map((row) => row.id);
}

/** Runs all of whose chunks are closed, but whose worker died before it could end them. */
export async function listFinishedButOpen(db: Db, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select job.id from job join run on run.job_id = job.id and run.run = job.run
    where job.state = 'running' and job.deleted_at is null and job.input_format is not null and run.open_chunks = 0
    limit ${limit}`.execute(db);
  return rows.map((row) => row.id);
}
