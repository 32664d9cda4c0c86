// Drops feed entries older than the ten minutes that a stream may be resumed from.
import { pruneFeed } from '../../db/queries/feed';
import type { MaintenanceDeps } from './startMaintenance';

const KEEP_MS = 600_000;
const BATCH = 5000;

export async function feedPrune(deps: MaintenanceDeps): Promise<boolean> {
  return (await pruneFeed(deps.db, KEEP_MS, BATCH)) === BATCH;
}
