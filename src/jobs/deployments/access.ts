// Who may see and do what with projects, decided here once for commands and routes: superadmins everything,
// others what their membership says; a foreign project does not exist for them.
import type { Db } from '../../db/database';
import { findProject, type Permission, type ProjectRow, type Viewer } from '../../db/queries/projects';
import { GantryError, notFound } from '../../lib/errors';
import type { Actor } from '../actor';

export function viewerOf(actor: Actor): Viewer {
  return { userId: actor.id, all: actor.role === 'superadmin' };
}

/** The project, if the actor may see it and, where one is named, holds the permission in it. */
export async function getProject(
  db: Db,
  actor: Actor,
  projectId: number,
  permission: Permission = 'view',
): Promise<ProjectRow> {
  const project = await findProject(db, projectId, viewerOf(actor));
  if (!project) throw notFound('project');
  // Whoever is a member at all may look.
  if (permission !== 'view' && !project.permissions.includes(permission)) {
    throw new GantryError(
      'forbidden',
      `Your membership of "${project.name}" does not include "${permission}". Ask a superadmin for it; nothing was changed.`,
    );
  }
  return project;
}

export function requireSuperadmin(actor: Actor, what: string): void {
  if (actor.role !== 'superadmin') {
    throw new GantryError('forbidden', `Only a superadmin may ${what}. Nothing was changed.`);
  }
}

/** Two edits at once: the second is told instead of winning silently. */
export function versionMoved(what: string): GantryError {
  return new GantryError(
    'version_moved',
    `This ${what} was changed by somebody else since you read it. Read it again and send your change with its new version.`,
  );
}

export function taken(what: string, name: string): GantryError {
  return new GantryError('already_exists', `There is already a ${what} named "${name}". Choose another name.`, {
    fields: [{ path: 'name', message: 'is taken' }],
  });
}

export function inUse(message: string): GantryError {
  return new GantryError('in_use', message);
}
