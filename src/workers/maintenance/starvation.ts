// A job of low priority is not passed over for ever: what waited longer than the bound goes before higher priorities.
import { liftStarving } from '../../db/queries/outbox';
import type { MaintenanceDeps } from './startMaintenance';

const BATCH = 500;

/** @returns true when there are more. */
export async function starvation(deps: MaintenanceDeps): Promise<boolean> {
  const lifted = await liftStarving(deps.db, deps.starvationMs, BATCH);
  if (lifted > 0) deps.waker.wake('gantry_work');
  return lifted === BATCH;
}
