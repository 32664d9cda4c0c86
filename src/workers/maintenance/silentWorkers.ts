// Takes the rows of workers away that have been silent for an hour; until then the list shows that they are gone.
import { pruneWorkers } from '../../db/queries/workers';
import { pruneDue } from '../../db/queries/schedules';
import type { MaintenanceDeps } from './startMaintenance';

const SILENT_MS = 3_600_000;
const KEEP_DUE_MS = 30 * 24 * 3_600_000;
const BATCH = 500;

export async function silentWorkers(deps: MaintenanceDeps): Promise<boolean> {
  await pruneDue(deps.db, KEEP_DUE_MS, BATCH);
  return (await pruneWorkers(deps.db, SILENT_MS, BATCH)) === BATCH;
}
