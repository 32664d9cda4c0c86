// Deployments as history: the row of each run, its lists and groups. Targets and steps are in deploymentTargets.ts.
// Called by startDeployment, the process, settleDeployment and the routes. Rows outlive their job: it is joined, never required.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { JobState } from '../generated/database';
import type { Viewer } from './projects';

export interface DeploymentRow {
  id: number;
  jobId: string;
  projectId: number;
  projectName: string;
  stageId: number;
  stageName: string;
  stageType: string;
  scenarioId: number;
  scenarioName: string;
  artifactId: number;
  artifactName: string;
  artifactVersion: number;
  config: string;
  accountId: string;
  account: string;
  status: string;
  reason: string | null;
  createdAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
  error: string | null;
  /** Of the job, while it is there. */
  jobState: JobState | null;
  jobPhase: string | null;
  jobWaitingFor: string | null;
  targetCount: number;
  failedCount: number;
}

/** The job of a deployment that is not gone for readers. */
const JOB = sql`job.deleted_at is null`;

function deployments(db: Db) {
  return db
    .selectFrom('deployment')
    .leftJoin('job', (join) => join.onRef('job.id', '=', 'deployment.jobId').on(JOB as never))
    .selectAll('deployment')
    .select(['job.state as jobState', 'job.phase as jobPhase', 'job.waitingFor as jobWaitingFor'])
    .select(({ selectFrom }) => [
      selectFrom('deploymentTarget')
        .whereRef('deploymentTarget.deploymentId', '=', 'deployment.id')
        .select(sql<number>`count(*)`.as('n'))
        .$asScalar()
        .as('targetCount'),
      selectFrom('deploymentTarget')
        .whereRef('deploymentTarget.deploymentId', '=', 'deployment.id')
        .where('deploymentTarget.status', '=', 'fail')
        .select(sql<number>`count(*)`.as('n'))
        .$asScalar()
        .as('failedCount'),
    ]);
}

const seenBy = (viewer: Viewer) =>
  sql<boolean>`(${viewer.all} or deployment.project_id in (select project_id from project_member where user_id = ${viewer.userId}))`;

/** Null when it is not there or of a project that is not the viewer's to see. */
export async function findDeployment(db: Db, id: number, viewer: Viewer): Promise<DeploymentRow | null> {
  const row = await deployments(db).where('deployment.id', '=', id).where(seenBy(viewer)).executeTakeFirst();
  return (row as DeploymentRow | undefined) ?? null;
}

export interface HistoryFilter {
  projectId?: number;
  projectName?: string;
  scenarioId?: number;
  /** E-mail or id of whoever started it. */
  account?: string;
  since?: Date;
  until?: Date;
  /** Wanted group state, with the run statuses that stand for the two decided ones (jobs/deployments/runStatus.ts). */
  state?: 'deployed' | 'not_deployed' | 'confirming';
  statuses: { deployed: string[]; notDeployed: string[] };
  after: number | null;
  limit: number;
  offset?: number;
}

/** Newest first, by the integer id that rises with each start. */
export async function listDeployments(db: Db, viewer: Viewer, filter: HistoryFilter): Promise<DeploymentRow[]> {
  const { deployed, notDeployed } = filter.statuses;
  const group = sql<string>`case
    when deployment.status = any(${deployed}) then 'deployed'
    when deployment.status = any(${notDeployed}) then 'not_deployed'
    when exists (select from deployment_target t where t.deployment_id = deployment.id and t.status = 'fail') then 'not_deployed'
    else 'confirming' end`;
  const rows = await deployments(db)
    .where(seenBy(viewer))
    .$if(filter.projectId !== undefined, (q) => q.where('deployment.projectId', '=', filter.projectId ?? 0))
    .$if(filter.projectName !== undefined, (q) => q.where('deployment.projectName', '=', filter.projectName ?? ''))
    .$if(filter.scenarioId !== undefined, (q) => q.where('deployment.scenarioId', '=', filter.scenarioId ?? 0))
    .$if(filter.account !== undefined, (q) =>
      q.where(
        sql<boolean>`(deployment.account = ${filter.account ?? ''} or deployment.account_id::text = ${filter.account ?? ''})`,
      ),
    )
    .$if(filter.since !== undefined, (q) => q.where('deployment.createdAt', '>=', filter.since ?? new Date(0)))
    .$if(filter.until !== undefined, (q) => q.where('deployment.createdAt', '<', filter.until ?? new Date(0)))
    .$if(filter.state !== undefined, (q) => q.where(group, '=', filter.state ?? ''))
    .$if(filter.after !== null, (q) => q.where('deployment.id', '<', filter.after ?? 0))
    .orderBy('deployment.id', 'desc')
    .limit(filter.limit)
    .offset(filter.offset ?? 0)
    .execute();
  return rows as DeploymentRow[];
}

export type NewDeployment = Omit<
  DeploymentRow,
  | 'id'
  | 'createdAt'
  | 'startedAt'
  | 'endedAt'
  | 'error'
  | 'jobState'
  | 'jobPhase'
  | 'jobWaitingFor'
  | 'targetCount'
  | 'failedCount'
>;

/** The deployment with its targets in their order. */
export async function insertDeployment(
  tx: Tx,
  deployment: NewDeployment,
  targets: { id: string; name: string }[],
): Promise<number> {
  const { id } = await tx.insertInto('deployment').values(deployment).returning('id').executeTakeFirstOrThrow();
  await tx
    .insertInto('deploymentTarget')
    .values(
      targets.map((agent, position) => ({ deploymentId: id, position, agentId: agent.id, agentName: agent.name })),
    )
    .execute();
  return id;
}

export interface LockedDeployment {
  id: number;
  stageType: string;
  artifactId: number;
  ownerId: string;
  config: string;
  status: string;
  endedAt: Date | null;
  now: Date;
  /** Milliseconds since cancel was asked for, or null. */
  cancelAgeMs: number | null;
}

/**
 * The deployment of a job, locked: the process, its reports and its ending take turns over it. The job is locked first, as
 * by every command.
 */
export async function lockDeploymentOfJob(tx: Tx, jobId: string): Promise<LockedDeployment | null> {
  await tx.selectFrom('job').select('id').where('id', '=', jobId).forUpdate().execute();
  const row = await tx
    .selectFrom('deployment')
    .leftJoin('job', 'job.id', 'deployment.jobId')
    .select([
      'deployment.id',
      'deployment.stageType',
      'deployment.artifactId',
      'deployment.accountId as ownerId',
      'deployment.config',
      'deployment.status',
      'deployment.endedAt',
      sql<Date>`gantry_now()`.as('now'),
      sql<number | null>`extract(epoch from gantry_now() - job.cancel_requested_at)::float8 * 1000`.as('cancelAgeMs'),
    ])
    .where('deployment.jobId', '=', jobId)
    .forUpdate('deployment')
    .executeTakeFirst();
  return row ?? null;
}

export async function markDeploymentStarted(tx: Tx, id: number, status: string): Promise<void> {
  await tx
    .updateTable('deployment')
    .set({ status, startedAt: sql<Date>`coalesce(started_at, gantry_now())` })
    .where('id', '=', id)
    .where('endedAt', 'is', null)
    .execute();
}

/** Writes the end once; a second call changes nothing. */
export async function markDeploymentEnded(tx: Tx, id: number, status: string, error: string | null): Promise<boolean> {
  const result = await tx
    .updateTable('deployment')
    .set({ status, error, endedAt: sql<Date>`gantry_now()` })
    .where('id', '=', id)
    .where('endedAt', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}
