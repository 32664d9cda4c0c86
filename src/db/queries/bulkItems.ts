// Carrying out a command on a set: which are due, claiming some of their jobs under a lease, and writing what became of each.
// A result is written under the claim, in the transaction of the command, so that nothing is acted on twice.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { UserRole } from '../generated/database';
import type { BulkResult } from './bulkActions';
import { selectMatching } from './jobs';

/** Those whose time to undo is over, the longest waiting first; they count as running from here on. */
export async function beginDueBulkActions(db: Db, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with due as (select id, state from bulk_action where state in ('waiting', 'running') and starts_at <= gantry_now()
      order by starts_at, id limit ${limit}),
    begun as (update bulk_action set state = 'running' from due
      where bulk_action.id = due.id and due.state = 'waiting' and bulk_action.state = 'waiting')
    select id from due`.execute(db);
  return rows.map((row) => row.id);
}

/** The action without its counts, which cost more the larger the set is. */
export async function findBulkHead(db: Db, id: string) {
  const columns = ['action', 'state', 'input', 'ownerId', 'ownerRole', 'requestId'] as const;
  return (await db.selectFrom('bulkAction').select(columns).where('id', '=', id).executeTakeFirst()) ?? null;
}

export interface ClaimedItem {
  place: number;
  jobId: string;
  seenRun: number;
  attempts: number;
}

/** Any number of workers may ask: each gets others. */
export async function claimBulkItems(
  db: Db,
  bulkId: string,
  claim: string,
  leaseMs: number,
  limit: number,
): Promise<ClaimedItem[]> {
  const { rows } = await sql<ClaimedItem>`
    with taken as (select place from bulk_item
      where bulk_id = ${bulkId} and result = 'waiting' and (lease_until is null or lease_until <= gantry_now())
      order by place limit ${limit} for update skip locked)
    update bulk_item i set claim = ${claim}, attempts = i.attempts + 1,
      lease_until = gantry_now() + ${leaseMs}::float8 * interval '1 millisecond'
    from taken where i.bulk_id = ${bulkId} and i.place = taken.place
    returning i.place, i.job_id, i.seen_run, i.attempts`.execute(db);
  return rows.sort((one, other) => one.place - other.place);
}

/** What could not be carried out is free for a later try. */
export async function releaseBulkItems(db: Db, bulkId: string, claim: string, delayMs: number): Promise<void> {
  await sql`
    update bulk_item set claim = null, lease_until = gantry_now() + ${delayMs}::float8 * interval '1 millisecond'
    where bulk_id = ${bulkId} and claim = ${claim} and result = 'waiting'`.execute(db);
}

/** What the rules look at, of those of the jobs that are still there. */
export function listJudged(db: Db, ids: string[]) {
  return selectMatching(db, { ids })
    .select([
      'job.id',
      'job.kind',
      'job.state',
      'job.phase',
      'job.waitingFor',
      'job.ownerId',
      'job.run',
      'job.priority',
    ])
    .select(sql<boolean>`job.row_total is not null`.as('hasRows'))
    .execute();
}

/** Under which items are held: the claim, and who the asker is while they are carried out. */
export interface BulkHold {
  bulkId: string;
  claim: string;
  ownerId: string;
  role: UserRole;
}

export interface ItemEnd {
  place: number;
  result: Exclude<BulkResult, 'waiting'>;
  code: string | null;
  message: string | null;
}

/**
 * Writes results. The action must still run and its asker still be who they were: an abort that was answered, a claim that ran
 * out or a role that was taken away leaves the item as it was. @returns how many were written.
 */
export async function markBulkItems(tx: Tx | Db, hold: BulkHold, ends: ItemEnd[]): Promise<number> {
  const { rows } = await sql<{ marked: number }>`
    with standing as (select 1 from bulk_action where id = ${hold.bulkId} and state = 'running' for share),
    ended as (select * from json_to_recordset(${JSON.stringify(ends)}::json)
      as each(place int, result text, code text, message text)),
    marked as (update bulk_item i set result = ended.result, code = ended.code, message = ended.message,
        claim = null, lease_until = null
      from ended
      where i.bulk_id = ${hold.bulkId} and i.place = ended.place and i.claim = ${hold.claim} and i.result = 'waiting'
        and exists (select 1 from standing)
        and exists (select 1 from app_user where id = ${hold.ownerId} and role = ${hold.role} and disabled_at is null)
      returning 1)
    select count(*)::int as marked from marked`.execute(tx);
  return rows[0]?.marked ?? 0;
}

/** Forgets what ended long ago, a batch at a time. @returns true while there is more. */
export async function pruneBulkActions(db: Db, keepDays: number, limit: number): Promise<boolean> {
  const over = sql`finished_at < gantry_now() - ${keepDays}::float8 * interval '1 day'`;
  const items = await sql`
    delete from bulk_item where (bulk_id, place) in (
      select i.bulk_id, i.place from bulk_action a join bulk_item i on i.bulk_id = a.id where ${over} limit ${limit})`.execute(
    db,
  );
  if (Number(items.numAffectedRows ?? 0n) === limit) return true;
  await sql`
    delete from bulk_action where ${over} and not exists (select 1 from bulk_item where bulk_id = bulk_action.id)`.execute(
    db,
  );
  return false;
}
