// Projects and their members: created and changed by superadmins only. Called by routes/deployments/projects.ts.
import {
  deleteEmptyProject,
  deleteMember,
  findMemberCandidate,
  findProject,
  insertProject,
  renameProject as renameProjectRow,
  upsertMember,
  type MemberRow,
  type Permission,
  type ProjectRow,
} from '../../db/queries/projects';
import { insertAudit } from '../../db/queries/audit';
import { invalid, notFound } from '../../lib/errors';
import { isUuid } from '../../lib/ids';
import type { Actor } from '../actor';
import type { CommandDeps } from '../commandDeps';
import { getProject, inUse, requireSuperadmin, taken, versionMoved, viewerOf } from './access';
import { auditOf } from './auditOf';

export async function createProject(deps: CommandDeps, actor: Actor, input: { name: string }): Promise<ProjectRow> {
  requireSuperadmin(actor, 'create projects');
  return deps.db.transaction().execute(async (tx) => {
    const id = await insertProject(tx, input.name, actor.id);
    if (id === null) throw taken('project', input.name);
    await insertAudit(tx, auditOf(actor, 'project.create', 'project', id, { after: input }));
    return (await findProject(tx, id, viewerOf(actor)))!;
  });
}

export async function renameProject(
  deps: CommandDeps,
  actor: Actor,
  projectId: number,
  version: number,
  input: { name: string },
): Promise<ProjectRow> {
  const before = await getProject(deps.db, actor, projectId);
  requireSuperadmin(actor, 'rename projects');
  try {
    return await deps.db.transaction().execute(async (tx) => {
      if (!(await renameProjectRow(tx, projectId, version, input.name))) throw versionMoved('project');
      await insertAudit(
        tx,
        auditOf(actor, 'project.change', 'project', projectId, { before: { name: before.name }, after: input }),
      );
      return (await findProject(tx, projectId, viewerOf(actor)))!;
    });
  } catch (error) {
    if ((error as { code?: string }).code === '23505') throw taken('project', input.name);
    throw error;
  }
}

export async function deleteProject(deps: CommandDeps, actor: Actor, projectId: number): Promise<void> {
  const before = await getProject(deps.db, actor, projectId);
  requireSuperadmin(actor, 'delete projects');
  await deps.db.transaction().execute(async (tx) => {
    if (!(await deleteEmptyProject(tx, projectId))) {
      throw inUse('This project still holds stages, scenarios or artifacts. Delete those first; nothing was changed.');
    }
    await insertAudit(tx, auditOf(actor, 'project.delete', 'project', projectId, { before: { name: before.name } }));
  });
}

/** Adds a member, or replaces what it may do. `user` is an id or an e-mail. */
export async function setMember(
  deps: CommandDeps,
  actor: Actor,
  projectId: number,
  input: { user: string; permissions: Permission[] },
): Promise<MemberRow> {
  await getProject(deps.db, actor, projectId);
  requireSuperadmin(actor, 'change the members of projects');
  const known = input.user.includes('@') || isUuid(input.user);
  const user = known ? await findMemberCandidate(deps.db, input.user) : null;
  if (!user) throw invalid([{ path: 'user', message: 'is nobody we know; takes an id or an e-mail' }]);
  // Whoever may do something may see it.
  const permissions = [...new Set<Permission>(['view', ...input.permissions])];
  await deps.db.transaction().execute(async (tx) => {
    await upsertMember(tx, projectId, user.userId, permissions);
    const after = { userId: user.userId, permissions };
    await insertAudit(tx, auditOf(actor, 'project.member', 'project', projectId, { after }));
  });
  return { ...user, permissions };
}

export async function removeMember(deps: CommandDeps, actor: Actor, projectId: number, userId: string): Promise<void> {
  await getProject(deps.db, actor, projectId);
  requireSuperadmin(actor, 'change the members of projects');
  await deps.db.transaction().execute(async (tx) => {
    if (!isUuid(userId) || !(await deleteMember(tx, projectId, userId))) throw notFound('member');
    await insertAudit(tx, auditOf(actor, 'project.member', 'project', projectId, { before: { userId } }));
  });
}
