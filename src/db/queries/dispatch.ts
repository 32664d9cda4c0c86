// What the dispatcher reads and stamps: the window, whose turn it is, and what was sent and never started.
// Called by workers/dispatcher only; every stamp is guarded, so two dispatchers for a moment do no harm.
import { sql } from 'kysely';
import type { Db } from '../database';
import type { JobState } from '../generated/database';

/** Slots of all workers heard from within a lease. */
export async function countLiveSlots(db: Db, leaseMs: number): Promise<number> {
  const { rows } = await sql<{ slots: number }>`
    select coalesce(sum(slots), 0)::int as slots from worker
    where state = 'connected' and heartbeat_at > gantry_now() - ${leaseMs}::float8 * interval '1 millisecond'`.execute(
    db,
  );
  return rows[0]?.slots ?? 0;
}

export interface OnWay {
  onWay: number;
  /** Handed to the queue and not yet claimed. */
  unstarted: number;
}

export async function countOnWay(db: Db): Promise<OnWay> {
  const { rows } = await sql<OnWay>`
    select (runs.sent + chunks.sent)::int as on_way, (runs.unstarted + chunks.unstarted)::int as unstarted
    from (select count(*) as sent, count(*) filter (where run.lease_until is null) as unstarted
            from outbox join run using (job_id, run) where outbox.sent_at is not null) runs,
         (select count(*) as sent, count(*) filter (where state = 'pending') as unstarted
            from chunk where sent_at is not null and state in ('pending', 'running')) chunks`.execute(db);
  return rows[0] ?? { onWay: 0, unstarted: 0 };
}

export interface Candidate {
  jobId: string;
  run: number;
  ownerId: string;
  shape: 'run' | 'chunks';
  /** How many messages this run may have now. */
  room: number;
  /** Rows of a trial that is not yet answered, else null. */
  trial: number | null;
  /** Its chunks go one after the other, whatever the earlier one waits for. */
  isUndo: boolean;
}

/**
 * Due runs of up to `owners` owners that come after `after`, in the order of their ids, each owner's own in the order
 * priority, fast track, age. A walk over the owner index, so that a long backlog of one owner costs nothing.
 */
export async function listCandidates(
  db: Db,
  range: { after: string; upTo: string },
  owners: number,
  perOwner: number,
): Promise<Candidate[]> {
  const { rows } = await sql<Candidate>`
    with recursive owner(owner_id, place) as (
      (select owner_id, 1 from outbox where sent_at is null and owner_id > ${range.after}::uuid and owner_id <= ${range.upTo}::uuid
        order by owner_id limit 1)
      union all
      select next.owner_id, owner.place + 1 from owner cross join lateral (
        select o.owner_id from outbox o where o.sent_at is null and o.owner_id > owner.owner_id and o.owner_id <= ${range.upTo}::uuid
        order by o.owner_id limit 1) next
      where owner.place < ${owners}::int
    )
    select due.job_id, due.run, due.owner_id, due.shape, due.room, due.trial, due.is_undo
    from owner cross join lateral (
      select o.job_id, o.run, o.owner_id, o.shape,
        case when o.shape = 'run' then 1 else o.max_on_way - (select count(*)::int from chunk c
          where c.job_id = o.job_id and c.run = o.run and c.sent_at is not null and c.state in ('pending', 'running')) end as room,
        case when job.trial_passed then null else job.trial end as trial, job.undo_of is not null as is_undo,
        o.priority, o.rank, o.due_at
      from outbox o join job on job.id = o.job_id and job.run = o.run
      where o.owner_id = owner.owner_id and o.sent_at is null and o.due_at <= gantry_now() and job.deleted_at is null
        and ((job.state in ('queued', 'running') and job.phase is distinct from 'pausing')
          or (job.state = 'canceling' and o.shape = 'run'))
      order by o.priority desc, o.rank, o.due_at, o.job_id
      limit ${perOwner}::int) due
    order by owner.place, due.priority desc, due.rank, due.due_at, due.job_id`.execute(db);
  return rows;
}

export interface Sent {
  jobId: string;
  run: number;
  chunk?: number;
  send: number;
}

/** The claim raises the epoch, so a run that slept and was woken never meets the id of a message still in hand. */
const SENDS_PER_EPOCH = 1000;

export async function markRunsSent(db: Db, jobIds: string[]): Promise<Sent[]> {
  if (jobIds.length === 0) return [];
  const { rows } = await sql<{ jobId: string; run: number; send: number; epoch: number }>`
    update outbox set sent_at = gantry_now(), send = outbox.send + 1
    from run where run.job_id = outbox.job_id and run.run = outbox.run
      and outbox.job_id = any(${jobIds}::uuid[]) and outbox.shape = 'run' and outbox.sent_at is null
    returning outbox.job_id, outbox.run, outbox.send, run.epoch`.execute(db);
  return rows.map(({ epoch, send, ...row }) => ({ ...row, send: epoch * SENDS_PER_EPOCH + (send % SENDS_PER_EPOCH) }));
}

/**
 * Stamps up to `limit` due chunks of a run, in order, and not beyond the trial's rows. The array is read once: PostgreSQL may run
 * a subquery of `in` again for each row, and with skip locked each run of it takes other rows, beyond any limit.
 */
export async function markChunksSent(db: Db, candidate: Candidate, limit: number): Promise<Sent[]> {
  const { jobId, run, trial, isUndo } = candidate;
  const withinTrial =
    trial === null
      ? sql``
      : sql`and chunk in (select head.chunk from (
          select first.chunk, sum(first.row_count) over (order by first.chunk) as upto
          from (select chunk, row_count from chunk where job_id = ${jobId} and run = ${run} order by chunk limit ${trial}) first) head
        where head.upto <= ${trial})`;
  // One that is tried again later holds back those after it: they take earlier effects back.
  const inTurn = isUndo
    ? sql`and chunk = (select min(chunk) from chunk where job_id = ${jobId} and run = ${run} and state in ('pending', 'running'))`
    : sql``;
  const { rows } = await sql<Sent>`
    update chunk set sent_at = gantry_now(), send = send + 1
    where job_id = ${jobId} and run = ${run} and state = 'pending' and sent_at is null and chunk = any(array(
      select chunk from chunk where job_id = ${jobId} and run = ${run} and state = 'pending' and sent_at is null
        and due_at <= gantry_now() ${withinTrial} ${inTurn}
      order by chunk limit ${limit} for update skip locked))
    returning job_id, run, chunk, send`.execute(db);
  return rows;
}

/** Nothing of this run can be sent now: look again when its next chunk is due, or soon. */
export async function deferRun(db: Db, jobId: string, run: number): Promise<void> {
  await sql`
    update outbox set due_at = least(gantry_now() + interval '5 seconds', coalesce((
      select min(due_at) from chunk where job_id = ${jobId} and run = ${run} and state = 'pending' and sent_at is null
        and due_at > gantry_now()), 'infinity'))
    where job_id = ${jobId} and run = ${run}`.execute(db);
}

/** Takes back stamps whose message did not reach the queue. */
export async function unmarkSent(db: Db, sent: Sent[]): Promise<void> {
  const runs = sent.filter((one) => one.chunk === undefined).map((one) => one.jobId);
  if (runs.length > 0) {
    await sql`update outbox set sent_at = null where job_id = any(${runs}::uuid[])`.execute(db);
  }
  const chunks = sent.filter((one) => one.chunk !== undefined);
  if (chunks.length > 0) {
    await sql`
      update chunk set sent_at = null
      from unnest(${chunks.map((c) => c.jobId)}::uuid[], ${chunks.map((c) => c.run)}::int[], ${chunks.map((c) => c.chunk)}::int[])
        as given(job_id, run, chunk)
      where chunk.job_id = given.job_id and chunk.run = given.run and chunk.chunk = given.chunk and chunk.state = 'pending'`.execute(
      db,
    );
  }
}

/** What was sent longer ago than a lease and has not started is due again. @returns how many. */
export async function unmarkLost(db: Db, leaseMs: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    with lost_runs as (
      update outbox set sent_at = null from run
      where run.job_id = outbox.job_id and run.run = outbox.run and run.lease_until is null
        and outbox.sent_at < gantry_now() - ${leaseMs}::float8 * interval '1 millisecond' returning 1),
    lost_chunks as (
      update chunk set sent_at = null
      where state = 'pending' and sent_at is not null and sent_at < gantry_now() - ${leaseMs}::float8 * interval '1 millisecond'
      returning 1)
    select ((select count(*) from lost_runs) + (select count(*) from lost_chunks))::int as count`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Milliseconds until the next outbox row is due, or null. */
export async function nextDueInMs(db: Db): Promise<number | null> {
  const { rows } = await sql<{ ms: number | null }>`
    select extract(epoch from min(due_at) - gantry_now())::float8 * 1000 as ms from outbox
    where sent_at is null and due_at > gantry_now() and due_at < gantry_now() + interval '2 seconds'`.execute(db);
  return rows[0]?.ms ?? null;
}

/** Moves scheduled jobs whose time has come to queued. @returns those that moved. */
export async function queueScheduled(
  db: Db,
  statesBefore: JobState[],
  limit: number,
): Promise<{ jobId: string; kind: string }[]> {
  const { rows } = await sql<{ jobId: string; kind: string }>`
    with moved as (
      update job set state = 'queued', queued_at = gantry_now(), version = version + 1
      where id = any(array(select id from job where state = 'scheduled' and run_at <= gantry_now() and deleted_at is null
          order by run_at limit ${limit} for update skip locked))
        and state = any(${statesBefore}::job_state[])
      returning id, kind, run, owner_id),
    queued as (update run set queued_at = gantry_now() from moved where run.job_id = moved.id and run.run = moved.run),
    due as (update outbox set due_at = gantry_now() from moved where outbox.job_id = moved.id),
    told as (insert into job_event (job_id, run, type) select id, run, 'queued' from moved),
    changed as (insert into change (topic, subject_id, owner_id) select 'job', id, owner_id from moved)
    select id as job_id, kind from moved`.execute(db);
  return rows;
}

/** Wakes processes whose wait is over. */
export async function wakeSleepers(db: Db, limit: number): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    with woken as (
      update job set wake_at = null, wake_seq = wake_seq + 1
      where id = any(array(select id from job where wake_at <= gantry_now() order by wake_at limit ${limit} for update skip locked))
      returning id, run, owner_id, priority, state),
    due as (insert into outbox (job_id, run, owner_id, shape, priority)
      select id, run, owner_id, 'run', priority from woken where state in ('running', 'canceling')
      on conflict (job_id) do nothing)
    select id from woken`.execute(db);
  return rows.length;
}

/** Puts a run that is due back into the outbox; harmless when it is there. */
export async function insertOutbox(db: Db, jobId: string, shape: 'run' | 'chunks', maxOnWay: number): Promise<void> {
  await sql`
    insert into outbox (job_id, run, owner_id, shape, priority, max_on_way)
    select id, run, owner_id, ${shape}, priority, case when undo_of is null then ${maxOnWay}::int else 1 end from job where id = ${jobId}
    on conflict (job_id) do nothing`.execute(db);
}
