// Commands on sets of jobs: the set is frozen by one statement inside the database, and read again here for clients.
// Carrying them out is queries/bulkItems.ts.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { JobState, UserRole } from '../generated/database';
import { selectMatching, type JobFilter } from './jobs';

export type BulkState = 'waiting' | 'running' | 'done' | 'aborted';
export type BulkResult = 'waiting' | 'succeeded' | 'skipped' | 'failed';

export interface NewBulkAction {
  id: string;
  action: string;
  /** JSON texts. */
  input: string;
  selection: string;
  ownerId: string;
  ownerName: string;
  ownerEmail: string;
  ownerRole: UserRole;
  requestId: string | null;
}

/** Nothing is carried out for `delayMs`: the time to undo. */
export async function insertBulkAction(tx: Tx, action: NewBulkAction, delayMs: number): Promise<void> {
  const startsAt = sql<Date>`gantry_now() + ${delayMs}::float8 * interval '1 millisecond'`;
  await tx
    .insertInto('bulkAction')
    .values({ ...action, startsAt })
    .execute();
}

/** Jobs that are alike in all that decides whether a command may act on them. */
export interface JobGroup {
  kind: string;
  state: JobState;
  phase: string | null;
  waitingFor: string | null;
  ownerId: string;
  hasRows: boolean;
  run: number;
  priority: number;
  count: number;
}

/** The jobs of a filter in groups; the owner is the asker, or nobody. */
export function groupMatching(db: Db, filter: JobFilter, actorId: string): Promise<JobGroup[]> {
  const each = selectMatching(db, filter)
    .select(['job.kind', 'job.state', 'job.phase', 'job.waitingFor', 'job.priority'])
    .select([
      sql<string>`case when job.owner_id = ${actorId} then job.owner_id else '00000000-0000-0000-0000-000000000000' end`.as(
        'ownerId',
      ),
      sql<boolean>`job.row_total is not null`.as('hasRows'),
      // Rules only ask whether there was a run before.
      sql<number>`least(job.run, 2)`.as('run'),
    ]);
  return db
    .selectFrom(each.as('each'))
    .select(['kind', 'state', 'phase', 'waitingFor', 'priority', 'ownerId', 'hasRows', 'run'])
    .select(sql<number>`count(*)::int`.as('count'))
    .groupBy(['kind', 'state', 'phase', 'waitingFor', 'priority', 'ownerId', 'hasRows', 'run'])
    .execute();
}

/** Freezes the set, oldest job first. @returns how many jobs it holds. */
export async function insertMatching(tx: Tx, bulkId: string, filter: JobFilter): Promise<number> {
  const result = await tx
    .insertInto('bulkItem')
    .columns(['bulkId', 'place', 'jobId', 'title', 'seenState', 'seenRun'])
    .expression(
      selectMatching(tx, filter).select([
        sql<string>`${bulkId}::uuid`.as('bulkId'),
        sql<number>`row_number() over (order by job.created_at, job.id) - 1`.as('place'),
        'job.id as jobId',
        'job.title',
        'job.state as seenState',
        'job.run as seenRun',
      ]),
    )
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0n);
}

/** Ids that name no job of the asker's are part of the set, as skipped. */
export async function insertMissing(
  tx: Tx,
  bulkId: string,
  ids: string[],
  found: number,
  why: { code: string; message: string },
): Promise<number> {
  const result = await sql`
    insert into bulk_item (bulk_id, place, job_id, result, code, message)
    select ${bulkId}, ${found}::int + row_number() over () - 1, asked.id, 'skipped', ${why.code}, ${why.message}
    from (select distinct unnest(${ids}::uuid[]) as id) asked
    where not exists (select 1 from bulk_item i where i.bulk_id = ${bulkId} and i.job_id = asked.id)`.execute(tx);
  return Number(result.numAffectedRows ?? 0n);
}

export async function setBulkTotal(tx: Tx, id: string, total: number): Promise<void> {
  await tx.updateTable('bulkAction').set({ total }).where('id', '=', id).execute();
}

/** How many jobs were in each state when the set was frozen. */
export async function countSeenStates(tx: Tx, bulkId: string): Promise<Record<string, number>> {
  const rows = await tx
    .selectFrom('bulkItem')
    .select(['seenState', sql<number>`count(*)::int`.as('count')])
    .where('bulkId', '=', bulkId)
    .where('seenState', 'is not', null)
    .groupBy('seenState')
    .execute();
  return Object.fromEntries(rows.map(({ seenState, count }) => [seenState ?? '', count]));
}

export interface BulkCounts {
  succeeded: number;
  failed: number;
  skippedBy: Record<string, number>;
}

export interface BulkRow {
  id: string;
  action: string;
  state: BulkState;
  input: string;
  selection: string;
  ownerId: string;
  ownerName: string;
  ownerEmail: string;
  ownerRole: UserRole;
  requestId: string | null;
  total: number;
  counts: BulkCounts;
  abortWhy: string | null;
  createdAt: Date;
  startsAt: Date;
  finishedAt: Date | null;
}

/** The counts of what has been done; of an ended action they are the ones that were written down. */
const COUNTS = sql`
  (select json_build_object('succeeded', coalesce(sum(n) filter (where result = 'succeeded'), 0),
    'failed', coalesce(sum(n) filter (where result = 'failed'), 0),
    'skippedBy', coalesce(json_object_agg(code, n) filter (where result = 'skipped'), '{}'))
  from (select result, case when result = 'skipped' then code end as code, count(*)::int as n
    from bulk_item where bulk_id = bulk_action.id and result <> 'waiting' group by 1, 2) each)`;

function selectBulkActions(db: Db) {
  return db
    .selectFrom('bulkAction')
    .select(['id', 'action', 'input', 'selection', 'ownerId', 'ownerName', 'ownerEmail', 'ownerRole', 'requestId'])
    .select(['total', 'abortWhy', 'createdAt', 'startsAt', 'finishedAt'])
    .select(sql<BulkState>`state`.as('state'))
    .select(sql<string>`coalesce(counts, ${COUNTS})`.as('counts'));
}

function withCounts(row: Omit<BulkRow, 'counts'> & { counts: string }): BulkRow {
  return { ...row, counts: JSON.parse(row.counts) as BulkCounts };
}

export async function findBulkAction(db: Db, id: string): Promise<BulkRow | null> {
  const row = await selectBulkActions(db).where('id', '=', id).executeTakeFirst();
  return row ? withCounts(row) : null;
}

/** Newest first; of one owner, or of all. */
export async function listBulkActions(
  db: Db,
  page: { ownerId: string | null; before: string | null; limit: number },
): Promise<BulkRow[]> {
  let query = selectBulkActions(db).orderBy('id', 'desc').limit(page.limit);
  if (page.ownerId !== null) query = query.where('ownerId', '=', page.ownerId);
  if (page.before !== null) query = query.where('id', '<', page.before);
  return (await query.execute()).map(withCounts);
}

export interface BulkItemRow {
  place: number;
  jobId: string;
  title: string | null;
  seenState: JobState | null;
  result: BulkResult;
  code: string | null;
  message: string | null;
}

/** In the order of the set. */
export function listBulkItems(
  db: Db,
  bulkId: string,
  page: { result: BulkResult | null; after: number | null; limit: number },
): Promise<BulkItemRow[]> {
  let query = db
    .selectFrom('bulkItem')
    .select(['place', 'jobId', 'title', 'seenState', sql<BulkResult>`result`.as('result'), 'code', 'message'])
    .where('bulkId', '=', bulkId)
    .orderBy('place')
    .limit(page.limit);
  if (page.result !== null) query = query.where('result', '=', page.result);
  if (page.after !== null) query = query.where('place', '>', page.after);
  return query.execute();
}

/** Two statements: items whose command was being committed when the action was taken away are counted, too. @returns false when it had ended. */
export async function markBulkAborted(tx: Tx, id: string, why: string | null): Promise<boolean> {
  const result = await tx
    .updateTable('bulkAction')
    .set({ state: 'aborted', finishedAt: sql<Date>`gantry_now()`, abortWhy: why })
    .where('id', '=', id)
    .where('state', 'in', ['waiting', 'running'])
    .executeTakeFirst();
  if (result.numUpdatedRows !== 1n) return false;
  await tx
    .updateTable('bulkAction')
    .set({ counts: sql<string>`${COUNTS}` })
    .where('id', '=', id)
    .execute();
  return true;
}

/** Ends an action that has no item left. @returns false while one is under way. */
export async function markBulkDone(tx: Tx, id: string): Promise<boolean> {
  const result = await tx
    .updateTable('bulkAction')
    .set({ state: 'done', finishedAt: sql<Date>`gantry_now()`, counts: sql<string>`${COUNTS}` })
    .where('id', '=', id)
    .where('state', '=', 'running')
    .where(sql<boolean>`not exists (select 1 from bulk_item where bulk_id = ${id} and result = 'waiting')`)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}
