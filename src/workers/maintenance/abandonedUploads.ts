// Clears the staged rows of uploads that broke off without a word, as when the web process was killed.
import { deleteAbandonedUploads } from '../../db/queries/maintenance';
import type { MaintenanceDeps } from './startMaintenance';

/** An upload touches its mark with every batch it stages. */
const IDLE_MS = 3_600_000;
const BATCH = 200;

export async function abandonedUploads(deps: MaintenanceDeps): Promise<boolean> {
  return (await deleteAbandonedUploads(deps.db, IDLE_MS, BATCH)) > 0;
}
