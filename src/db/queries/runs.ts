// Making runs: the job's row, its runs and their chunks. Called by create and requeue inside their one short transaction.
import { sql, type Insertable } from 'kysely';
import type { Db, Tx } from '../database';
import type { Job, JobState, RunScope } from '../generated/database';

export async function insertJob(tx: Tx, job: Insertable<Job>): Promise<void> {
  await tx.insertInto('job').values(job).execute();
}

export async function insertRun(
  tx: Tx,
  run: { jobId: string; run: number; scope: RunScope; requestedBy: string },
): Promise<void> {
  await tx.insertInto('run').values(run).execute();
}

/** What is to be made of a run's rows: how many in a chunk, and where the trial ends (rows of this run; null: no trial). */
export interface ChunkPlan {
  chunkSize: number;
  trial: number | null;
}

/** Chunks over all rows: each lies within one input chunk, and one boundary lies where the trial ends. */
export async function insertChunksOfAll(tx: Tx, jobId: string, run: number, plan: ChunkPlan): Promise<void> {
  await sql`
    with piece as (
      select i.input_chunk, first, least(first + ${plan.chunkSize}::bigint, i.first_row_index + i.row_count) as upto
      from job_input i, generate_series(i.first_row_index, i.first_row_index + i.row_count - 1, ${plan.chunkSize}::bigint) first
      where i.job_id = ${jobId}),
    cut as (
      select input_chunk, first, case when ${plan.trial}::bigint > first and ${plan.trial}::bigint < upto
        then ${plan.trial}::bigint else upto end as upto from piece
      union all
      select input_chunk, ${plan.trial}::bigint, upto from piece
      where ${plan.trial}::bigint > first and ${plan.trial}::bigint < upto)
    insert into chunk (job_id, run, chunk, input_chunk, first_row_index, row_count)
    select ${jobId}, ${run}, row_number() over (order by first) - 1, input_chunk, first, upto - first from cut`.execute(
    tx,
  );
}

/**
 * Chunks over the rows that have not succeeded in any run: those whose last outcome is a failure, or all of them.
 * row_indexes is null where the rows follow one another, so that whole chunks stay small.
 */
export async function insertChunksOfRest(
  tx: Tx,
  jobId: string,
  run: number,
  scope: 'failed' | 'unfinished',
  /** code: of the failed rows those whose last failure has this code. */
  plan: ChunkPlan & { code?: string | undefined },
): Promise<void> {
  // Bit n of a bitmap is bit n mod 8, from the least significant, of byte n / 8: PostgreSQL's get_bit.
  const wanted =
    scope === 'failed'
      ? sql`o.failed is not null and get_bit(o.failed, n) = 1`
      : sql`(o.good is null or get_bit(o.good, n) = 0)`;
  const hasCode =
    plan.code === undefined
      ? sql`true`
      : sql`i.first_row_index + n in (
          select row_index from (select distinct on (row_index) row_index, code from row_error
            where job_id = ${jobId} order by row_index, run desc) latest where code = ${plan.code})`;
  await sql`
    with wanted as (
      select i.input_chunk, i.first_row_index + n as row_index,
        row_number() over (order by i.input_chunk, n) - 1 as ordinal,
        row_number() over (partition by i.input_chunk order by n) - 1 as place
      from job_input i left join row_outcome o on o.job_id = i.job_id and o.input_chunk = i.input_chunk,
        generate_series(0, i.row_count - 1) n
      where i.job_id = ${jobId} and ${wanted} and ${hasCode}),
    piece as (
      select input_chunk, min(row_index) as first, max(row_index) as last, count(*) as row_count,
        array_agg(row_index order by row_index) as row_indexes
      from wanted
      group by input_chunk, place / ${plan.chunkSize}::bigint, coalesce(ordinal >= ${plan.trial}::bigint, false))
    insert into chunk (job_id, run, chunk, input_chunk, first_row_index, row_count, row_indexes)
    select ${jobId}, ${run}, row_number() over (order by first) - 1, input_chunk, first, row_count,
      case when last - first + 1 = row_count then null else row_indexes end
    from piece`.execute(tx);
}

/** Sets the run's figures from the chunks just made. @returns how many rows the run has. */
export async function countChunksOf(tx: Tx, jobId: string, run: number): Promise<number> {
  const { rows } = await sql<{ total: number }>`
    update run set total = made.total, open_chunks = made.chunks
    from (select coalesce(sum(row_count), 0)::bigint as total, count(*)::int as chunks
      from chunk where job_id = ${jobId} and run = ${run}) made
    where run.job_id = ${jobId} and run.run = ${run} returning run.total`.execute(tx);
  return rows[0]?.total ?? 0;
}

/** Starts the next run of an ended job: it waits again as if it were new, and keeps its id. Guarded by run and states. */
export async function markRequeued(
  tx: Tx,
  jobId: string,
  run: number,
  from: JobState[],
  to: 'queued' | 'awaiting_approval',
): Promise<boolean> {
  const result = await tx
    .updateTable('job')
    .set({
      state: to,
      run: run + 1,
      phase: null,
      waitingFor: null,
      queuedAt: to === 'queued' ? sql<Date>`gantry_now()` : null,
      startedAt: null,
      finishedAt: null,
      purgeAt: null,
      runAt: null,
      wakeAt: null,
      cancelRequestedAt: null,
      cancelReason: null,
      errorCode: null,
      errorMessage: null,
      // The answers to trial and limit held for the earlier run.
      trialPassed: false,
      limitPassed: false,
      version: sql<number>`version + 1`,
    })
    .where('id', '=', jobId)
    .where('run', '=', run)
    .where('state', 'in', from)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

export interface RunRow {
  run: number;
  scope: RunScope;
  requestedBy: string | null;
  host: string | null;
  queuedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  outcome: JobState | null;
  total: number | null;
  good: number;
  failed: number;
  skipped: number;
  progressDone: number;
  progressTotal: number | null;
  note: string | null;
  pausedMs: number;
  errorCode: string | null;
  errorMessage: string | null;
}

/** Newest first, those before run `before`. */
export function listRuns(db: Db, jobId: string, page: { before: number | null; limit: number }): Promise<RunRow[]> {
  return db
    .selectFrom('run')
    .select(['run', 'scope', 'requestedBy', 'host', 'queuedAt', 'startedAt', 'finishedAt', 'outcome', 'total', 'good'])
    .select(['failed', 'skipped', 'progressDone', 'progressTotal', 'note', 'pausedMs', 'errorCode', 'errorMessage'])
    .where('jobId', '=', jobId)
    .$if(page.before !== null, (query) => query.where('run', '<', page.before ?? 0))
    .orderBy('run', 'desc')
    .limit(page.limit)
    .execute();
}
