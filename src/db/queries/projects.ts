// Projects and their members. Called by the project commands and routes; who may see what is decided here once (`seenBy`).
import { sql } from 'kysely';
import type { Db, Tx } from '../database';

export interface ProjectRow {
  id: number;
  name: string;
  createdAt: Date;
  version: number;
  /** What the asking user may do in it; a superadmin holds everything. */
  permissions: string[];
}

/** Who asks. `all` is true for superadmins; others see the projects they are members of. */
export interface Viewer {
  userId: string;
  all: boolean;
}

export interface Page {
  /** Ids after this one, in the list's order; null for the first page. */
  after: number | null;
  limit: number;
}

export const PERMISSIONS = ['view', 'deploy', 'request', 'approve'] as const;
export type Permission = (typeof PERMISSIONS)[number];

function visible(db: Db, viewer: Viewer) {
  return db
    .selectFrom('project')
    .leftJoin('projectMember', (join) =>
      join.onRef('projectMember.projectId', '=', 'project.id').on('projectMember.userId', '=', viewer.userId),
    )
    .select(['project.id', 'project.name', 'project.createdAt', 'project.version'])
    .select(
      sql<
        string[]
      >`case when ${viewer.all} then ${sql.val([...PERMISSIONS])}::text[] else project_member.permissions end`.as(
        'permissions',
      ),
    )
    .$if(!viewer.all, (query) => query.where('projectMember.userId', 'is not', null));
}

/** The project, or null when it is not there or not the viewer's to see. */
export async function findProject(db: Db, id: number, viewer: Viewer): Promise<ProjectRow | null> {
  return (await visible(db, viewer).where('project.id', '=', id).executeTakeFirst()) ?? null;
}

/** Oldest first, by id. */
export function listProjects(db: Db, viewer: Viewer, page: Page): Promise<ProjectRow[]> {
  return visible(db, viewer)
    .$if(page.after !== null, (query) => query.where('project.id', '>', page.after ?? 0))
    .orderBy('project.id')
    .limit(page.limit)
    .execute();
}

/** Null when the name is taken. */
export async function insertProject(db: Db, name: string, createdBy: string): Promise<number | null> {
  const row = await db
    .insertInto('project')
    .values({ name, createdBy })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id ?? null;
}

/** False when the version moved on. Throws a unique violation when the name is taken. */
export async function renameProject(db: Db, id: number, version: number, name: string): Promise<boolean> {
  const result = await db
    .updateTable('project')
    .set({ name, version: sql`version + 1` })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Deletes an empty project; false while it still holds a stage, a scenario or an artifact. */
export async function deleteEmptyProject(tx: Tx, id: number): Promise<boolean> {
  // The lock waits for a stage or artifact that is just being added; the checks below then see it.
  await tx.selectFrom('project').select('id').where('id', '=', id).forUpdate().executeTakeFirst();
  const result = await tx
    .deleteFrom('project')
    .where('id', '=', id)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('stage').select('stage.id').whereRef('stage.projectId', '=', 'project.id'))),
    )
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('scenario').select('scenario.id').whereRef('scenario.projectId', '=', 'project.id'))),
    )
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('artifact').select('artifact.id').whereRef('artifact.projectId', '=', 'project.id'))),
    )
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}

export interface MemberRow {
  userId: string;
  name: string;
  email: string;
  permissions: string[];
}

/** By user id, which sorts by time of birth. */
export function listMembers(
  db: Db,
  projectId: number,
  page: { after: string | null; limit: number },
): Promise<MemberRow[]> {
  return db
    .selectFrom('projectMember')
    .innerJoin('appUser', 'appUser.id', 'projectMember.userId')
    .select(['projectMember.userId', 'appUser.name', 'appUser.email', 'projectMember.permissions'])
    .where('projectMember.projectId', '=', projectId)
    .$if(page.after !== null, (query) => query.where('projectMember.userId', '>', page.after ?? ''))
    .orderBy('projectMember.userId')
    .limit(page.limit)
    .execute();
}

/** Adds a member or replaces its permissions. */
export async function upsertMember(db: Db, projectId: number, userId: string, permissions: string[]): Promise<void> {
  await db
    .insertInto('projectMember')
    .values({ projectId, userId, permissions })
    .onConflict((conflict) => conflict.columns(['projectId', 'userId']).doUpdateSet({ permissions }))
    .execute();
}

export async function deleteMember(db: Db, projectId: number, userId: string): Promise<boolean> {
  const result = await db
    .deleteFrom('projectMember')
    .where('projectId', '=', projectId)
    .where('userId', '=', userId)
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}

/** A user by id or e-mail, who may become a member. */
export async function findMemberCandidate(db: Db, idOrEmail: string): Promise<Omit<MemberRow, 'permissions'> | null> {
  const row = await db
    .selectFrom('appUser')
    .select(['id as userId', 'name', 'email'])
    .where((eb) => (idOrEmail.includes('@') ? eb('email', '=', idOrEmail.toLowerCase()) : eb('id', '=', idOrEmail)))
    .executeTakeFirst();
  return row ?? null;
}
