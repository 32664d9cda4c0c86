// The targets of a deployment, their steps, commands and the agents' reports. Called by the process, takeReport,
// settleDeployment and the gateway. Every move names the states it comes from (jobs/deployments/targetFlow.ts gives them).
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { TargetStatus } from '../generated/database';

export interface TargetRow {
  id: number;
  deploymentId: number;
  position: number;
  agentId: string;
  agentName: string;
  status: TargetStatus;
  epoch: number;
  commandId: string | null;
  commandSentAt: Date | null;
  cause: string | null;
  error: string | null;
  updatedAt: Date;
  /** The agent holds a connection now. */
  connected: boolean;
  revoked: boolean;
  /** The agent's number in SourceDeploy's shape. */
  agentNo: number | null;
}

const OPEN: TargetStatus[] = ['pending', 'standby', 'pre', 'deploy', 'post'];

function targets(db: Db) {
  return db
    .selectFrom('deploymentTarget')
    .leftJoin('agent', 'agent.id', 'deploymentTarget.agentId')
    .select([
      'deploymentTarget.id',
      'deploymentTarget.deploymentId',
      'deploymentTarget.position',
      'deploymentTarget.agentId',
      'deploymentTarget.agentName',
      'deploymentTarget.status',
      'deploymentTarget.epoch',
      'deploymentTarget.commandId',
      'deploymentTarget.commandSentAt',
      'deploymentTarget.cause',
      'deploymentTarget.error',
      'deploymentTarget.updatedAt',
      'agent.no as agentNo',
    ])
    .select([
      sql<boolean>`(agent.revoked_at is null and coalesce(agent.connected_until > gantry_now(), false))`.as(
        'connected',
      ),
      sql<boolean>`(agent.id is null or agent.revoked_at is not null)`.as('revoked'),
    ]);
}

/** Positions after this one; without a page, all of them. */
export interface TargetPage {
  after: number | null;
  limit: number;
}

/** Targets of a deployment, in their order. */
export function listTargets(db: Db, deploymentId: number, page: TargetPage | null = null): Promise<TargetRow[]> {
  return targets(db)
    .where('deploymentTarget.deploymentId', '=', deploymentId)
    .$if(page !== null && page.after !== null, (q) => q.where('deploymentTarget.position', '>', page?.after ?? 0))
    .orderBy('deploymentTarget.position')
    .$if(page !== null, (q) => q.limit(page?.limit ?? 0))
    .execute();
}

/** Moves a target that stands in one of `from`; false where it does not, and then nothing has changed. */
export async function moveTarget(
  tx: Tx,
  id: number,
  from: TargetStatus[],
  to: TargetStatus,
  told: { cause?: string; error?: string } = {},
): Promise<boolean> {
  const result = await tx
    .updateTable('deploymentTarget')
    .set({ status: to, updatedAt: sql<Date>`gantry_now()`, ...told })
    .where('id', '=', id)
    .where('status', 'in', from)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Writes the command of a pending target that has none; its epoch rises with it, older ones are refused from then on. */
export async function writeCommand(
  tx: Tx,
  id: number,
  command: { commandId: string; epoch: number; body: string },
): Promise<boolean> {
  const result = await tx
    .updateTable('deploymentTarget')
    .set({
      commandId: command.commandId,
      epoch: command.epoch,
      command: command.body,
      updatedAt: sql<Date>`gantry_now()`,
    })
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .where('commandId', 'is', null)
    .where('epoch', '<', command.epoch)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

export interface CommandRow {
  agentId: string;
  commandId: string;
  /** JSON of the command without its times. */
  command: string;
  status: TargetStatus;
  /** Cancel was asked for and the agent is to stop. */
  canceling: boolean;
}

/** The commands under way of these agents, in the order they were made; few, as one agent is one target of few deployments. */
export async function listCommandsOfAgents(db: Db, agentIds: string[]): Promise<CommandRow[]> {
  if (agentIds.length === 0) return [];
  const rows = await db
    .selectFrom('deploymentTarget')
    .innerJoin('deployment', 'deployment.id', 'deploymentTarget.deploymentId')
    .innerJoin('job', 'job.id', 'deployment.jobId')
    .select([
      'deploymentTarget.agentId',
      'deploymentTarget.commandId',
      'deploymentTarget.command',
      'deploymentTarget.status',
      sql<boolean>`job.state = 'canceling'`.as('canceling'),
    ])
    .where('deploymentTarget.agentId', 'in', agentIds)
    .where('deploymentTarget.status', 'in', OPEN)
    .where('deploymentTarget.commandId', 'is not', null)
    .where('deployment.endedAt', 'is', null)
    .orderBy('deploymentTarget.id')
    .execute();
  return rows as CommandRow[];
}

/** Stamps the handing over of a command: pending becomes standby. Under lockTargetOfCommand, so that a cancel cannot pass it by. */
export async function markCommandSent(tx: Tx, targetId: number): Promise<void> {
  await tx
    .updateTable('deploymentTarget')
    .set({
      status: sql<TargetStatus>`case when status = 'pending' then 'standby'::target_status else status end`,
      commandSentAt: sql<Date>`gantry_now()`,
      updatedAt: sql<Date>`gantry_now()`,
    })
    .where('id', '=', targetId)
    .where('status', 'in', OPEN)
    .execute();
}

/** The jobs that wait for this agent, to be woken when it comes or goes. */
export async function listJobsOfAgent(db: Db, agentId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('deploymentTarget')
    .innerJoin('deployment', 'deployment.id', 'deploymentTarget.deploymentId')
    .select('deployment.jobId')
    .distinct()
    .where('deploymentTarget.agentId', '=', agentId)
    .where('deploymentTarget.status', 'in', OPEN)
    .where('deployment.endedAt', 'is', null)
    .execute();
  return rows.map((row) => row.jobId);
}

export interface CommandTarget {
  id: number;
  deploymentId: number;
  jobId: string;
  ownerId: string;
  status: TargetStatus;
  ended: boolean;
}

/**
 * The target of a command of this agent. Its job and deployment are locked first, in the order of every command, and the
 * target is read after: reports, ticks and endings take turns and each sees what the one before wrote.
 */
export async function lockTargetOfCommand(tx: Tx, commandId: string, agentId: string): Promise<CommandTarget | null> {
  const owner = await tx
    .selectFrom('deploymentTarget')
    .innerJoin('deployment', 'deployment.id', 'deploymentTarget.deploymentId')
    .select([
      'deploymentTarget.id',
      'deploymentTarget.deploymentId',
      'deployment.jobId',
      'deployment.accountId as ownerId',
    ])
    .where('deploymentTarget.commandId', '=', commandId)
    .where('deploymentTarget.agentId', '=', agentId)
    .executeTakeFirst();
  if (!owner) return null;
  await tx.selectFrom('job').select('id').where('id', '=', owner.jobId).forUpdate().execute();
  const deployment = await tx
    .selectFrom('deployment')
    .select('endedAt')
    .where('id', '=', owner.deploymentId)
    .forUpdate()
    .executeTakeFirst();
  const target = await tx
    .selectFrom('deploymentTarget')
    .select('status')
    .where('id', '=', owner.id)
    .where('commandId', '=', commandId)
    .executeTakeFirst();
  if (!deployment || !target) return null;
  return { ...owner, status: target.status, ended: deployment.endedAt !== null };
}

/** False when this report was taken in before. */
export async function insertReport(tx: Tx, commandId: string, seq: number): Promise<boolean> {
  const result = await tx
    .insertInto('agentReport')
    .values({ commandId, seq })
    .onConflict((conflict) => conflict.columns(['commandId', 'seq']).doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

export interface StepRow {
  targetId: number;
  step: string;
  status: string;
  startedAt: Date | null;
  endedAt: Date | null;
  error: string | null;
}

/** What is kept of one step's output; more is cut, with a line that says so. */
const MAX_STEP_LOG = 1_000_000;

/** Writes what is known of a step; times given once stay, log text is added to what is there. */
export async function upsertStep(tx: Tx, step: StepRow & { log: string | null }): Promise<void> {
  const kept = sql<string>`left(coalesce(deployment_step.log, '') || coalesce(excluded.log, ''), ${MAX_STEP_LOG})`;
  // An agent's clock may run ahead; nothing is shown to have happened later than now.
  const atMost = (at: Date | null) => (at === null ? null : sql<Date>`least(${at}::timestamptz, gantry_now())`);
  await tx
    .insertInto('deploymentStep')
    .values({ ...step, startedAt: atMost(step.startedAt), endedAt: atMost(step.endedAt) })
    .onConflict((conflict) =>
      conflict.columns(['targetId', 'step']).doUpdateSet({
        status: sql`case when deployment_step.status = 'inprogress' then excluded.status else deployment_step.status end`,
        startedAt: sql<Date>`coalesce(deployment_step.started_at, excluded.started_at)`,
        endedAt: sql<Date>`coalesce(deployment_step.ended_at, excluded.ended_at)`,
        error: sql`coalesce(deployment_step.error, excluded.error)`,
        log: kept,
      }),
    )
    .execute();
}

/** Steps of these targets, in the order they run; without their logs, which may be large. */
export function listSteps(db: Db, targetIds: number[]): Promise<StepRow[]> {
  if (targetIds.length === 0) return Promise.resolve([]);
  return db
    .selectFrom('deploymentStep')
    .innerJoin('deploymentTarget', 'deploymentTarget.id', 'deploymentStep.targetId')
    .select(['targetId', 'step', 'deploymentStep.status', 'startedAt', 'endedAt', 'deploymentStep.error'])
    .where('targetId', 'in', targetIds)
    .orderBy('deploymentTarget.position')
    .orderBy(sql`array_position(array['pre', 'deploy', 'post'], deployment_step.step)`)
    .execute();
}

/** What the step wrote, whole. */
export async function findStepLog(db: Db, targetId: number, step: string): Promise<string | null> {
  const row = await db
    .selectFrom('deploymentStep')
    .select('log')
    .where('targetId', '=', targetId)
    .where('step', '=', step)
    .executeTakeFirst();
  return row?.log ?? null;
}

/** Steps that nobody will report on any more end as failed, so that nothing is shown running forever. */
export async function endOpenSteps(tx: Tx, deploymentId: number, error: string): Promise<void> {
  await tx
    .updateTable('deploymentStep')
    .set({ status: 'fail', error, endedAt: sql<Date>`gantry_now()` })
    .where('status', '=', 'inprogress')
    .where('targetId', 'in', (eb) =>
      eb.selectFrom('deploymentTarget').select('id').where('deploymentId', '=', deploymentId),
    )
    .execute();
}
