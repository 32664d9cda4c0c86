// Requests for approval and the decisions on them. Written in the transaction of the command that asks or decides, under the
// job's lock; a request is never changed, and it is open while its job awaits approval in the request's run.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import { selectJobs, type JobRow } from './jobs';

/** What the approver is shown and the hash is made of: the payload, which nothing changes once the job is made. */
export interface FrozenPayload {
  kind: string;
  title: string;
  /** As sent, byte for byte. */
  params: string;
  rowTotal: number | null;
  inputSha256: Buffer | null;
}

export function findFrozenPayload(db: Db, jobId: string): Promise<FrozenPayload> {
  return db
    .selectFrom('job')
    .select(['kind', 'title', 'params', 'rowTotal', 'inputSha256'])
    .where('id', '=', jobId)
    .executeTakeFirstOrThrow();
}

export interface NewApproval {
  jobId: string;
  run: number;
  requesterId: string;
  requesterName: string;
  expiresAfterMs: number;
  quorum: number;
  approvers: string[] | null;
  requestHash: Buffer;
}

/** Null when the run has its request already. @returns when it expires. */
export async function insertApproval(tx: Tx, { expiresAfterMs, ...request }: NewApproval): Promise<Date | null> {
  const row = await tx
    .insertInto('approval')
    .values({ ...request, expiresAt: sql<Date>`gantry_now() + ${expiresAfterMs}::float8 * interval '1 millisecond'` })
    .onConflict((conflict) => conflict.doNothing())
    .returning('expiresAt')
    .executeTakeFirst();
  return row?.expiresAt ?? null;
}

export interface ApproverAccount {
  id: string;
  email: string;
  name: string;
  language: string;
  timeZone: string;
}

/** Open accounts of those who may decide: the named ones, or every superadmin. */
export function listApproverAccounts(db: Db, approvers: string[] | null): Promise<ApproverAccount[]> {
  return db
    .selectFrom('appUser')
    .select(['id', 'email', 'name', 'language', 'timeZone'])
    .where('disabledAt', 'is', null)
    .where((eb) =>
      approvers === null ? eb('role', '=', 'superadmin') : eb('email', '=', eb.fn.any(eb.val(approvers))),
    )
    .orderBy('email')
    .execute();
}

export interface NewDecision {
  jobId: string;
  run: number;
  userId: string;
  userName: string;
  decision: 'approved' | 'rejected' | 'withdrawn';
  reason: string | null;
  byLink: boolean;
}

export async function insertDecision(tx: Tx, decision: NewDecision): Promise<void> {
  await tx.insertInto('approvalDecision').values(decision).execute();
}

export type ApprovalRow = NonNullable<Awaited<ReturnType<typeof findApproval>>>;

export async function findApproval(db: Db, jobId: string, run: number) {
  const row = await db
    .selectFrom('approval')
    .innerJoin('run', (join) => join.onRef('run.jobId', '=', 'approval.jobId').onRef('run.run', '=', 'approval.run'))
    .selectAll('approval')
    .select(['run.outcome', 'run.total as runTotal'])
    .select(sql<boolean>`approval.expires_at <= gantry_now()`.as('isOver'))
    .where('approval.jobId', '=', jobId)
    .where('approval.run', '=', run)
    .executeTakeFirst();
  return row ?? null;
}

export interface DecisionRow {
  userId: string;
  userName: string;
  decision: string;
  reason: string | null;
  byLink: boolean;
  at: Date;
}

export function listDecisions(db: Db, jobId: string, run: number): Promise<DecisionRow[]> {
  return db
    .selectFrom('approvalDecision')
    .select(['userId', 'userName', 'decision', 'reason', 'byLink', 'at'])
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .orderBy('id')
    .execute();
}

/** The first rows that a run would deal with, as stored lines: the JSON as sent, or the CSV cells as a JSON array. */
export async function listFirstRows(
  db: Db,
  jobId: string,
  run: number,
  limit: number,
): Promise<{ rowIndex: number; line: string }[]> {
  const { rows } = await sql<{ rowIndex: number; line: string }>`
    with first as (
      select c.input_chunk, wanted.row_index from
        (select * from chunk where job_id = ${jobId} and run = ${run} order by chunk limit ${limit}) c,
        unnest(coalesce(c.row_indexes,
          array(select generate_series(c.first_row_index, c.first_row_index + least(c.row_count, ${limit}) - 1))))
          as wanted(row_index)
      order by c.chunk, wanted.row_index limit ${limit})
    select first.row_index, split_part(i.rows, E'\n', (first.row_index - i.first_row_index)::int + 1) as line
    from first join job_input i on i.job_id = ${jobId} and i.input_chunk = first.input_chunk
    order by first.row_index`.execute(db);
  return rows;
}

/** Open requests that an actor may decide on and has not approved yet, newest first. */
export function listWaitingFor(
  db: Db,
  actor: { id: string; email: string; isSuperadmin: boolean; selfApproval: boolean },
  page: { before: string | null; limit: number },
): Promise<JobRow[]> {
  return selectJobs(db)
    .where('job.state', '=', 'awaiting_approval')
    .where((eb) =>
      eb.or([
        ...(actor.isSuperadmin ? [eb('request.approvers', 'is', null)] : []),
        sql<boolean>`${actor.email} = any(request.approvers)`,
      ]),
    )
    .where(sql<boolean>`coalesce(request.expires_at > gantry_now(), true)`)
    .where(
      sql<boolean>`not exists (select from approval_decision d where d.job_id = job.id and d.run = job.run
        and d.user_id = ${actor.id} and d.decision = 'approved')`,
    )
    .$if(!actor.selfApproval, (query) =>
      query
        .where('job.ownerId', '!=', actor.id)
        .where(sql<boolean>`request.requester_id is distinct from ${actor.id}::uuid`),
    )
    .$if(page.before !== null, (query) => query.where('job.id', '<', page.before ?? ''))
    .orderBy('job.id', 'desc')
    .limit(page.limit)
    .execute();
}

/** Jobs whose request ran out undecided. */
export function listExpired(db: Db, limit: number): Promise<{ id: string; run: number }[]> {
  return db
    .selectFrom('job')
    .innerJoin('approval', (join) => join.onRef('approval.jobId', '=', 'job.id').onRef('approval.run', '=', 'job.run'))
    .select(['job.id', 'job.run'])
    .where('job.state', '=', 'awaiting_approval')
    .where('job.deletedAt', 'is', null)
    .where('approval.expiresAt', '<=', sql<Date>`gantry_now()`)
    .limit(limit)
    .execute();
}

/** Jobs that await approval without a request: made by the version before requests were kept. */
export function listUnrequested(db: Db, limit: number): Promise<{ id: string; kind: string }[]> {
  return db
    .selectFrom('job')
    .leftJoin('approval', (join) => join.onRef('approval.jobId', '=', 'job.id').onRef('approval.run', '=', 'job.run'))
    .select(['job.id', 'job.kind'])
    .where('job.state', '=', 'awaiting_approval')
    .where('job.deletedAt', 'is', null)
    .where('approval.jobId', 'is', null)
    .limit(limit)
    .execute();
}
