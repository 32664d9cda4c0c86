// Reading jobs, each with its latest run, and locking one for a command. Deleted and purged jobs are gone for every reader here.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';

/** Columns of a job that clients and commands need. Not among them: input columns and the report, which may be large. */
const JOB_COLUMNS = [
  'job.id',
  'job.kind',
  'job.title',
  'job.state',
  'job.phase',
  'job.ownerId',
  'job.ownerName',
  'job.ownerEmail',
  'job.priority',
  'job.run',
  'job.params',
  'job.inputFormat',
  'job.rowTotal',
  'job.derivedFrom',
  'job.notifyEmail',
  'job.notifyTo',
  'job.trial',
  'job.maxFailed',
  'job.maxFailedPercent',
  'job.limitThen',
  'job.waitingFor',
  'job.trialPassed',
  'job.limitPassed',
  'job.runAt',
  'job.wakeAt',
  'job.wakeSeq',
  'job.createdAt',
  'job.queuedAt',
  'job.startedAt',
  'job.finishedAt',
  'job.purgeAt',
  'job.cancelRequestedAt',
  'job.cancelReason',
  'job.errorCode',
  'job.errorMessage',
  'job.version',
] as const;

const RUN_COLUMNS = [
  'latest.scope',
  'latest.requestedBy',
  'latest.epoch',
  'latest.workerId',
  'latest.host',
  'latest.leaseUntil',
  'latest.outcome',
  'latest.total',
  'latest.good',
  'latest.failed',
  'latest.skipped',
  'latest.progressDone',
  'latest.progressTotal',
  'latest.note',
  'latest.openChunks',
  'latest.crashes',
  'latest.pausedAt',
  'latest.pausedMs',
] as const;

/** Jobs that a reader may meet: no tombstone, and its time has not run out, whether or not the retention duty has run. */
export function selectJobs(db: Db) {
  return db
    .selectFrom('job')
    .innerJoin('run as latest', (join) => join.onRef('latest.jobId', '=', 'job.id').onRef('latest.run', '=', 'job.run'))
    .select([...JOB_COLUMNS, ...RUN_COLUMNS])
    .select(sql<boolean>`latest.report is not null`.as('hasReport'))
    .where('job.deletedAt', 'is', null)
    .where(sql<boolean>`(job.purge_at is null or job.purge_at > gantry_now())`);
}

/** A job and its latest run. `params` is the JSON text as it was sent. */
export type JobRow = Awaited<ReturnType<ReturnType<typeof selectJobs>['executeTakeFirstOrThrow']>>;

export async function findJob(db: Db, id: string): Promise<JobRow | null> {
  return (await selectJobs(db).where('job.id', '=', id).executeTakeFirst()) ?? null;
}

/** The first lock of every command and of every ending: job before chunk before run. */
export async function lockJob(tx: Tx, id: string): Promise<JobRow | null> {
  return (await selectJobs(tx).where('job.id', '=', id).forUpdate('job').executeTakeFirst()) ?? null;
}

/** The result report of a run as JSON text, or null when it made none. */
export async function findReport(db: Db, jobId: string, run: number): Promise<string | null> {
  const row = await db
    .selectFrom('run')
    .select('report')
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .executeTakeFirst();
  return row?.report ?? null;
}
