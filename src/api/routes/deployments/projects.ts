// Routes of projects, their members, stages and scenarios. Thin: the commands in jobs/deployments judge and write.
import { listMembers, listProjects } from '../../../db/queries/projects';
import { listScenarios, listStages } from '../../../db/queries/scenarios';
import { getProject, viewerOf } from '../../../jobs/deployments/access';
import * as project from '../../../jobs/deployments/projectCommands';
import * as scenario from '../../../jobs/deployments/scenarioCommands';
import * as stage from '../../../jobs/deployments/stageCommands';
import { startDeployment } from '../../../jobs/deployments/startDeployment';
import { implement, type Route } from '../../contract/endpoint';
import * as contract from '../../contract/projects';
import { versionOf } from '../../router';
import { pagedById, pagedByUuid } from './paged';
import { presentMember, presentProject, presentScenario, presentStage } from './present';

export const projectRoutes: Route[] = [
  implement(contract.listProjects, ({ deps, actor, query }) =>
    pagedById(
      query,
      (page) => listProjects(deps.db, viewerOf(actor), page),
      (row) => row.id,
      presentProject,
    ),
  ),
  implement(contract.createProject, async ({ deps, actor, body }) =>
    presentProject(await project.createProject(deps.commands, actor, body)),
  ),
  implement(contract.getProject, async ({ deps, actor, params }) =>
    presentProject(await getProject(deps.db, actor, params.projectId)),
  ),
  implement(contract.renameProject, async ({ deps, actor, params, body, request }) =>
    presentProject(await project.renameProject(deps.commands, actor, params.projectId, versionOf(request), body)),
  ),
  implement(contract.deleteProject, ({ deps, actor, params }) =>
    project.deleteProject(deps.commands, actor, params.projectId),
  ),

  implement(contract.listMembers, async ({ deps, actor, params, query }) => {
    await getProject(deps.db, actor, params.projectId);
    return pagedByUuid(
      query,
      (page) => listMembers(deps.db, params.projectId, page),
      (row) => row.userId,
      presentMember,
    );
  }),
  implement(contract.setMember, async ({ deps, actor, params, body }) =>
    presentMember(await project.setMember(deps.commands, actor, params.projectId, body)),
  ),
  implement(contract.removeMember, ({ deps, actor, params }) =>
    project.removeMember(deps.commands, actor, params.projectId, params.userId),
  ),

  implement(contract.listStages, async ({ deps, actor, params, query }) => {
    await getProject(deps.db, actor, params.projectId);
    return pagedById(
      query,
      (page) => listStages(deps.db, params.projectId, page),
      (row) => row.id,
      presentStage,
    );
  }),
  implement(contract.createStage, async ({ deps, actor, params, body }) =>
    presentStage(await stage.createStage(deps.commands, actor, params.projectId, body)),
  ),
  implement(contract.getStage, async ({ deps, actor, params }) =>
    presentStage(await stage.getStage(deps.commands, actor, params.projectId, params.stageId)),
  ),
  implement(contract.updateStage, async ({ deps, actor, params, body, request }) => {
    const { projectId, stageId } = params;
    return presentStage(await stage.updateStage(deps.commands, actor, projectId, stageId, versionOf(request), body));
  }),
  implement(contract.deleteStage, ({ deps, actor, params }) =>
    stage.deleteStage(deps.commands, actor, params.projectId, params.stageId),
  ),

  implement(contract.listScenarios, async ({ deps, actor, params, query }) => {
    await getProject(deps.db, actor, params.projectId);
    return pagedById(
      query,
      (page) => listScenarios(deps.db, params.projectId, page),
      (row) => row.id,
      presentScenario,
    );
  }),
  implement(contract.createScenario, async ({ deps, actor, params, body }) =>
    presentScenario(await scenario.createScenario(deps.commands, actor, params.projectId, body)),
  ),
  implement(contract.getScenario, async ({ deps, actor, params }) =>
    presentScenario(await scenario.getScenario(deps.commands, actor, params.projectId, params.scenarioId)),
  ),
  implement(contract.updateScenario, async ({ deps, actor, params, body, request }) => {
    const { projectId, scenarioId } = params;
    return presentScenario(
      await scenario.updateScenario(deps.commands, actor, projectId, scenarioId, versionOf(request), body),
    );
  }),
  implement(contract.deleteScenario, ({ deps, actor, params }) =>
    scenario.deleteScenario(deps.commands, actor, params.projectId, params.scenarioId),
  ),
  implement(contract.deploy, async ({ deps, actor, params, body, response }) => {
    const started = await startDeployment(deps.commands, actor, params.projectId, params.scenarioId, body);
    response.location(`/api/v1/deployments/${started.id}`);
    return started;
  }),
];
