// The statements by which a run ends. Called by jobs/finishRun.ts alone, in its order: job, chunks, run.
import { sql } from 'kysely';
import type { Tx } from '../database';
import type { JobState } from '../generated/database';
import { expectedMs } from './durations';

export interface EndingJob {
  id: string;
  kind: string;
  title: string;
  state: JobState;
  ownerId: string;
  ownerName: string;
  ownerEmail: string;
  notifyEmail: boolean;
  notifyTo: string | null;
}

/** Locks the job if this run of it may still end so. Tombstones count too: what was deleted ends quietly elsewhere. */
export async function lockEndingJob(tx: Tx, jobId: string, run: number, from: JobState[]): Promise<EndingJob | null> {
  const row = await tx
    .selectFrom('job')
    .select(['id', 'kind', 'title', 'state', 'ownerId', 'ownerName', 'ownerEmail', 'notifyEmail', 'notifyTo'])
    .where('id', '=', jobId)
    .where('run', '=', run)
    .where('state', 'in', from)
    .forUpdate()
    .executeTakeFirst();
  return row ?? null;
}

/** What is still to be sent is sent no more. Chunks in hand are fenced by the end of the run. */
export async function dropOpenChunks(tx: Tx, jobId: string, run: number): Promise<void> {
  await tx
    .updateTable('chunk')
    .set({ state: 'dropped', finishedAt: sql<Date>`gantry_now()`, sentAt: null })
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .where('state', '=', 'pending')
    .execute();
}

export interface EndedRun {
  total: number | null;
  good: number;
  failed: number;
  skipped: number;
  progressDone: number;
  startedAt: Date | null;
  finishedAt: Date | null;
  pausedMs: number;
}

/** Null when the run has ended already or the lease of `epoch` is lost. */
export async function markRunEnded(
  tx: Tx,
  jobId: string,
  run: number,
  epoch: number | null,
  outcome: JobState,
  error: { code: string; message: string } | null,
  report: string | null,
): Promise<EndedRun | null> {
  const row = await tx
    .updateTable('run')
    .set({
      outcome,
      finishedAt: sql<Date>`gantry_now()`,
      leaseUntil: null,
      openChunks: 0,
      pausedMs: sql<number>`paused_ms + coalesce(extract(epoch from gantry_now() - paused_at) * 1000, 0)::bigint`,
      pausedAt: null,
      errorCode: error?.code ?? null,
      errorMessage: error?.message ?? null,
      report,
      expectedMs: sql<number | null>`(select ${expectedMs('history', 'run.total')} from kind_duration history
        join job on job.kind = history.kind where job.id = run.job_id)`,
    })
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .where('finishedAt', 'is', null)
    .$if(epoch !== null, (query) => query.where('epoch', '=', epoch ?? 0))
    .returning(['total', 'good', 'failed', 'skipped', 'progressDone', 'startedAt', 'finishedAt', 'pausedMs'])
    .executeTakeFirst();
  return row ?? null;
}

export async function markJobEnded(
  tx: Tx,
  jobId: string,
  end: {
    outcome: JobState;
    finishedAt: Date;
    /** For jobs whose kind says nothing of its own. */
    retentionDays: number;
    error: { code: string; message: string } | null;
  },
): Promise<void> {
  await tx
    .updateTable('job')
    .set({
      state: end.outcome,
      phase: null,
      waitingFor: null,
      wakeAt: null,
      finishedAt: end.finishedAt,
      // Days of 24 hours, whatever the clocks of a time zone do.
      purgeAt: sql<Date>`${end.finishedAt}::timestamptz + coalesce(job.retention_days, ${end.retentionDays}::float8) * 86400 * interval '1 second'`,
      errorCode: end.error?.code ?? null,
      errorMessage: end.error?.message ?? null,
      version: sql<number>`version + 1`,
    })
    .where('id', '=', jobId)
    .executeTakeFirstOrThrow();
  await tx.deleteFrom('outbox').where('jobId', '=', jobId).execute();
}

/** The most frequent causes of a run's failed rows, each with one of its messages. */
export function listTopErrors(
  tx: Tx,
  jobId: string,
  run: number,
  limit: number,
): Promise<{ code: string; message: string; count: number }[]> {
  return tx
    .selectFrom('rowError')
    .select(['code', sql<string>`min(message)`.as('message'), sql<number>`count(*)`.as('count')])
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .groupBy('code')
    .orderBy(sql`count(*)`, 'desc')
    .orderBy('code')
    .limit(limit)
    .execute();
}

/** More notices than these to one recipient in a minute wait for a digest. */
const MANY_A_MINUTE = 50;

/**
 * One notice per run, kind and recipient, however often it is asked for. hold: it waits for the next digest; 'whenMany': only
 * when the recipient has been sent many in the last minute.
 */
export async function insertNotice(
  tx: Tx,
  notice: {
    id: string;
    jobId: string;
    run: number;
    kind: string;
    recipient: string;
    payload: string;
    hold?: boolean | 'whenMany';
  },
): Promise<void> {
  const { id, jobId, run, kind, recipient, payload, hold = false } = notice;
  const held =
    hold === 'whenMany'
      ? sql`(select count(*) from (select from notice where recipient = ${recipient}
          and created_at > gantry_now() - interval '1 minute' limit ${MANY_A_MINUTE}) latest) >= ${MANY_A_MINUTE}`
      : sql`${hold}::boolean`;
  await sql`
    insert into notice (id, job_id, run, kind, recipient, payload, held, due_at)
    select ${id}, ${jobId}, ${run}, ${kind}, ${recipient}, ${payload}::json, held,
      case when held then 'infinity' else gantry_now() end
    from (select ${held} as held) judged
    on conflict (job_id, run, kind, recipient) do nothing`.execute(tx);
}
