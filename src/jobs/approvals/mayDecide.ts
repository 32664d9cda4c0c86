// Who may decide on a request for approval, and who may see a job for that reason alone. Pure; used by allowedActions, the
// commands and the routes, so that what is shown and what is refused never differ.
import type { JobRow } from '../../db/queries/jobs';
import type { Actor } from '../actor';

/** A job and its latest run's request; without one (made by an earlier version) the standard rules hold. */
export type RequestedJob = Pick<JobRow, 'ownerId'> &
  Partial<Pick<JobRow, 'requesterId' | 'approvers' | 'requestIsOver' | 'approvedBy'>>;

export function isNamedApprover(job: Partial<Pick<JobRow, 'approvers'>>, actor: Actor): boolean {
  return job.approvers?.includes(actor.email.toLowerCase()) ?? false;
}

export function isApprover(job: RequestedJob, actor: Actor): boolean {
  return job.approvers ? isNamedApprover(job, actor) : actor.role === 'superadmin';
}

/** The job is theirs, or it was they who asked to run it again. */
export function isOwnRequest(job: RequestedJob, actor: Actor): boolean {
  return job.ownerId === actor.id || requesterOf(job) === actor.id;
}

export function requesterOf(job: RequestedJob): string {
  return job.requesterId ?? job.ownerId;
}

/** @param selfApproval ALLOW_SELF_APPROVAL: for an installation with one superadmin. */
export function mayDecide(job: RequestedJob, actor: Actor, selfApproval: boolean): boolean {
  return isApprover(job, actor) && (selfApproval || !isOwnRequest(job, actor));
}
