// Compares what the ledger promises with what is on its way: jobs whose outbox row was lost get one again, and runs whose
// chunks are all closed but whose last worker died are ended.
import { insertOutbox } from '../../db/queries/dispatch';
import { listForgotten } from '../../db/queries/maintenance';
import { listFinishedButOpen } from '../../db/queries/settle';
import { eachAlone } from '../../lib/eachAlone';
import { settleJob } from '../runner/settle';
import type { MaintenanceDeps } from './startMaintenance';

const BATCH = 200;

export async function reconcile(deps: MaintenanceDeps): Promise<boolean> {
  const forgotten = await listForgotten(deps.db, BATCH);
  for (const { jobId, kind } of forgotten) {
    const definition = await deps.catalog.get(kind);
    const isMassAction = definition?.shape === 'massAction';
    await insertOutbox(deps.db, jobId, isMassAction ? 'chunks' : 'run', isMassAction ? definition.concurrency : 1);
    deps.logger.warn({ jobId, kind }, 'a job that nothing would have woken is due again');
  }
  if (forgotten.length > 0) deps.waker.wake('gantry_work');
  await eachAlone(await listFinishedButOpen(deps.db, BATCH), (jobId) => settleJob(deps, jobId));
  return forgotten.length === BATCH;
}
