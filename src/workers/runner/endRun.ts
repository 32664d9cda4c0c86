// Ends the run that is held, through finishRun and under its epoch, and wakes whoever tells of it.
import { finishRun, type RunEnd } from '../../jobs/finishRun';
import { withRetry } from '../../db/retry';
import type { Lease } from '../../db/queries/claims';
import type { RunnerDeps } from './runnerDeps';

export type Ending = Pick<RunEnd, 'outcome' | 'error' | 'report'>;

/** @returns false when the lease was lost or a command was faster; then nothing was written. */
export async function endRun(deps: RunnerDeps, lease: Lease, ending: Ending): Promise<boolean> {
  const ended = await withRetry(() =>
    deps.db.transaction().execute((tx) =>
      finishRun(tx, {
        jobId: lease.jobId,
        run: lease.run,
        epoch: lease.epoch,
        retentionDays: deps.retentionDays,
        ...ending,
      }),
    ),
  );
  if (ended) announceEnd(deps);
  else
    deps.logger.debug({ jobId: lease.jobId, run: lease.run, ...ending }, 'the run had ended or was taken over already');
  return ended;
}

export function announceEnd(deps: Pick<RunnerDeps, 'waker'>): void {
  deps.waker.wake('gantry_change');
  deps.waker.wake('gantry_notice');
  // Slots became free.
  deps.waker.wake('gantry_work');
}
