// Artifacts: versioned files of a project; the bytes lie under DATA_DIR/artifacts by a name of our own making.
// Called by uploadArtifact, startDeployment and the gateway's download.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { Page } from './projects';

export interface ArtifactRow {
  id: number;
  projectId: number;
  name: string;
  version: number;
  size: number;
  sha256: string;
  format: string;
  storedAs: string;
  createdBy: string;
  createdAt: Date;
}

/** Gives the next version of this name in the project. The project row is locked so that two uploads get two numbers. */
export async function insertArtifact(
  tx: Tx,
  artifact: Pick<ArtifactRow, 'projectId' | 'name' | 'size' | 'sha256' | 'format' | 'storedAs' | 'createdBy'>,
): Promise<ArtifactRow | null> {
  const project = await tx
    .selectFrom('project')
    .select('id')
    .where('id', '=', artifact.projectId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!project) return null;
  return tx
    .insertInto('artifact')
    .values(({ selectFrom }) => ({
      ...artifact,
      version: selectFrom('artifact')
        .select(sql<number>`coalesce(max(version), 0) + 1`.as('next'))
        .where('projectId', '=', artifact.projectId)
        .where('name', '=', artifact.name),
    }))
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function findArtifact(db: Db, projectId: number, id: number): Promise<ArtifactRow | null> {
  const row = await db
    .selectFrom('artifact')
    .selectAll()
    .where('projectId', '=', projectId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row ?? null;
}

/** By id alone: for the process, whose deployment names it. */
export async function findArtifactById(db: Db, id: number): Promise<ArtifactRow | null> {
  return (await db.selectFrom('artifact').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
}

/** Keeps an artifact from being deleted until the transaction that starts a deployment of it has committed. */
export async function lockArtifact(tx: Tx, id: number): Promise<boolean> {
  return (
    (await tx.selectFrom('artifact').select('id').where('id', '=', id).forShare().executeTakeFirst()) !== undefined
  );
}

/** Newest first. */
export function listArtifacts(db: Db, projectId: number, page: Page): Promise<ArtifactRow[]> {
  return db
    .selectFrom('artifact')
    .selectAll()
    .where('projectId', '=', projectId)
    .$if(page.after !== null, (query) => query.where('id', '<', page.after ?? 0))
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute();
}

/** The artifact if a command under way of this agent names it, else null: agents read nothing else. */
export async function findArtifactForAgent(db: Db, id: number, agentId: string): Promise<ArtifactRow | null> {
  const row = await db
    .selectFrom('artifact')
    .selectAll()
    .where('id', '=', id)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('deploymentTarget')
          .innerJoin('deployment', 'deployment.id', 'deploymentTarget.deploymentId')
          .select('deploymentTarget.id')
          .whereRef('deployment.artifactId', '=', 'artifact.id')
          .where('deploymentTarget.agentId', '=', agentId)
          .where('deploymentTarget.commandId', 'is not', null)
          .where('deploymentTarget.status', 'in', ['pending', 'standby', 'pre', 'deploy', 'post']),
      ),
    )
    .executeTakeFirst();
  return row ?? null;
}

/** Deletes an artifact that no deployment under way uses; gives the name of its file, or null while one does. */
export async function deleteIdleArtifact(tx: Tx, projectId: number, id: number): Promise<string | null> {
  // The lock waits for a start in hand, whose deployment the check below then sees.
  await tx.selectFrom('artifact').select('id').where('id', '=', id).forUpdate().executeTakeFirst();
  const row = await tx
    .deleteFrom('artifact')
    .where('projectId', '=', projectId)
    .where('id', '=', id)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('deployment')
            .select('deployment.id')
            .whereRef('deployment.artifactId', '=', 'artifact.id')
            .where('deployment.endedAt', 'is', null),
        ),
      ),
    )
    .returning('storedAs')
    .executeTakeFirst();
  return row?.storedAs ?? null;
}
