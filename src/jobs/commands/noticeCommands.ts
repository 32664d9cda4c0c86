// What superadmins do about mail: try a notice again, and write again to an address that was refused. Both audited.
import { insertAudit } from '../../db/queries/audit';
import { findNotice, requeueNotice } from '../../db/queries/noticeLists';
import { isSuppressed, liftSuppression as deleteSuppression } from '../../db/queries/recipients';
import { GantryError, notFound } from '../../lib/errors';
import type { Actor } from '../actor';
import type { CommandDeps } from '../commandDeps';

/** @throws GantryError not_found or state_forbids. */
export async function retryNotice(deps: CommandDeps, actor: Actor, noticeId: string): Promise<void> {
  await deps.db.transaction().execute(async (tx) => {
    const notice = await findNotice(tx, noticeId);
    if (!notice) throw notFound('notice');
    if (await isSuppressed(tx, notice.recipient))
      throw new GantryError(
        'state_forbids',
        `Nothing is sent to ${notice.recipient}, since a mail server refused it for good; the notice stays as it is. Lift the suppression of the address first.`,
      );
    if (!(await requeueNotice(tx, noticeId)))
      throw new GantryError(
        'state_forbids',
        'The notice was sent, is being sent or waits for a digest; nothing was changed.',
      );
    await insertAudit(tx, {
      actor,
      action: 'notice.retry',
      subjectType: 'notice',
      subjectId: noticeId,
      before: { state: notice.state, lastError: notice.lastError },
      after: { state: 'due' },
    });
  });
  deps.waker.wake('gantry_notice');
}

/** @throws GantryError not_found. */
export async function liftSuppression(deps: CommandDeps, actor: Actor, address: string): Promise<void> {
  await deps.db.transaction().execute(async (tx) => {
    const lifted = await deleteSuppression(tx, address);
    if (!lifted) throw notFound('suppression');
    await insertAudit(tx, {
      actor,
      action: 'mail.lift_suppression',
      subjectType: 'address',
      subjectId: lifted.address.slice(0, 100),
      before: { address: lifted.address, reason: lifted.reason, since: lifted.since.toISOString() },
    });
  });
}
