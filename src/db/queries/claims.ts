// Leases on runs: taking, renewing and handing back, and the fenced writes of whoever holds one.
// Each write names the epoch it was claimed under; no row touched means that the lease is lost and the writer must stop.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { JobState } from '../generated/database';
import { closeAttempt, openAttempt, type AttemptEnd } from './attempts';

/** What a worker holds: a run, or one chunk of it. */
export interface Lease {
  jobId: string;
  run: number;
  chunk: number | null;
  epoch: number;
}

export interface Claimer {
  workerId: string;
  host: string;
  leaseMs: number;
}

export interface JobFacts {
  kind: string;
  title: string;
  state: JobState;
  params: string;
  ownerId: string;
  ownerName: string;
  ownerEmail: string;
}

export interface ClaimedRun extends JobFacts {
  jobId: string;
  run: number;
  epoch: number;
  /** Workers that died with it in hand since its last commit: from then on it runs alone. */
  crashes: number;
  /** Deaths of the process that it ran alone in, since its last commit. */
  loneCrashes: number;
}

/** Takes a run that waits, or goes on without a holder. null: the message is stale (canceled, deleted, requeued, held). */
export async function claimRun(
  db: Db,
  jobId: string,
  run: number,
  states: JobState[],
  claimer: Claimer,
  options: { isProcess: boolean },
): Promise<ClaimedRun | null> {
  const { rows } = await sql<ClaimedRun>`
    with wanted as (
      select id, run, state from job where id = ${jobId} and run = ${run} and state = any(${states}::job_state[])
        and deleted_at is null and phase is distinct from 'pausing' for update),
    taken as (
      update run set epoch = epoch + 1, worker_id = ${claimer.workerId}, host = ${claimer.host},
        lease_until = gantry_now() + ${claimer.leaseMs}::float8 * interval '1 millisecond',
        started_at = coalesce(run.started_at, gantry_now())
      from wanted where run.job_id = wanted.id and run.run = wanted.run and run.finished_at is null and run.lease_until is null
      returning run.job_id, run.run, run.epoch, run.crashes, run.lone_crashes),
    opened as (${openAttempt('taken', claimer, options.isProcess)}),
    started as (
      update job set state = case when job.state = 'queued' then 'running' else job.state end, wake_at = null,
        started_at = case when job.state = 'queued' then coalesce(job.started_at, gantry_now()) else job.started_at end,
        version = version + 1
      from taken where job.id = taken.job_id
      returning job.*),
    told as (insert into job_event (job_id, run, type, data)
      select taken.job_id, taken.run, 'started', json_build_object('host', ${claimer.host}::text)
      from taken join wanted on wanted.id = taken.job_id where wanted.state = 'queued'),
    changed as (insert into change (topic, subject_id, owner_id) select 'job', id, owner_id from started)
    select taken.job_id, taken.run, taken.epoch, taken.crashes, taken.lone_crashes, started.kind, started.title, started.state, started.params,
      started.owner_id, started.owner_name, started.owner_email
    from taken join started on started.id = taken.job_id`.execute(db);
  return rows[0] ?? null;
}

export async function findKind(db: Db, jobId: string): Promise<{ kind: string; state: JobState; run: number } | null> {
  const { rows } = await sql<{ kind: string; state: JobState; run: number }>`
    select kind, state, run from job where id = ${jobId} and deleted_at is null`.execute(db);
  return rows[0] ?? null;
}

export interface Release {
  how: AttemptEnd & ('retry_later' | 'handed_back' | 'process_lost');
  delayMs: number;
  note: string | null;
}

/** Gives a run back: due again after `delayMs`. The epoch rises, so that whoever still works on it is fenced. */
export async function releaseRun(db: Db, lease: Lease, { how, delayMs, note }: Release): Promise<boolean> {
  // A handler that asks for another try has come to an end of its own: crashes before it no longer count.
  const crashes =
    how === 'retry_later'
      ? sql`, crashes = 0, lone_crashes = 0`
      : how === 'process_lost'
        ? sql`, lone_crashes = lone_crashes + 1`
        : sql``;
  const { rows } = await sql`
    with freed as (
      update run set lease_until = null, worker_id = null, epoch = epoch + 1, note = coalesce(${note}, note) ${crashes}
      where job_id = ${lease.jobId} and run = ${lease.run} and epoch = ${lease.epoch} and finished_at is null returning job_id, run),
    closed as (${closeAttempt('freed', how, note)})
    update outbox set sent_at = null, due_at = gantry_now() + ${delayMs}::float8 * interval '1 millisecond'
    from freed where outbox.job_id = freed.job_id and outbox.run = freed.run returning 1`.execute(db);
  return rows.length > 0;
}

/** A repeatable step was committed: crashes before it no longer count. @returns false when the lease is lost. */
export async function confirmRun(tx: Tx, lease: Lease, leaseMs: number): Promise<boolean> {
  const { rows } = await sql`
    update run set crashes = 0, lone_crashes = 0, lease_until = gantry_now() + ${leaseMs}::float8 * interval '1 millisecond'
    where job_id = ${lease.jobId} and run = ${lease.run} and epoch = ${lease.epoch} and finished_at is null returning 1`.execute(
    tx,
  );
  return rows.length > 0;
}

export interface TickFacts {
  state: JobState;
  wakeSeq: number;
}

export async function readTick(tx: Tx, lease: Lease): Promise<TickFacts | null> {
  const { rows } = await sql<TickFacts>`
    select job.state, job.wake_seq from job join run on run.job_id = job.id and run.run = job.run
    where job.id = ${lease.jobId} and run.run = ${lease.run} and run.epoch = ${lease.epoch} and run.finished_at is null
      and job.deleted_at is null`.execute(tx);
  return rows[0] ?? null;
}

/** Every ending and every sleep locks the job before the run, as the commands do. */
export async function lockJob(tx: Tx, jobId: string): Promise<void> {
  await sql`select 1 from job where id = ${jobId} for update`.execute(tx);
}

/**
 * Lets a process sleep in the ledger: no lease, no outbox row. woken: somebody woke it since `seenWakeSeq` was read, and it
 * must run again at once. lost: another holder has it, and the caller rolls back.
 */
export async function sleepRun(
  tx: Tx,
  lease: Lease,
  seenWakeSeq: number,
  wait: { phase: string; waitingFor: string; deadline: Date | null },
): Promise<'asleep' | 'woken' | 'lost'> {
  const { rows } = await sql`
    with asleep as (
      update job set phase = ${wait.phase}, waiting_for = ${wait.waitingFor}, wake_at = ${wait.deadline}, version = version + 1
      where id = ${lease.jobId} and run = ${lease.run} and wake_seq = ${seenWakeSeq} and state in ('running', 'canceling')
      returning id, run, owner_id),
    changed as (insert into change (topic, subject_id, owner_id) select 'job', id, owner_id from asleep),
    gone as (delete from outbox using asleep where outbox.job_id = asleep.id)
    select 1 from asleep`.execute(tx);
  if (rows.length === 0) return 'woken';
  const freed = await sql`
    with freed as (
      update run set lease_until = null, worker_id = null, crashes = 0, lone_crashes = 0
      where job_id = ${lease.jobId} and run = ${lease.run} and epoch = ${lease.epoch} and finished_at is null returning job_id, run),
    closed as (${closeAttempt('freed', 'waiting')})
    select 1 from freed`.execute(tx);
  return freed.rows.length > 0 ? 'asleep' : 'lost';
}

/** Progress as the handler tells it; it never falls within a run. @returns false when the lease is lost. */
export async function saveProgress(
  db: Db,
  lease: Lease,
  progress: { done: number; total: number | null; note: string | null },
): Promise<boolean> {
  const { rows } = await sql`
    with saved as (
      update run set progress_done = greatest(progress_done, ${progress.done}), progress_total = ${progress.total}, note = ${progress.note},
        progress_percent = greatest(progress_percent, least(100, floor(100.0 * ${progress.done}::bigint / nullif(${progress.total}::bigint, 0))))
      where job_id = ${lease.jobId} and run = ${lease.run} and epoch = ${lease.epoch} and finished_at is null returning job_id)
    insert into change (topic, subject_id, owner_id) select 'job', job.id, job.owner_id from saved join job on job.id = saved.job_id
    returning 1`.execute(db);
  return rows.length > 0;
}

/** Renews what is still held. @returns the leases that are lost. */
export async function renewRuns(db: Db, leases: Lease[], leaseMs: number): Promise<Lease[]> {
  if (leases.length === 0) return [];
  const { rows } = await sql<{ jobId: string; epoch: number }>`
    update run set lease_until = gantry_now() + ${leaseMs}::float8 * interval '1 millisecond'
    from unnest(${leases.map((l) => l.jobId)}::uuid[], ${leases.map((l) => l.run)}::int[], ${leases.map((l) => l.epoch)}::int[])
      as held(job_id, run, epoch)
    where run.job_id = held.job_id and run.run = held.run and run.epoch = held.epoch and run.finished_at is null
      and run.lease_until is not null
    returning run.job_id, run.epoch`.execute(db);
  const kept = new Set(rows.map((row) => `${row.jobId}/${row.epoch}`));
  return leases.filter((lease) => !kept.has(`${lease.jobId}/${lease.epoch}`));
}

/**
 * As renewRuns, for chunks. A chunk whose row is locked is being completed: the lock is its lease, and it is passed over.
 */
export async function renewChunks(db: Db, leases: Lease[], leaseMs: number): Promise<Lease[]> {
  if (leases.length === 0) return [];
  const held = sql`unnest(${leases.map((l) => l.jobId)}::uuid[], ${leases.map((l) => l.run)}::int[],
    ${leases.map((l) => l.chunk)}::int[], ${leases.map((l) => l.epoch)}::int[]) as held(job_id, run, chunk, epoch)`;
  await sql`
    update chunk set lease_until = gantry_now() + ${leaseMs}::float8 * interval '1 millisecond'
    where (job_id, run, chunk) in (
      select c.job_id, c.run, c.chunk from chunk c join ${held} using (job_id, run, chunk, epoch)
      where c.state = 'running' order by c.job_id, c.run, c.chunk for update of c skip locked)`.execute(db);
  const { rows } = await sql<{ jobId: string; chunk: number; epoch: number }>`
    select c.job_id, c.chunk, c.epoch from chunk c join ${held} using (job_id, run, chunk, epoch) where c.state = 'running'`.execute(
    db,
  );
  const kept = new Set(rows.map((row) => `${row.jobId}/${row.chunk}/${row.epoch}`));
  return leases.filter((lease) => !kept.has(`${lease.jobId}/${lease.chunk}/${lease.epoch}`));
}

/** Which of these jobs were asked to stop. */
export async function listCanceling(db: Db, jobIds: string[]): Promise<Set<string>> {
  if (jobIds.length === 0) return new Set();
  const { rows } = await sql<{ id: string }>`
    select id from job where id = any(${jobIds}::uuid[]) and state in ('canceling', 'canceled')`.execute(db);
  return new Set(rows.map((row) => row.id));
}
