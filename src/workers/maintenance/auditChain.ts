// Chains the audit rows that were committed since the last round.
import { chainAudit } from '../../db/queries/auditChain';
import type { MaintenanceDeps } from './startMaintenance';

const BATCH = 1000;

export async function auditChain(deps: MaintenanceDeps): Promise<boolean> {
  return (await chainAudit(deps.db, BATCH)) === BATCH;
}
