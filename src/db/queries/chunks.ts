// Chunks in work: claim, rows, completion and handing back. Called by workers/runner.
// Lock order within a chunk's transaction: chunk, effects, row outcomes, run. Ending the job is a transaction of its own
// that locks the job first, as the commands do.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { JobState } from '../generated/database';
import { openAttempt } from './attempts';
import type { Claimer, JobFacts, Lease } from './claims';

export interface ClaimedChunk extends JobFacts {
  jobId: string;
  run: number;
  chunk: number;
  epoch: number;
  attempts: number;
  crashes: number;
  loneCrashes: number;
  inputChunk: number;
  firstRowIndex: number;
  rowCount: number;
  rowIndexes: number[] | null;
  inputFormat: 'json' | 'ndjson' | 'csv' | null;
  inputColumns: string | null;
  /** The job whose rows are taken back. */
  undoOf: string | null;
}

/**
 * Takes a chunk of a running job. The shared lock on the job keeps a cancel or the end of a pause from passing between the
 * check and the claim. null: the message is stale.
 */
export async function claimChunk(
  db: Db,
  jobId: string,
  run: number,
  chunk: number,
  claimer: Claimer,
): Promise<ClaimedChunk | null> {
  const { rows } = await sql<ClaimedChunk>`
    with going as (
      select * from job where id = ${jobId} and run = ${run} and state = 'running' and phase is distinct from 'pausing'
        and deleted_at is null for share),
    taken as (
      update chunk set state = 'running', epoch = epoch + 1, worker_id = ${claimer.workerId},
        lease_until = gantry_now() + ${claimer.leaseMs}::float8 * interval '1 millisecond',
        started_at = coalesce(chunk.started_at, gantry_now()), sent_at = coalesce(chunk.sent_at, gantry_now())
      from going where chunk.job_id = going.id and chunk.run = going.run and chunk.chunk = ${chunk}
        and chunk.state = 'pending' and chunk.due_at <= gantry_now()
      returning chunk.*),
    opened as (${openAttempt('taken', claimer, true)})
    select taken.job_id, taken.run, taken.chunk, taken.epoch, taken.attempts, taken.crashes, taken.lone_crashes, taken.input_chunk, taken.first_row_index,
      taken.row_count, taken.row_indexes, going.kind, going.title, going.state, going.params, going.owner_id, going.owner_name,
      going.owner_email, going.input_format, going.input_columns, going.undo_of
    from taken join going on going.id = taken.job_id`.execute(db);
  const claimed = rows[0];
  if (!claimed) return null;
  // Elements of a bigint array come as text.
  return { ...claimed, rowIndexes: claimed.rowIndexes?.map(Number) ?? null };
}

/** The first chunk of a waiting run starts it. @returns false when it does not wait any more. */
export async function startRun(db: Db, jobId: string, run: number, claimer: Claimer): Promise<boolean> {
  const { rows } = await sql`
    with started as (
      update job set state = 'running', started_at = coalesce(started_at, gantry_now()), version = version + 1
      where id = ${jobId} and run = ${run} and state = 'queued' and deleted_at is null returning id, run, owner_id),
    told as (insert into job_event (job_id, run, type, data)
      select id, run, 'started', json_build_object('host', ${claimer.host}::text) from started),
    changed as (insert into change (topic, subject_id, owner_id) select 'job', id, owner_id from started)
    update run set started_at = coalesce(run.started_at, gantry_now()), host = ${claimer.host}, worker_id = ${claimer.workerId}
    from started where run.job_id = started.id and run.run = started.run returning 1`.execute(db);
  return rows.length > 0;
}

/** The stored lines of rows `from` to `to` (inclusive, counted within the input chunk): only these leave the database. */
export async function readInputLines(
  db: Db,
  jobId: string,
  inputChunk: number,
  fromRowIndex: number,
  toRowIndex: number,
): Promise<string[]> {
  const { rows } = await sql<{ lines: string[] }>`
    select (string_to_array(rows, E'\n'))[${fromRowIndex}::bigint - first_row_index + 1 : ${toRowIndex}::bigint - first_row_index + 1] as lines
    from job_input where job_id = ${jobId} and input_chunk = ${inputChunk}`.execute(db);
  return rows[0]?.lines ?? [];
}

/** The first lock of a completion, and its fence. @returns the session that holds the lock, or null when the lease is lost. */
export async function lockChunk(tx: Tx, lease: Lease): Promise<{ pid: number } | null> {
  const { rows } = await sql<{ pid: number }>`
    select pg_backend_pid() as pid from chunk where job_id = ${lease.jobId} and run = ${lease.run} and chunk = ${lease.chunk}
      and epoch = ${lease.epoch} and state = 'running' for update`.execute(tx);
  return rows[0] ?? null;
}

export interface RowFault {
  rowIndex: number;
  code: string;
  message: string;
}

export async function insertRowErrors(tx: Tx, lease: Lease, faults: RowFault[], attempt: number): Promise<void> {
  if (faults.length === 0) return;
  await sql`
    insert into row_error (job_id, run, row_index, code, message, attempt)
    select ${lease.jobId}, ${lease.run}, fault.row_index, fault.code, fault.message, ${attempt}
    from unnest(${faults.map((f) => f.rowIndex)}::bigint[], ${faults.map((f) => f.code)}::text[], ${faults.map((f) => f.message)}::text[])
      as fault(row_index, code, message)
    on conflict (job_id, run, row_index) do nothing`.execute(tx);
}

export interface Outcomes {
  good: Buffer;
  failed: Buffer;
}

/** The outcome bits of an input chunk, locked: other chunks of the same input wait for this transaction. */
export async function lockOutcomes(
  tx: Tx,
  jobId: string,
  inputChunk: number,
): Promise<Outcomes & { firstRowIndex: number }> {
  const read = async (): Promise<(Outcomes & { firstRowIndex: number }) | undefined> =>
    (
      await sql<Outcomes & { firstRowIndex: number }>`
        select o.good, o.failed, i.first_row_index from row_outcome o join job_input i using (job_id, input_chunk)
        where o.job_id = ${jobId} and o.input_chunk = ${inputChunk} for update of o`.execute(tx)
    ).rows[0];
  const found = await read();
  if (found) return found;
  await sql`
    insert into row_outcome (job_id, input_chunk, good, failed)
    select job_id, input_chunk, decode(repeat('00', (row_count + 7) / 8), 'hex'), decode(repeat('00', (row_count + 7) / 8), 'hex')
    from job_input where job_id = ${jobId} and input_chunk = ${inputChunk}
    on conflict do nothing`.execute(tx);
  const made = await read();
  if (!made) throw new Error(`input chunk ${inputChunk} of job ${jobId} is not there`);
  return made;
}

export async function saveOutcomes(tx: Tx, jobId: string, inputChunk: number, outcomes: Outcomes): Promise<void> {
  await sql`
    update row_outcome set good = ${outcomes.good}, failed = ${outcomes.failed}
    where job_id = ${jobId} and input_chunk = ${inputChunk}`.execute(tx);
}

export async function closeChunk(
  tx: Tx,
  lease: Lease,
  state: 'done' | 'gave_up',
  error: { code: string; message: string } | null,
): Promise<void> {
  await sql`
    update chunk set state = ${state}, finished_at = gantry_now(), lease_until = null, crashes = 0, lone_crashes = 0,
      error_code = ${error?.code ?? null}, error_message = ${error?.message ?? null}
    where job_id = ${lease.jobId} and run = ${lease.run} and chunk = ${lease.chunk}`.execute(tx);
}

export interface RunCounts {
  state: JobState;
  phase: string | null;
  good: number;
  failed: number;
  skipped: number;
  openChunks: number;
  trial: number | null;
  trialPassed: boolean;
  maxFailed: number | null;
  maxFailedPercent: number | null;
  limitPassed: boolean;
}

/** The last statement of a chunk's transaction, for it takes the lock that all chunks of the run want. */
export async function countChunk(
  tx: Tx,
  lease: Lease,
  counts: { good: number; failed: number; skipped: number },
): Promise<RunCounts | null> {
  const { rows } = await sql<RunCounts>`
    with counted as (
      update run set good = good + ${counts.good}, failed = failed + ${counts.failed}, skipped = skipped + ${counts.skipped},
        open_chunks = open_chunks - 1, crashes = 0
      where job_id = ${lease.jobId} and run = ${lease.run} and finished_at is null
      returning job_id, good, failed, skipped, open_chunks),
    changed as (insert into change (topic, subject_id, owner_id)
      select 'job', job.id, job.owner_id from counted join job on job.id = counted.job_id)
    select job.state, job.phase, counted.good, counted.failed, counted.skipped, counted.open_chunks, job.trial, job.trial_passed,
      job.max_failed, job.max_failed_percent, job.limit_passed
    from counted join job on job.id = counted.job_id`.execute(tx);
  return rows[0] ?? null;
}

export interface HandBack {
  delayMs: number;
  /** True: this try counts against the kind's retries. */
  countsAsAttempt: boolean;
  /** The process that it ran alone in died. */
  isLoneCrash?: boolean;
  error: { code: string; message: string } | null;
}

/** The chunk is pending again and due after the delay; the epoch rises, so that whoever still works on it is fenced. */
export async function handBackChunk(db: Db, lease: Lease, back: HandBack): Promise<boolean> {
  const { rows } = await sql`
    with freed as (
      update chunk set state = 'pending', epoch = epoch + 1, lease_until = null, worker_id = null, sent_at = null,
        due_at = gantry_now() + ${back.delayMs}::float8 * interval '1 millisecond',
        attempts = attempts + ${back.countsAsAttempt ? 1 : 0}, lone_crashes = lone_crashes + ${back.isLoneCrash ? 1 : 0},
        error_code = ${back.error?.code ?? null}, error_message = ${back.error?.message ?? null}
      where job_id = ${lease.jobId} and run = ${lease.run} and chunk = ${lease.chunk} and epoch = ${lease.epoch} and state = 'running'
      returning job_id, run, due_at),
    due as (update outbox set due_at = least(outbox.due_at, freed.due_at) from freed
      where outbox.job_id = freed.job_id and outbox.run = freed.run)
    select 1 from freed`.execute(db);
  return rows.length > 0;
}

/**
 * Takes `rows` from the bucket of a kind. @returns 0 when they may go now, else the milliseconds until the bucket is free.
 * Up to half a second that passed unused is made good, so that late wake-ups do not lower the rate.
 */
export async function takeRate(db: Db, kind: string, rows: number, perSecond: number): Promise<number> {
  const costMs = (rows / perSecond) * 1000;
  const { rows: taken } = await sql<{ kind: string }>`
    insert into kind_rate (kind, free_at) values (${kind}, gantry_now() + ${costMs}::float8 * interval '1 millisecond')
    on conflict (kind) do update
      set free_at = greatest(kind_rate.free_at, gantry_now() - interval '0.5 seconds') + ${costMs}::float8 * interval '1 millisecond'
      where kind_rate.free_at <= gantry_now()
    returning kind`.execute(db);
  if (taken.length > 0) return 0;
  const { rows: waits } = await sql<{ ms: number }>`
    select greatest(1, extract(epoch from free_at - gantry_now()) * 1000)::float8 as ms from kind_rate where kind = ${kind}`.execute(
    db,
  );
  return waits[0]?.ms ?? 1;
}
