// Stages and scenarios of a project: where it goes and how. Json columns go in and out as text; callers parse.
// Called by the project commands and routes, and by startDeployment.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import type { Page } from './projects';

export interface StageRow {
  id: number;
  projectId: number;
  name: string;
  type: string;
  target: string;
  createdAt: Date;
  version: number;
}

export interface ScenarioRow {
  id: number;
  projectId: number;
  stageId: number;
  name: string;
  description: string;
  config: string;
  createdAt: Date;
  version: number;
}

/** Null when the project has a stage of that name. */
export async function insertStage(
  db: Db,
  stage: Pick<StageRow, 'projectId' | 'name' | 'type' | 'target'>,
): Promise<StageRow | null> {
  const row = await db
    .insertInto('stage')
    .values(stage)
    .onConflict((conflict) => conflict.columns(['projectId', 'name']).doNothing())
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

export async function findStage(db: Db, projectId: number, id: number): Promise<StageRow | null> {
  const row = await db
    .selectFrom('stage')
    .selectAll()
    .where('projectId', '=', projectId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row ?? null;
}

export function listStages(db: Db, projectId: number, page: Page): Promise<StageRow[]> {
  return db
    .selectFrom('stage')
    .selectAll()
    .where('projectId', '=', projectId)
    .$if(page.after !== null, (query) => query.where('id', '>', page.after ?? 0))
    .orderBy('id')
    .limit(page.limit)
    .execute();
}

/** Null when the version moved on. */
export async function updateStage(
  db: Db,
  id: number,
  version: number,
  change: Partial<Pick<StageRow, 'name' | 'target'>>,
): Promise<StageRow | null> {
  const row = await db
    .updateTable('stage')
    .set({ ...change, version: sql`version + 1` })
    .where('id', '=', id)
    .where('version', '=', version)
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/** Deletes a stage that no scenario names; false while one does. */
export async function deleteUnusedStage(tx: Tx, id: number): Promise<boolean> {
  // The lock waits for a scenario that is just being added; the check below then sees it.
  await tx.selectFrom('stage').select('id').where('id', '=', id).forUpdate().executeTakeFirst();
  const result = await tx
    .deleteFrom('stage')
    .where('id', '=', id)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('scenario').select('scenario.id').whereRef('scenario.stageId', '=', 'stage.id'))),
    )
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}

/** Null when the project has a scenario of that name. */
export async function insertScenario(
  db: Db,
  scenario: Pick<ScenarioRow, 'projectId' | 'stageId' | 'name' | 'description' | 'config'>,
): Promise<ScenarioRow | null> {
  const row = await db
    .insertInto('scenario')
    .values(scenario)
    .onConflict((conflict) => conflict.columns(['projectId', 'name']).doNothing())
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

export async function findScenario(db: Db, projectId: number, id: number): Promise<ScenarioRow | null> {
  const row = await db
    .selectFrom('scenario')
    .selectAll()
    .where('projectId', '=', projectId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row ?? null;
}

export function listScenarios(db: Db, projectId: number, page: Page): Promise<ScenarioRow[]> {
  return db
    .selectFrom('scenario')
    .selectAll()
    .where('projectId', '=', projectId)
    .$if(page.after !== null, (query) => query.where('id', '>', page.after ?? 0))
    .orderBy('id')
    .limit(page.limit)
    .execute();
}

/** Null when the version moved on. */
export async function updateScenario(
  db: Db,
  id: number,
  version: number,
  change: Partial<Pick<ScenarioRow, 'description' | 'config'>>,
): Promise<ScenarioRow | null> {
  const row = await db
    .updateTable('scenario')
    .set({ ...change, version: sql`version + 1` })
    .where('id', '=', id)
    .where('version', '=', version)
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/** Keeps a scenario from being deleted or changed until the transaction that starts a deployment of it has committed. */
export async function lockScenario(tx: Tx, id: number): Promise<boolean> {
  const row = await tx.selectFrom('scenario').select('id').where('id', '=', id).forShare().executeTakeFirst();
  return row !== undefined;
}

/** Deletes a scenario that no deployment under way runs; false while one does. Its history stays. */
export async function deleteIdleScenario(tx: Tx, id: number): Promise<boolean> {
  // The lock waits for a start in hand, whose deployment the check below then sees.
  await tx.selectFrom('scenario').select('id').where('id', '=', id).forUpdate().executeTakeFirst();
  const result = await tx
    .deleteFrom('scenario')
    .where('id', '=', id)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('deployment')
            .select('deployment.id')
            .whereRef('deployment.scenarioId', '=', 'scenario.id')
            .where('deployment.endedAt', 'is', null),
        ),
      ),
    )
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}
