// Cancel: what waits ends at once; what is in a worker's hands becomes `canceling` and ends when the work has stopped.
// It never touches the queue: messages on their way find nothing to claim.
import { insertAudit } from '../../db/queries/audit';
import { insertChange, insertEvent } from '../../db/queries/events';
import type { JobRow } from '../../db/queries/jobs';
import { hasChunkInHand, moveJob, NEXT_WAKE, NOW } from '../../db/queries/moves';
import { insertRunDue } from '../../db/queries/outbox';
import type { WakeChannel } from '../../db/wake';
import { invalid } from '../../lib/errors';
import type { Actor } from '../actor';
import { mayEver, stateAllows } from '../allowedActions';
import { isBadText } from '../badText';
import type { CommandDeps } from '../commandDeps';
import { finishRun } from '../finishRun';
import { statesBefore } from '../lifecycle';
import { forbidden, onJob, stateForbids, type Commanded } from './onJob';

const MAX_REASON = 2000;

export function cancelJob(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  input: { reason?: string } = {},
): Promise<JobRow> {
  const { reason } = input;
  if (reason !== undefined && (reason.length > MAX_REASON || isBadText(reason))) {
    throw invalid([{ path: 'reason', message: `takes at most ${MAX_REASON} characters of text` }]);
  }
  return onJob(deps, actor, jobId, async (commanded) => {
    const { tx, job, policy } = commanded;
    if (!mayEver(job, 'cancel', actor)) throw forbidden('cancel');
    if (job.state === 'canceling' || job.state === 'canceled') return [];
    if (deps.settings.requireCancelReason && !reason?.trim()) {
      throw invalid([{ path: 'reason', message: 'say why: this installation asks for a reason of every cancel' }]);
    }
    if (!stateAllows(job, policy, 'cancel')) {
      throw stateForbids(
        commanded,
        actor,
        'cancel',
        policy.cancelable ? undefined : 'its kind runs through once it has begun',
      );
    }
    if (job.state !== 'running' || !(await mustStopFirst(commanded))) {
      const { retentionDays } = deps.settings;
      const ended = await finishRun(tx, {
        jobId,
        run: job.run,
        epoch: null,
        outcome: 'canceled',
        actor,
        ...(reason === undefined ? {} : { reason }),
        retentionDays,
      });
      if (!ended) throw stateForbids(commanded, actor, 'cancel');
      if (reason !== undefined) await moveJob(tx, jobId, job.run, ['canceled'], { cancelReason: reason });
      return ['gantry_change', 'gantry_notice', 'gantry_work'];
    }
    return askToStop(commanded, actor, reason);
  });
}

/** Whether somebody holds work of this run, or only the job's own tick can end it. */
async function mustStopFirst({ tx, job, definition }: Commanded): Promise<boolean> {
  if (definition?.shape === 'process') return true;
  if (job.rowTotal === null) return job.leaseUntil !== null;
  // All chunks are closed: the run ends with what they came to, which whoever settles it will say.
  return (await hasChunkInHand(tx, job.id, job.run)) || job.openChunks === 0;
}

async function askToStop(commanded: Commanded, actor: Actor, reason: string | undefined): Promise<WakeChannel[]> {
  const { tx, job, definition } = commanded;
  const isProcess = definition?.shape === 'process';
  const moved = await moveJob(tx, job.id, job.run, statesBefore('canceling'), {
    state: 'canceling',
    cancelRequestedAt: NOW,
    cancelReason: reason ?? null,
    // A process keeps its phase and is woken, for it stops what is under way by itself.
    ...(isProcess ? { wakeSeq: NEXT_WAKE, wakeAt: NOW } : { phase: null, waitingFor: null }),
  });
  if (!moved) throw stateForbids(commanded, actor, 'cancel');
  if (isProcess) {
    const { id: jobId, run, ownerId, priority } = job;
    await insertRunDue(tx, { jobId, run, ownerId, priority, shape: 'run', maxOnWay: 1, dueAt: null });
  }
  await insertEvent(tx, {
    jobId: job.id,
    run: job.run,
    type: 'cancel_requested',
    actor,
    data: reason ? { reason } : {},
  });
  await insertAudit(tx, {
    actor,
    action: 'job.cancel',
    subjectType: 'job',
    subjectId: job.id,
    before: { state: job.state },
    after: { state: 'canceling' },
    reason: reason ?? null,
  });
  await insertChange(tx, 'job', job.id, job.ownerId);
  return ['gantry_cancel', 'gantry_work', 'gantry_change'];
}
