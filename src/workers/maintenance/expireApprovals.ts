// Ends jobs whose request for approval ran out undecided, so that their owner is told; decisions were refused from that moment on.
// Also gives a request to jobs that wait without one: the version before requests were kept makes such jobs.
import { listExpired, listUnrequested } from '../../db/queries/approvals';
import { lockJob } from '../../db/queries/jobs';
import { withRetry } from '../../db/retry';
import { requestApproval } from '../../jobs/approvals/requestApproval';
import { finishRun } from '../../jobs/finishRun';
import { eachAlone } from '../../lib/eachAlone';
import type { MaintenanceDeps } from './startMaintenance';

const BATCH = 100;

export async function expireApprovals(deps: MaintenanceDeps): Promise<boolean> {
  const expired = await listExpired(deps.db, BATCH);
  const unrequested = await listUnrequested(deps.db, BATCH);
  if (expired.length + unrequested.length === 0) return false;
  try {
    await eachAlone(
      [
        ...expired.map(
          ({ id, run }) =>
            () =>
              expire(deps, id, run),
        ),
        ...unrequested.map(
          ({ id, kind }) =>
            () =>
              request(deps, id, kind),
        ),
      ],
      (act) => act(),
    );
  } finally {
    deps.waker.wake('gantry_change');
    deps.waker.wake('gantry_notice');
  }
  return expired.length === BATCH || unrequested.length === BATCH;
}

/** Looked at again under the lock: a decision may have come first. */
function expire(deps: MaintenanceDeps, jobId: string, run: number): Promise<void> {
  const { retentionDays } = deps;
  return withRetry(() =>
    deps.db.transaction().execute(async (tx) => {
      const job = await lockJob(tx, jobId);
      if (job?.state !== 'awaiting_approval' || job.run !== run || !job.requestIsOver) return;
      await finishRun(tx, { jobId, run, epoch: null, outcome: 'expired', retentionDays });
    }),
  );
}

async function request(deps: MaintenanceDeps, jobId: string, kind: string): Promise<void> {
  const definition = await deps.catalog.get(kind);
  await withRetry(() =>
    deps.db.transaction().execute(async (tx) => {
      const job = await lockJob(tx, jobId);
      if (job?.state !== 'awaiting_approval') return;
      const { run, ownerId, ownerName } = job;
      await requestApproval(tx, { jobId, run, ownerId }, definition, { id: ownerId, name: ownerName });
    }),
  );
}
