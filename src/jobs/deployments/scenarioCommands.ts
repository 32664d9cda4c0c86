// Scenarios: how a project is deployed to one of its stages. Members with `deploy`. Called by routes/deployments/scenarios.ts.
import { insertAudit } from '../../db/queries/audit';
import {
  deleteIdleScenario,
  findScenario,
  findStage,
  insertScenario,
  updateScenario as updateScenarioRow,
  type ScenarioRow,
} from '../../db/queries/scenarios';
import { invalid, notFound } from '../../lib/errors';
import type { Actor } from '../actor';
import type { CommandDeps } from '../commandDeps';
import { getProject, inUse, taken, versionMoved } from './access';
import { auditOf } from './auditOf';
import { parsePart } from './parsePart';
import { getStage, requireKind } from './stageCommands';

export async function createScenario(
  deps: CommandDeps,
  actor: Actor,
  projectId: number,
  input: { name: string; stageId: number; description?: string; config: unknown },
): Promise<ScenarioRow> {
  await getProject(deps.db, actor, projectId, 'deploy');
  const stage = await findStage(deps.db, projectId, input.stageId);
  if (!stage) throw invalid([{ path: 'stageId', message: 'is no stage of this project' }]);
  const config = parsePart(requireKind(stage.type).config, input.config, 'config');
  const description = input.description ?? '';
  return deps.db.transaction().execute(async (tx) => {
    const row = await insertScenario(tx, {
      projectId,
      stageId: stage.id,
      name: input.name,
      description,
      config: JSON.stringify(config),
    });
    if (!row) throw taken('scenario', input.name);
    await insertAudit(tx, auditOf(actor, 'scenario.create', 'scenario', row.id, { after: { ...input, config } }));
    return row;
  });
}

/** Description and config only: a scenario keeps its name and its stage. Deployments under way keep what they began with. */
export async function updateScenario(
  deps: CommandDeps,
  actor: Actor,
  projectId: number,
  scenarioId: number,
  version: number,
  input: { description?: string; config?: unknown },
): Promise<ScenarioRow> {
  await getProject(deps.db, actor, projectId, 'deploy');
  const before = await getScenario(deps, actor, projectId, scenarioId);
  const stage = await getStage(deps, actor, projectId, before.stageId);
  const config =
    input.config === undefined ? undefined : parsePart(requireKind(stage.type).config, input.config, 'config');
  return deps.db.transaction().execute(async (tx) => {
    const row = await updateScenarioRow(tx, scenarioId, version, {
      ...(input.description === undefined ? {} : { description: input.description }),
      ...(config === undefined ? {} : { config: JSON.stringify(config) }),
    });
    if (!row) throw versionMoved('scenario');
    const was = { description: before.description, config: JSON.parse(before.config) as unknown };
    await insertAudit(tx, auditOf(actor, 'scenario.change', 'scenario', scenarioId, { before: was, after: input }));
    return row;
  });
}

export async function deleteScenario(
  deps: CommandDeps,
  actor: Actor,
  projectId: number,
  scenarioId: number,
): Promise<void> {
  await getProject(deps.db, actor, projectId, 'deploy');
  const before = await getScenario(deps, actor, projectId, scenarioId);
  await deps.db.transaction().execute(async (tx) => {
    if (!(await deleteIdleScenario(tx, scenarioId))) {
      throw inUse('A deployment of this scenario is under way. Wait for its end or cancel it; nothing was changed.');
    }
    await insertAudit(tx, auditOf(actor, 'scenario.delete', 'scenario', scenarioId, { before: { name: before.name } }));
  });
}

export async function getScenario(
  deps: CommandDeps,
  actor: Actor,
  projectId: number,
  scenarioId: number,
): Promise<ScenarioRow> {
  await getProject(deps.db, actor, projectId);
  const scenario = await findScenario(deps.db, projectId, scenarioId);
  if (!scenario) throw notFound('scenario');
  return scenario;
}
