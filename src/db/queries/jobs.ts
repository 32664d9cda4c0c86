// Reading jobs, each with its latest run: one, a page, their counts; and locking one for a command. Deleted and purged jobs are
// gone for every reader here. Every sort has an index that ends with the id, so a page costs the same wherever it begins.
import { sql, type Expression, type ExpressionBuilder, type SqlBool } from 'kysely';
import type { Db, Tx } from '../database';
import type { DB, JobState } from '../generated/database';
import { expectedMs } from './durations';

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
  'job.undoOf',
  'job.undoneBy',
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
  'latest.progressPercent',
  'latest.note',
  'latest.openChunks',
  'latest.crashes',
  'latest.pausedAt',
  'latest.pausedMs',
] as const;

/** What the history of the kind says, as it was at the end of a run that has ended; of a row, for jobs with rows. */
const EXPECTED_MS = sql<number | null>`case when latest.finished_at is not null then latest.expected_ms
  else ${expectedMs('history', 'latest.total')} end`;

/** The latest run's request for approval; null in a run that asked for none. */
const REQUEST_COLUMNS = [
  'request.requesterId',
  'request.approvers',
  'request.quorum',
  'request.requestedAt',
  'request.requestHash',
  'request.expiresAt as requestExpiresAt',
] as const;
const isRequestOver = sql<boolean>`coalesce(request.expires_at <= gantry_now(), false)`;
const approvedBy = sql<string[]>`case when request.job_id is null then '{}'::uuid[] else array(select d.user_id
  from approval_decision d where d.job_id = job.id and d.run = job.run and d.decision = 'approved') end`;

/** No tombstone, and its time has not run out, whether or not the retention duty has run. */
const isLiving = sql<SqlBool>`job.deleted_at is null and (job.purge_at is null or job.purge_at > gantry_now())`;

/** Earlier values of its rows are kept and were not put back yet. */
// No `exists`: for a list PostgreSQL would read the whole other table once and hash it.
const keepsValues = sql<boolean>`(select true from undo_value where undo_value.job_id = job.id limit 1) is not null`;
const beingUndone = sql<boolean>`(select true from job undoing
  where undoing.id = job.undone_by and undoing.finished_at is null and undoing.deleted_at is null) is not null`;
const hasFile = sql<boolean>`(select true from job_file where job_file.job_id = job.id limit 1) is not null`;

/** Jobs that a reader may meet. */
export function selectJobs(db: Db) {
  return db
    .selectFrom('job')
    .innerJoin('run as latest', (join) => join.onRef('latest.jobId', '=', 'job.id').onRef('latest.run', '=', 'job.run'))
    .leftJoin('approval as request', (join) =>
      join.onRef('request.jobId', '=', 'job.id').onRef('request.run', '=', 'job.run'),
    )
    .select([...JOB_COLUMNS, ...RUN_COLUMNS, ...REQUEST_COLUMNS])
    .select([isRequestOver.as('requestIsOver'), approvedBy.as('approvedBy')])
    .leftJoin('kindDuration as history', 'history.kind', 'job.kind')
    .select(EXPECTED_MS.as('expectedMs'))
    .select(sql<boolean>`latest.report is not null`.as('hasReport'))
    .select([keepsValues.as('keepsValues'), beingUndone.as('beingUndone'), hasFile.as('hasFile')])
    .where(isLiving);
}

/** A job and its latest run. `params` is the JSON text as it was sent. */
export type JobRow = Awaited<ReturnType<ReturnType<typeof selectJobs>['executeTakeFirstOrThrow']>>;

export async function findJob(db: Db, id: string): Promise<JobRow | null> {
  return (await selectJobs(db).where('job.id', '=', id).executeTakeFirst()) ?? null;
}

/**
 * The first lock of every command and of every ending: job before chunk before run. Two statements: one that waited for the
 * lock would join the job as it is now with the run as it was before.
 */
export async function lockJob(tx: Tx, id: string): Promise<JobRow | null> {
  const locked = await tx.selectFrom('job').select('id').where('id', '=', id).forUpdate().executeTakeFirst();
  return locked ? findJob(tx, id) : null;
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

/** Values that are taken, and values that are left out. */
export interface Choice<T> {
  in?: T[];
  notIn?: T[];
}

export type JobSort = 'createdAt' | 'finishedAt' | 'priority' | 'owner' | 'state' | 'kind';
/** Microseconds since 1970, the priority or the text that is sorted by; null for a job without that time. */
export type SortKey = number | string | null;

export interface JobFilter {
  owners?: Choice<string>;
  states?: Choice<JobState>;
  kinds?: Choice<string>;
  group?: 'processed' | 'unprocessed';
  /** Substring over title, kind, id and the owner's e-mail; `*` stands for any text, `?` for one character. */
  q?: string;
  /** Inclusive, on createdAt. */
  since?: Date;
  /** Exclusive, on createdAt. */
  until?: Date;
  ids?: string[];
}

export interface JobPage {
  sort: JobSort;
  descending: boolean;
  /** The last row of the page before: its sortKey and id. */
  after: { key: SortKey; id: string } | null;
  /** Rows passed over; for shapes of other systems that number their pages. */
  offset?: number;
  limit: number;
}

/** sortKey goes into the cursor as it is. */
export type ListedJob = JobRow & { sortKey: SortKey };

const COLUMN = {
  createdAt: 'created_at',
  finishedAt: 'finished_at',
  priority: 'priority',
  owner: 'owner_email',
  state: 'state',
  kind: 'kind',
} as const satisfies Record<JobSort, string>;
/** Sorts by what is no time. */
const TYPE: Partial<Record<JobSort, string>> = {
  priority: 'smallint',
  owner: 'text',
  state: 'job_state',
  kind: 'text',
};

export async function listJobs(db: Db, filter: JobFilter, page: JobPage): Promise<ListedJob[]> {
  const column = sql.ref(`job.${COLUMN[page.sort]}`);
  const key = TYPE[page.sort]
    ? sql<SortKey>`${column}`
    : sql<SortKey>`(extract(epoch from ${column}) * 1000000)::bigint`;
  const direction = page.descending ? 'desc' : 'asc';
  let query = selectJobs(db)
    .select(key.as('sortKey'))
    .where((builder) => builder.and(conditions(builder as JobBuilder, filter)))
    .orderBy(column, direction)
    .orderBy('job.id', direction)
    .limit(page.limit);
  if (page.offset) query = query.offset(page.offset);
  if (page.after) query = query.where(isAfter(page, column, page.after));
  return query.execute();
}

function isAfter(page: JobPage, column: Expression<unknown>, after: { key: SortKey; id: string }): Expression<SqlBool> {
  const { descending } = page;
  const beyond = descending ? sql`<` : sql`>`;
  // PostgreSQL puts rows without a value first when falling and last when rising.
  if (after.key === null) {
    const sameId = sql`(${column} is null and job.id ${beyond} ${after.id}::uuid)`;
    return descending ? sql<SqlBool>`(${sameId} or ${column} is not null)` : sql<SqlBool>`${sameId}`;
  }
  const type = TYPE[page.sort];
  const value = type
    ? sql`${after.key}::${sql.raw(type)}`
    : sql`(timestamptz 'epoch' + ${after.key}::bigint * interval '1 microsecond')`;
  const further = sql`(${column}, job.id) ${beyond} (${value}, ${after.id}::uuid)`;
  if (descending || page.sort !== 'finishedAt') return sql<SqlBool>`${further}`;
  return sql<SqlBool>`(${further} or ${column} is null)`;
}

export interface BoundedCount {
  count: number;
  /** There are more than were counted. */
  more: boolean;
}

/** Nobody reads a larger number, and counting further would cost. */
const COUNT_LIMIT = 10_000;

export async function countJobs(db: Db, filter: JobFilter): Promise<Record<JobState, BoundedCount>> {
  const some = db
    .selectFrom('job')
    .select('job.id')
    .where(sql<boolean>`job.state = each.state`)
    .where(isLiving)
    .where((builder) => builder.and(conditions(builder, filter)))
    .limit(COUNT_LIMIT + 1);
  const { rows } = await sql<{ state: JobState; count: number }>`
    select each.state, counted.count from unnest(enum_range(null::job_state)) as each(state),
      lateral (select count(*)::int as count from ${some.as('some')}) counted`.execute(db);
  return Object.fromEntries(
    rows.map(({ state, count }) => [state, { count: Math.min(count, COUNT_LIMIT), more: count > COUNT_LIMIT }]),
  ) as Record<JobState, BoundedCount>;
}

/** The jobs of a filter, for statements about the whole set. */
export function selectMatching(db: Db, filter: JobFilter) {
  return db
    .selectFrom('job')
    .where(isLiving)
    .where((builder) => builder.and(conditions(builder, filter)));
}

/** All of them, however many. */
export async function countMatching(db: Db, filter: JobFilter): Promise<number> {
  const counted = selectMatching(db, filter).select(sql<number>`count(*)::int`.as('count'));
  return (await counted.executeTakeFirstOrThrow()).count;
}

type JobBuilder = ExpressionBuilder<DB, 'job'>;

function conditions(builder: JobBuilder, filter: JobFilter): Expression<SqlBool>[] {
  const all: Expression<SqlBool>[] = [];
  const choose = <T extends string>(column: 'job.ownerId' | 'job.state' | 'job.kind', choice?: Choice<T>): void => {
    if (choice?.in) all.push(choice.in.length > 0 ? builder(column, 'in', choice.in as never[]) : sql<SqlBool>`false`);
    if (choice?.notIn && choice.notIn.length > 0) all.push(builder(column, 'not in', choice.notIn as never[]));
  };
  choose('job.ownerId', filter.owners);
  choose('job.state', filter.states);
  choose('job.kind', filter.kinds);
  if (filter.group) {
    // Just the final states have an end; a constraint keeps it so.
    all.push(builder('job.finishedAt', filter.group === 'processed' ? 'is not' : 'is', null));
  }
  if (filter.ids) all.push(sql<SqlBool>`job.id = any(${filter.ids}::uuid[])`);
  if (filter.since) all.push(builder('job.createdAt', '>=', filter.since));
  if (filter.until) all.push(builder('job.createdAt', '<', filter.until));
  if (filter.q !== undefined && filter.q !== '') {
    const pattern = likePattern(filter.q);
    all.push(
      sql<SqlBool>`(job.title ilike ${pattern} or job.kind ilike ${pattern} or job.id::text ilike ${pattern} or job.owner_email ilike ${pattern})`,
    );
  }
  return all;
}

/** LIKE's own signs are taken as text; `*` and `?` are the user's. */
export function likePattern(q: string): string {
  const escaped = q.replace(/[\\%_]/g, (sign) => `\\${sign}`);
  return `%${escaped.replaceAll('*', '%').replaceAll('?', '_')}%`;
}
