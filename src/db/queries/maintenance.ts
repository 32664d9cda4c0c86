// The statements of upkeep: small batches, each repeatable, each harmless beside live work. Called by workers/maintenance.
import { sql } from 'kysely';
import type { Db } from '../database';
import { closeAttempt, closeLostAttempt } from './attempts';

/** Chunks whose worker fell silent are pending again. A chunk locked by its own completion is alive and is passed over. */
export async function rescueChunks(db: Db, limit: number): Promise<number> {
  const { rows } = await sql<{ jobId: string }>`
    with held as (
      select job_id, run, chunk, worker_id from chunk where state = 'running' and lease_until < gantry_now()
        order by lease_until limit ${limit} for update skip locked),
    lost as (
      update chunk set state = 'pending', epoch = epoch + 1, lease_until = null, worker_id = null, sent_at = null,
        due_at = gantry_now(), crashes = crashes + 1
      from held where chunk.job_id = held.job_id and chunk.run = held.run and chunk.chunk = held.chunk
      returning chunk.job_id, chunk.run, held.worker_id),
    closed as (${closeLostAttempt('lost')}),
    due as (update outbox set due_at = least(due_at, gantry_now()) where job_id in (select job_id from lost))
    select job_id from lost`.execute(db);
  return rows.length;
}

/** Runs whose worker fell silent have no holder any more; their outbox row is due at once. */
export async function rescueRuns(db: Db, limit: number): Promise<string[]> {
  const { rows } = await sql<{ jobId: string }>`
    with lost as (
      update run set epoch = epoch + 1, lease_until = null, worker_id = null, crashes = crashes + 1
      where (job_id, run) in (select job_id, run from run where lease_until < gantry_now() and finished_at is null
        order by lease_until limit ${limit} for update skip locked)
      returning job_id, run),
    closed as (${closeAttempt('lost', 'worker_lost')}),
    due as (update outbox set sent_at = null, due_at = gantry_now() from lost where outbox.job_id = lost.job_id and outbox.run = lost.run),
    told as (insert into job_event (job_id, run, type) select job_id, run, 'worker_lost' from lost)
    select job_id from lost`.execute(db);
  return rows.map((row) => row.jobId);
}

/** Waiting or running jobs that nobody holds and nothing will wake: their outbox row was lost, as after a restored backup. */
export async function listForgotten(db: Db, limit: number): Promise<{ jobId: string; kind: string }[]> {
  const { rows } = await sql<{ jobId: string; kind: string }>`
    select job.id as job_id, job.kind from job join run on run.job_id = job.id and run.run = job.run
    where job.state in ('queued', 'running') and job.deleted_at is null and run.lease_until is null and run.finished_at is null
      and not exists (select 1 from outbox where outbox.job_id = job.id)
      and (job.state = 'queued' or (job.wake_at is null and job.waiting_for is null))
    limit ${limit}`.execute(db);
  return rows;
}

/** A notice of the job that is still to go out holds its purge back, but no longer than this after its end. */
const NOTICE_HOLD = sql`interval '72 hours'`;

/** Makes ended jobs invisible whose time is over. @returns how many. */
export async function tombstoneExpired(db: Db, limit: number): Promise<number> {
  const { rows } = await sql`
    with gone as (
      update job set deleted_at = gantry_now(), version = version + 1
      where id = any(array(select id from job where purge_at <= gantry_now() and deleted_at is null
          and (finished_at < gantry_now() - ${NOTICE_HOLD}
            or not exists (select 1 from notice where notice.job_id = job.id and notice.state in ('due', 'sending')))
        order by purge_at limit ${limit} for update skip locked))
      returning id, owner_id)
    insert into change (topic, subject_id, owner_id) select 'job', id, owner_id from gone returning 1`.execute(db);
  return rows.length;
}

export async function listTombstones(db: Db, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from job where deleted_at is not null order by deleted_at limit ${limit}`.execute(db);
  return rows.map((row) => row.id);
}

/** Tables that hang on a job and may be large, children first. */
const HANGING = [
  'undo_value',
  'job_file_part',
  'row_error',
  'log_line',
  'report_entry',
  'attempt',
  'chunk',
  'row_outcome',
  'job_input',
  'job_event',
] as const;

/** Deletes up to `limit` rows that hang on a tombstone. @returns how many; 0 when all are gone. */
export async function deleteHanging(db: Db, jobId: string, limit: number): Promise<number> {
  let deleted = 0;
  for (const table of HANGING) {
    if (deleted >= limit) break;
    const { rows } = await sql<{ count: number }>`
      with gone as (delete from ${sql.table(table)} where ctid = any(array(
        select ctid from ${sql.table(table)} where job_id = ${jobId} limit ${limit - deleted})) returning 1)
      select count(*)::int as count from gone`.execute(db);
    deleted += rows[0]?.count ?? 0;
  }
  return deleted;
}

/** The job itself and its notices; one that is still due goes out all the same. */
export async function deleteTombstone(db: Db, jobId: string): Promise<void> {
  await sql`
    with told as (delete from notice where job_id = ${jobId} and state not in ('due', 'sending'))
    delete from job where id = ${jobId} and deleted_at is not null`.execute(db);
}

/** Notices that went out after their job was gone; those that are about no single job stay for two weeks. */
export async function pruneOrphanNotices(db: Db, limit: number): Promise<number> {
  const { rows } = await sql`
    delete from notice where id in (select id from notice where state not in ('due', 'sending')
      and (kind = 'job-ended' or created_at < gantry_now() - interval '14 days')
      and not exists (select 1 from job where job.id = notice.job_id) limit ${limit}) returning 1`.execute(db);
  return rows.length;
}

/** Uploads that nobody touched for `idleMs`: their staged rows go in batches, then the mark. @returns rows deleted. */
export async function deleteAbandonedUploads(db: Db, idleMs: number, limit: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    with idle as (select job_id from upload where touched_at < gantry_now() - ${idleMs}::float8 * interval '1 millisecond' limit 20),
    staged as (delete from job_input where ctid = any(array(
      select job_input.ctid from job_input join idle using (job_id)
      where not exists (select 1 from job where job.id = idle.job_id) limit ${limit})) returning 1),
    marks as (delete from upload where job_id in (select job_id from idle
      where not exists (select 1 from job_input where job_input.job_id = idle.job_id)
        or exists (select 1 from job where job.id = idle.job_id)) returning 1)
    select ((select count(*) from staged) + (select count(*) from marks))::int as count`.execute(db);
  return rows[0]?.count ?? 0;
}

export async function pruneIdempotency(db: Db, keepMs: number, limit: number): Promise<number> {
  const { rows } = await sql`
    delete from idempotency where (user_id, route, key) in (select user_id, route, key from idempotency
      where created_at < gantry_now() - ${keepMs}::float8 * interval '1 millisecond' order by created_at limit ${limit}) returning 1`.execute(
    db,
  );
  return rows.length;
}
