// Stages: where a project is deployed to. Superadmins only. Called by routes/deployments/stages.ts.
import { insertAudit } from '../../db/queries/audit';
import {
  deleteUnusedStage,
  findStage,
  insertStage,
  updateStage as updateStageRow,
  type StageRow,
} from '../../db/queries/scenarios';
import { invalid, notFound } from '../../lib/errors';
import type { Actor } from '../actor';
import { findTargetKind, type KnownKind, type StageType } from '../../targets/catalog';
import type { CommandDeps } from '../commandDeps';
import { getProject, inUse, requireSuperadmin, taken, versionMoved } from './access';
import { auditOf } from './auditOf';
import { parsePart } from './parsePart';

/** @throws invalid where this version has the type's name and nothing else. */
export function requireKind(type: string): KnownKind {
  const kind = findTargetKind(type);
  if (!kind) {
    throw invalid([{ path: 'type', message: `"${type}" cannot be deployed to yet; this version takes "server"` }]);
  }
  return kind;
}

export async function createStage(
  deps: CommandDeps,
  actor: Actor,
  projectId: number,
  input: { name: string; type: StageType; target: unknown },
): Promise<StageRow> {
  await getProject(deps.db, actor, projectId);
  requireSuperadmin(actor, 'create stages');
  const target = parsePart(requireKind(input.type).target, input.target, 'target');
  return deps.db.transaction().execute(async (tx) => {
    const row = await insertStage(tx, {
      projectId,
      name: input.name,
      type: input.type,
      target: JSON.stringify(target),
    });
    if (!row) throw taken('stage', input.name);
    await insertAudit(tx, auditOf(actor, 'stage.create', 'stage', row.id, { after: { ...input, target } }));
    return row;
  });
}

export async function updateStage(
  deps: CommandDeps,
  actor: Actor,
  projectId: number,
  stageId: number,
  version: number,
  input: { target: unknown },
): Promise<StageRow> {
  const before = await getStage(deps, actor, projectId, stageId);
  requireSuperadmin(actor, 'change stages');
  const target = parsePart(requireKind(before.type).target, input.target, 'target');
  return deps.db.transaction().execute(async (tx) => {
    const row = await updateStageRow(tx, stageId, version, { target: JSON.stringify(target) });
    if (!row) throw versionMoved('stage');
    const was = { target: JSON.parse(before.target) as unknown };
    await insertAudit(tx, auditOf(actor, 'stage.change', 'stage', stageId, { before: was, after: { target } }));
    return row;
  });
}

export async function deleteStage(deps: CommandDeps, actor: Actor, projectId: number, stageId: number): Promise<void> {
  const before = await getStage(deps, actor, projectId, stageId);
  requireSuperadmin(actor, 'delete stages');
  await deps.db.transaction().execute(async (tx) => {
    if (!(await deleteUnusedStage(tx, stageId))) {
      throw inUse('Scenarios still deploy to this stage. Delete those first; nothing was changed.');
    }
    await insertAudit(tx, auditOf(actor, 'stage.delete', 'stage', stageId, { before: { name: before.name } }));
  });
}

export async function getStage(deps: CommandDeps, actor: Actor, projectId: number, stageId: number): Promise<StageRow> {
  await getProject(deps.db, actor, projectId);
  const stage = await findStage(deps.db, projectId, stageId);
  if (!stage) throw notFound('stage');
  return stage;
}
