// Forgets idempotency keys after the 24 hours that they are promised for.
import { pruneIdempotency } from '../../db/queries/maintenance';
import type { MaintenanceDeps } from './startMaintenance';

const KEEP_MS = 24 * 3_600_000;
const BATCH = 1000;

export async function idempotencyKeys(deps: MaintenanceDeps): Promise<boolean> {
  return (await pruneIdempotency(deps.db, KEEP_MS, BATCH)) === BATCH;
}
