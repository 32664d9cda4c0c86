// The link in a mail that asks for approval: finds the request and the person it was sent to, and decides in their name, with
// the rights they have now. Called by the routes of the link, where nobody needs to be signed in.
import { findApproval } from '../../db/queries/approvals';
import { findJob, type JobRow } from '../../db/queries/jobs';
import { findUser } from '../../db/queries/users';
import type { Db } from '../../db/database';
import type { ApprovalLinks } from '../../lib/approvalLink';
import { GantryError } from '../../lib/errors';
import type { Actor } from '../actor';
import type { CommandDeps } from '../commandDeps';
import { approveJob, rejectJob } from '../commands/decideJob';
import { mayDecide } from './mayDecide';

export interface LinkedRequest {
  job: JobRow;
  run: number;
  approver: Actor;
  requestHash: string;
}

/** One answer for every link that is none (any more), so that trying tells nothing. */
function noLink(): GantryError {
  return new GantryError(
    'not_found',
    'This link is not valid, or its time is over. Nothing was decided. Sign in and look at what waits for your approval.',
  );
}

/** @throws GantryError not_found for a link that was tampered with, whose request is gone, or whose account is closed. */
export async function readLink(db: Db, links: ApprovalLinks, token: string): Promise<LinkedRequest> {
  const subject = links.read(token);
  const approval = subject && (await findApproval(db, subject.jobId, subject.run));
  if (!subject || !approval) throw noLink();
  const requestHash = approval.requestHash.toString('hex');
  const { expiresAt, run } = approval;
  if (!links.isValid(token, { ...subject, requestHash, expiresAt }) || approval.isOver) throw noLink();
  const job = await findJob(db, subject.jobId);
  const user = await findUser(db, subject.approverId);
  if (!job || !user || user.disabledAt !== null) throw noLink();
  const { id, name, email, role } = user;
  return { job, run, approver: { id, name, email, role }, requestHash };
}

/** Whether the form is worth showing: the run still waits, and the person may still decide and has not approved yet. */
export function isDecidable({ job, run, approver }: LinkedRequest, selfApproval: boolean): boolean {
  return (
    job.state === 'awaiting_approval' &&
    job.run === run &&
    mayDecide(job, approver, selfApproval) &&
    !job.approvedBy.includes(approver.id)
  );
}

export function decideLinked(
  deps: CommandDeps,
  { job, run, approver, requestHash }: LinkedRequest,
  requestId: string,
  decision: 'approve' | 'reject',
  reason: string,
): Promise<JobRow> {
  const actor = { ...approver, requestId };
  const input = { run, requestHash, byLink: true };
  return decision === 'approve'
    ? approveJob(deps, actor, job.id, reason === '' ? input : { ...input, reason })
    : rejectJob(deps, actor, job.id, { ...input, reason });
}
