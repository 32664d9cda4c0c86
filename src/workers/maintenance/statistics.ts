// Adds up what was tallied of runs, and makes old counters coarser.
import { coarsenStatistics, rollTallies } from '../../db/queries/statistics';
import type { MaintenanceDeps } from './startMaintenance';

const BATCH = 5000;

export async function statistics(deps: MaintenanceDeps): Promise<boolean> {
  const rolled = await rollTallies(deps.db, BATCH);
  const moved = await coarsenStatistics(deps.db, BATCH);
  return rolled === BATCH || moved >= BATCH;
}
