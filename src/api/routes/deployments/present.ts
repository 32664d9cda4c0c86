// Rows of projects and deployments -> the documents of contract/deploymentShapes.ts. Pure; called by the routes of this folder.
import type { z } from 'zod';
import type { AgentRow } from '../../../db/queries/agents';
import type { ArtifactRow } from '../../../db/queries/artifacts';
import type { DeploymentRow } from '../../../db/queries/deployments';
import type { StepRow, TargetRow } from '../../../db/queries/deploymentTargets';
import type { MemberRow, ProjectRow } from '../../../db/queries/projects';
import type { ScenarioRow, StageRow } from '../../../db/queries/scenarios';
import { GROUP_OF_STATUS, runStatusOf, type GroupState, type RunStatus } from '../../../jobs/deployments/runStatus';
import type { StageType } from '../../../targets/catalog';
import type * as shapes from '../../contract/deploymentShapes';

const iso = (at: Date | null): string | null => at?.toISOString() ?? null;
type Doc<T extends z.ZodType> = z.infer<T>;

export function presentProject(row: ProjectRow): Doc<typeof shapes.projectDoc> {
  const permissions = row.permissions as Doc<typeof shapes.projectDoc>['permissions'];
  return { id: row.id, name: row.name, createdAt: row.createdAt.toISOString(), version: row.version, permissions };
}

export function presentMember(row: MemberRow): Doc<typeof shapes.memberDoc> {
  const permissions = row.permissions as Doc<typeof shapes.memberDoc>['permissions'];
  return { userId: row.userId, name: row.name, email: row.email, permissions };
}

export function presentStage(row: StageRow): Doc<typeof shapes.stageDoc> {
  return {
    id: row.id,
    name: row.name,
    type: row.type as StageType,
    target: JSON.parse(row.target) as Record<string, unknown>,
    createdAt: row.createdAt.toISOString(),
    version: row.version,
  };
}

export function presentScenario(row: ScenarioRow): Doc<typeof shapes.scenarioDoc> {
  return {
    id: row.id,
    name: row.name,
    stageId: row.stageId,
    description: row.description,
    config: JSON.parse(row.config) as Record<string, unknown>,
    createdAt: row.createdAt.toISOString(),
    version: row.version,
  };
}

export function presentArtifact(row: ArtifactRow): Doc<typeof shapes.artifactDoc> {
  return {
    id: row.id,
    name: row.name,
    version: row.version,
    size: row.size,
    sha256: row.sha256,
    format: row.format as Doc<typeof shapes.artifactDoc>['format'],
    createdAt: row.createdAt.toISOString(),
  };
}

/** While it goes on the job says where it stands; once it has ended its own row does, which outlives the job. */
export function statusOf(row: DeploymentRow): RunStatus {
  return row.endedAt === null && row.jobState !== null ? runStatusOf(row.jobState) : (row.status as RunStatus);
}

/** Any failed target already decides the group, whatever is still under way (row 79). */
function groupOf(row: DeploymentRow): GroupState {
  return row.failedCount > 0 ? 'not_deployed' : GROUP_OF_STATUS[statusOf(row)];
}

export function presentDeployment(row: DeploymentRow): Doc<typeof shapes.deploymentDoc> {
  return {
    id: row.id,
    jobId: row.jobId,
    project: { id: row.projectId, name: row.projectName },
    stage: { id: row.stageId, name: row.stageName, type: row.stageType as StageType },
    scenario: { id: row.scenarioId, name: row.scenarioName },
    artifact: { id: row.artifactId, name: row.artifactName, version: row.artifactVersion },
    config: JSON.parse(row.config) as Record<string, unknown>,
    account: row.account,
    status: statusOf(row),
    state: groupOf(row),
    phase: row.jobPhase,
    waitingFor: row.jobWaitingFor,
    reason: row.reason,
    createdAt: row.createdAt.toISOString(),
    startedAt: iso(row.startedAt),
    endedAt: iso(row.endedAt),
    error: row.error,
    targets: { total: row.targetCount, failed: row.failedCount },
  };
}

export function presentStep(row: StepRow, agent: string): Doc<typeof shapes.stepDoc> {
  type Step = Doc<typeof shapes.stepDoc>;
  return {
    targetId: row.targetId,
    agent,
    step: row.step as Step['step'],
    status: row.status as Step['status'],
    startedAt: iso(row.startedAt),
    endedAt: iso(row.endedAt),
    error: row.error,
  };
}

export function presentTarget(row: TargetRow, steps: StepRow[]): Doc<typeof shapes.targetDoc> {
  return {
    id: row.id,
    position: row.position,
    agent: { id: row.agentId, name: row.agentName, connected: row.connected },
    status: row.status,
    cause: row.cause,
    error: row.error,
    updatedAt: row.updatedAt.toISOString(),
    steps: steps
      .filter((step) => step.targetId === row.id)
      .map((step) => {
        const { targetId: _targetId, agent: _agent, ...rest } = presentStep(step, row.agentName);
        return rest;
      }),
  };
}

export function presentHistory(row: DeploymentRow): Doc<typeof shapes.historyDoc> {
  return {
    id: row.id,
    jobId: row.jobId,
    date: row.createdAt.toISOString(),
    account: row.account,
    state: groupOf(row),
    status: statusOf(row),
    project: { id: row.projectId, name: row.projectName },
    stage: { id: row.stageId, name: row.stageName },
    scenario: { id: row.scenarioId, name: row.scenarioName },
    message: row.error,
    entries: { total: row.targetCount, byType: { [row.stageType]: row.targetCount } },
  };
}

const ENTRY_STATE = {
  pending: 'confirming',
  standby: 'confirming',
  pre: 'confirming',
  deploy: 'confirming',
  post: 'confirming',
  success: 'deployed',
  fail: 'not_deployed',
  no_progress: 'not_deployed',
} as const satisfies Record<TargetRow['status'], GroupState>;

/** One line per target: on `server`, the artifact is stored on the machine of its agent. */
export function presentEntry(row: TargetRow, deployment: DeploymentRow): Doc<typeof shapes.entryDoc> {
  return {
    message: row.error,
    objectType: deployment.stageType,
    path: `/${deployment.stageName}/${row.agentName}`,
    operation: 'store',
    date: row.updatedAt.toISOString(),
    state: ENTRY_STATE[row.status],
  };
}

export function presentAgent(row: AgentRow): Doc<typeof shapes.agentDoc> {
  return {
    id: row.id,
    name: row.name,
    labels: JSON.parse(row.labels) as Record<string, string>,
    state: row.revokedAt ? 'revoked' : row.connected ? 'connected' : 'away',
    host: row.host,
    version: row.programVersion,
    enrolledAt: row.enrolledAt.toISOString(),
    lastSeenAt: iso(row.lastSeenAt),
    revokedAt: iso(row.revokedAt),
  };
}

export function presentSeedListed(row: DeploymentRow): Doc<typeof shapes.seedListed> {
  return {
    id: row.id,
    project: { id: row.projectId, name: row.projectName },
    stage: { id: row.stageId, name: row.stageName },
    scenario: { id: row.scenarioId, name: row.scenarioName },
    status: statusOf(row),
    startTime: iso(row.startedAt),
  };
}

/** SourceDeploy's history detail of a Server stage; a step that has not begun is absent, as there. */
export function presentSeedServer(row: DeploymentRow, targets: TargetRow[], steps: StepRow[]): shapes.SeedServerDetail {
  return {
    ...presentSeedListed(row),
    executor: row.account,
    endTime: iso(row.endedAt),
    type: 'Server',
    config: {
      strategy: 'normal',
      file: { type: 'later', selected: `${row.artifactName}:${row.artifactVersion}` },
      targets: targets.map((target) => {
        const own = steps.filter((step) => step.targetId === target.id);
        const times = own.map((step) => [step.step, iso(step.endedAt ?? step.startedAt)] as const);
        return {
          server: { no: target.agentNo ?? 0, name: target.agentName },
          status: target.status,
          time: Object.fromEntries(times.filter(([, at]) => at !== null)),
          step: Object.fromEntries(own.map((step) => [step.step, step.status])),
        };
      }),
    },
  };
}
