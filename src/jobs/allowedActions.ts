// What an actor may ask of a job now: the state's actions, less what the kind's policy and the actor's role forbid.
// The presenter sends it with every job and the commands check against it, so that no client holds a copy of the rules.
import type { Actor } from './actor';
import type { JobRow } from '../db/queries/jobs';
import { isNamedApprover, mayDecide, requesterOf, type RequestedJob } from './approvals/mayDecide';
import type { Policy } from './define';
import { ACTIONS_BY_STATE, type JobAction } from './lifecycle';

type ActionableJob = Pick<JobRow, 'state' | 'phase' | 'ownerId' | 'waitingFor' | 'rowTotal'> &
  Pick<JobRow, 'undoOf' | 'keepsValues' | 'beingUndone'> &
  RequestedJob;

/** Whether the role may ever do this to that job (architecture, Roles); the state is a different question. */
export function mayEver(
  job: Pick<JobRow, 'waitingFor'> & RequestedJob,
  action: JobAction,
  actor: Actor,
  selfApproval = false,
): boolean {
  if (action === 'approve' || action === 'reject') return mayDecide(job, actor, selfApproval);
  if (action === 'withdraw') return requesterOf(job) === actor.id;
  if (actor.role === 'superadmin') return true;
  if (job.ownerId !== actor.id) return false;
  switch (action) {
    case 'cancel':
    case 'undo':
      return true;
    case 'delete':
      return actor.role === 'power_user';
    case 'resume':
      return job.waitingFor === 'trial' || job.waitingFor === 'limit';
    case 'pause':
    case 'prioritize':
    case 'requeue':
      return false;
  }
}

/** Whether the job's state and kind allow it, whoever asks. */
export function stateAllows(job: ActionableJob, policy: Policy, action: JobAction): boolean {
  if (!(ACTIONS_BY_STATE[job.state] as readonly JobAction[]).includes(action)) return false;
  // Only work over rows stops between two chunks; anything else runs through once it has begun.
  if (action === 'pause' && job.state === 'running') return job.rowTotal !== null && job.phase !== 'pausing';
  if (action === 'cancel' && job.state === 'running') return policy.cancelable;
  // What is being taken back is not run again at the same time.
  if (action === 'requeue') return policy.requeueable && !job.beingUndone;
  if (action === 'undo') return policy.undoable && job.undoOf === null && job.keepsValues && !job.beingUndone;
  if (action === 'approve' || action === 'reject' || action === 'withdraw') return !job.requestIsOver;
  return true;
}

export function allowedActions(job: ActionableJob, policy: Policy, actor: Actor, selfApproval = false): JobAction[] {
  const hasApproved = job.approvedBy?.includes(actor.id) ?? false;
  return ACTIONS_BY_STATE[job.state].filter(
    (action) =>
      stateAllows(job, policy, action) &&
      mayEver(job, action, actor, selfApproval) &&
      !(action === 'approve' && hasApproved),
  );
}

/** Superadmins see every job, all others their own; a foreign job is not there for them. */
export function maySee(job: Pick<JobRow, 'ownerId'>, actor: Actor): boolean {
  return actor.role === 'superadmin' || job.ownerId === actor.id;
}

/** As maySee, and for those who are asked to decide on the job: the job itself, its timeline and the request, no more. */
export function maySeeRequest(job: RequestedJob, actor: Actor): boolean {
  return maySee(job, actor) || isNamedApprover(job, actor);
}
