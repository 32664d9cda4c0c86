// Deletes the rows of jobs that were deleted or whose time was over, a batch at a time, the job itself last.
import { deleteHanging, deleteTombstone, listTombstones } from '../../db/queries/maintenance';
import type { MaintenanceDeps } from './startMaintenance';

const JOBS = 50;
const ROWS = 5000;

/** @returns true while there is more to delete. */
export async function sweepTombstones(deps: Pick<MaintenanceDeps, 'db'>): Promise<boolean> {
  const jobs = await listTombstones(deps.db, JOBS);
  let budget = ROWS;
  for (const jobId of jobs) {
    const deleted = await deleteHanging(deps.db, jobId, budget);
    budget -= deleted;
    if (budget <= 0) return true;
    await deleteTombstone(deps.db, jobId);
  }
  return jobs.length === JOBS;
}
