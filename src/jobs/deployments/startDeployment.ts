// Starts a deployment of an artifact by a scenario: the job, its history row and its targets in one transaction, or nothing.
// Called by POST /projects/{p}/scenarios/{s}/deploy. What it does later belongs to definitions/deployment.ts.
import { findTargets } from '../../db/queries/agents';
import { insertAudit } from '../../db/queries/audit';
import { findArtifact, lockArtifact } from '../../db/queries/artifacts';
import { insertDeployment } from '../../db/queries/deployments';
import { insertChange } from '../../db/queries/events';
import { findScenario, findStage, lockScenario } from '../../db/queries/scenarios';
import { GantryError, invalid, notFound } from '../../lib/errors';
import { newId } from '../../lib/ids';
import type { Actor } from '../actor';
import type { CommandDeps } from '../commandDeps';
import { publishJob } from '../commands/createJob';
import { deployment as definition } from '../definitions/deployment';
import { getProject } from './access';
import { auditOf } from './auditOf';
import { runStatusOf, type RunStatus } from './runStatus';
import { requireKind } from './stageCommands';
import { parsePart } from './parsePart';

export interface StartedDeployment {
  id: number;
  jobId: string;
  status: RunStatus;
}

/** The column's limit; a cut title is still a title. */
const MAX_TITLE = 500;

export async function startDeployment(
  deps: CommandDeps,
  actor: Actor,
  projectId: number,
  scenarioId: number,
  input: { artifactId: number; reason?: string },
): Promise<StartedDeployment> {
  const project = await getProject(deps.db, actor, projectId, 'deploy');
  const jobId = newId();
  const started = await deps.db.transaction().execute(async (tx) => {
    // Locks keep scenario and artifact from being deleted while the deployment that needs them is being written.
    const scenario = (await lockScenario(tx, scenarioId)) ? await findScenario(tx, projectId, scenarioId) : null;
    if (!scenario) throw notFound('scenario');
    const artifact = (await lockArtifact(tx, input.artifactId))
      ? await findArtifact(tx, projectId, input.artifactId)
      : null;
    if (!artifact) throw invalid([{ path: 'artifactId', message: 'is no artifact of this project' }]);
    const stage = await findStage(tx, projectId, scenario.stageId);
    if (!stage) throw notFound('stage');
    const wanted = parsePart(requireKind(stage.type).target, JSON.parse(stage.target), 'target');
    const targets = await findTargets(tx, wanted);
    const missing = (wanted.agents ?? []).filter((name) => !targets.some((one) => one.name === name));
    if (missing.length > 0 || targets.length === 0) {
      const what = missing.length > 0 ? `has no agent named ${missing.join(', ')}` : 'matches no agent';
      throw new GantryError(
        'state_forbids',
        `The stage "${stage.name}" ${what}. Nothing was started; enrol the agent or change the stage, then deploy again.`,
      );
    }
    const id = await insertDeployment(
      tx,
      {
        jobId,
        projectId,
        projectName: project.name,
        stageId: stage.id,
        stageName: stage.name,
        stageType: stage.type,
        scenarioId,
        scenarioName: scenario.name,
        artifactId: artifact.id,
        artifactName: artifact.name,
        artifactVersion: artifact.version,
        config: scenario.config,
        accountId: actor.id,
        account: actor.email,
        status: runStatusOf('queued'),
        reason: input.reason ?? null,
      },
      targets,
    );
    const title = `Deploy ${artifact.name} v${artifact.version}: ${project.name}/${scenario.name} to ${stage.name}`;
    const job = {
      kind: definition.kind,
      title: title.slice(0, MAX_TITLE).toWellFormed(),
      params: { deploymentId: id },
    };
    await publishJob(tx, definition, actor, job, null, jobId);
    const after = { project: project.name, scenario: scenario.name, stage: stage.name, artifactId: artifact.id };
    await insertAudit(tx, auditOf(actor, 'deployment.start', 'deployment', id, { after, reason: input.reason }));
    await insertChange(tx, 'deployment', String(id), actor.id);
    return { id, jobId, status: runStatusOf('queued') };
  });
  deps.waker.wake('gantry_work');
  deps.waker.wake('gantry_change');
  return started;
}
