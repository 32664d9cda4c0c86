// Takes ended jobs away when their time is over. From purge_at on a job counts as gone for every reader; this makes it so:
// first a tombstone, then what hangs on it in batches. The audit and the deployment history stay.
import { pruneOrphanNotices, tombstoneExpired } from '../../db/queries/maintenance';
import type { MaintenanceDeps } from './startMaintenance';
import { sweepTombstones } from './sweepTombstones';

/** Small enough that no lock is held for long. */
const BATCH = 200;

/** @returns how many jobs were taken away. */
export async function retention(deps: MaintenanceDeps, signal?: AbortSignal): Promise<number> {
  let expired = 0;
  for (;;) {
    const count = await tombstoneExpired(deps.db, BATCH);
    expired += count;
    if (count > 0) deps.waker.wake('gantry_change');
    while (!signal?.aborted && (await sweepTombstones(deps)));
    if (count < BATCH || signal?.aborted) break;
  }
  await pruneOrphanNotices(deps.db, BATCH);
  return expired;
}
