// Asks for approval of a run: the request with its rules and hash, and one notice for each person who may decide. Called by
// create and requeue inside their transaction whenever a job enters awaiting_approval; the caller wakes gantry_notice.
import { findFrozenPayload, insertApproval, listApproverAccounts } from '../../db/queries/approvals';
import { insertNotice } from '../../db/queries/endings';
import type { Tx } from '../../db/database';
import { newId } from '../../lib/ids';
import { APPROVAL_WANTED, type ApprovalWantedPayload } from '../../notices/templates/approval-wanted';
import type { Actor } from '../actor';
import type { Definition } from '../define';
import { hashOfRequest } from './requestHash';
import { rulesOf } from './rules';

export interface AskedRun {
  jobId: string;
  run: number;
  ownerId: string;
}

/** Does nothing when the run has its request. `definition` null: the kind is gone, and the standard rules hold. */
export async function requestApproval(
  tx: Tx,
  { jobId, run, ownerId }: AskedRun,
  definition: Pick<Definition, 'approval'> | null,
  requester: Pick<Actor, 'id' | 'name'>,
): Promise<void> {
  const rules = rulesOf(definition?.approval);
  const payload = await findFrozenPayload(tx, jobId);
  const requestHash = hashOfRequest(payload);
  const expiresAt = await insertApproval(tx, {
    jobId,
    run,
    requesterId: requester.id,
    requesterName: requester.name,
    requestHash,
    ...rules,
  });
  if (!expiresAt) return;
  const told = (await listApproverAccounts(tx, rules.approvers)).filter(
    (approver) => approver.id !== requester.id && approver.id !== ownerId,
  );
  for (const approver of told) {
    const { name, language, timeZone } = approver;
    const notice: ApprovalWantedPayload = {
      reader: { name, language, timeZone },
      jobId,
      run,
      kind: payload.kind,
      title: payload.title,
      requesterName: requester.name,
      approverId: approver.id,
      rowTotal: payload.rowTotal,
      quorum: rules.quorum,
      requestHash: requestHash.toString('hex'),
      expiresAt: expiresAt.toISOString(),
    };
    await insertNotice(tx, {
      id: newId(),
      jobId,
      run,
      kind: APPROVAL_WANTED,
      recipient: approver.email,
      payload: JSON.stringify(notice),
    });
  }
}
