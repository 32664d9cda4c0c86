// The decisions on a job that needs approval: approve and reject by a superadmin who did not ask for it, withdraw by who did.
// What is approved is what was asked for: parameters and rows were frozen when the job was made.
import { insertAudit } from '../../db/queries/audit';
import { insertChange, insertEvent } from '../../db/queries/events';
import type { JobRow } from '../../db/queries/jobs';
import { markRunQueued, moveJob, NOW } from '../../db/queries/moves';
import { insertRunDue } from '../../db/queries/outbox';
import { GantryError } from '../../lib/errors';
import type { Actor } from '../actor';
import type { CommandDeps } from '../commandDeps';
import { finishRun } from '../finishRun';
import { outboxShape } from './createJob';
import { onJob, stateForbids, type Commanded } from './onJob';

export function approveJob(deps: CommandDeps, actor: Actor, jobId: string): Promise<JobRow> {
  return onJob(deps, actor, jobId, async (commanded) => {
    const { tx, job, definition } = commanded;
    requireApprover(job, actor, 'approve');
    if (!definition) throw stateForbids(commanded, actor, 'approve', 'its kind does not exist any more');
    requireAwaiting(commanded, actor, 'approve');
    const moved = await moveJob(tx, jobId, job.run, ['awaiting_approval'], { state: 'queued', queuedAt: NOW });
    if (!moved) throw stateForbids(commanded, actor, 'approve');
    await markRunQueued(tx, jobId, job.run);
    const { run, ownerId, priority, runAt } = job;
    await insertRunDue(tx, { jobId, run, ownerId, priority, dueAt: runAt, ...outboxShape(definition) });
    await insertEvent(tx, { jobId, run, type: 'approved', actor });
    await insertAudit(tx, {
      actor,
      action: 'job.approve',
      subjectType: 'job',
      subjectId: jobId,
      before: { state: job.state },
      after: { state: 'queued' },
    });
    await insertChange(tx, 'job', jobId, ownerId);
    return ['gantry_work', 'gantry_change'];
  });
}

export function rejectJob(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  input: { reason?: string } = {},
): Promise<JobRow> {
  return onJob(deps, actor, jobId, async (commanded) => {
    requireApprover(commanded.job, actor, 'reject');
    return end(deps, commanded, actor, 'rejected', input.reason);
  });
}

export function withdrawJob(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  input: { reason?: string } = {},
): Promise<JobRow> {
  return onJob(deps, actor, jobId, async (commanded) => {
    if (commanded.job.ownerId !== actor.id) {
      throw new GantryError(
        'forbidden',
        'Only who asked for this job may withdraw it. Nothing was changed; reject it instead.',
      );
    }
    return end(deps, commanded, actor, 'withdrawn', input.reason);
  });
}

async function end(
  deps: CommandDeps,
  commanded: Commanded,
  actor: Actor,
  outcome: 'rejected' | 'withdrawn',
  reason: string | undefined,
): Promise<('gantry_change' | 'gantry_notice')[]> {
  const { tx, job } = commanded;
  const act = outcome === 'rejected' ? 'reject' : 'withdraw';
  requireAwaiting(commanded, actor, act);
  const { retentionDays } = deps.settings;
  const because = reason === undefined ? {} : { reason };
  const ended = await finishRun(tx, {
    jobId: job.id,
    run: job.run,
    epoch: null,
    outcome,
    actor,
    retentionDays,
    ...because,
  });
  if (!ended) throw stateForbids(commanded, actor, act);
  return ['gantry_change', 'gantry_notice'];
}

function requireApprover(job: JobRow, actor: Actor, act: 'approve' | 'reject'): void {
  if (actor.role === 'superadmin' && job.ownerId !== actor.id) return;
  const why = actor.role === 'superadmin' ? 'Nobody may decide on an own request' : `Your role may not ${act} this job`;
  throw new GantryError('forbidden', `${why}. Nothing was changed; ask a superadmin who did not ask for it.`);
}

/** A decision is taken once: deciding the same twice is refused, as is deciding too late. */
function requireAwaiting(commanded: Commanded, actor: Actor, act: string): void {
  if (commanded.job.state !== 'awaiting_approval') throw stateForbids(commanded, actor, act);
}
