// An agent came or went: the deployments that wait for it look again, and say `confirming` or go on. Called by the gateway.
import type { Db } from '../../db/database';
import { listJobsOfAgent } from '../../db/queries/deploymentTargets';
import { wakeProcess } from '../../db/queries/processes';
import { withRetry } from '../../db/retry';
import type { ReportDeps } from './takeReport';

export async function wakeJobsOfAgent(deps: ReportDeps, agentId: string): Promise<void> {
  const jobs = await withRetry(() => listJobsOfAgent(deps.db, agentId));
  for (const jobId of jobs) await withRetry(() => wake(deps.db, jobId));
  if (jobs.length > 0) deps.wakeWork();
}

function wake(db: Db, jobId: string): Promise<void> {
  return db.transaction().execute((tx) => wakeProcess(tx, jobId));
}
