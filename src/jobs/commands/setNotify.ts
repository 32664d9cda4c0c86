// Switches the notice of a job that has not ended: whether one goes out, and to whom. Called by PATCH /jobs/{id}.
import { insertAudit } from '../../db/queries/audit';
import { insertChange, insertEvent } from '../../db/queries/events';
import { findJob, type JobRow } from '../../db/queries/jobs';
import { moveJob } from '../../db/queries/moves';
import { notFound } from '../../lib/errors';
import { isUuid } from '../../lib/ids';
import type { Actor } from '../actor';
import { maySee } from '../allowedActions';
import type { CommandDeps } from '../commandDeps';
import { isFinal } from '../lifecycle';
import { checkRecipient } from './checkRecipient';
import { onJob, stateForbids } from './onJob';

export interface NotifyChange {
  email: boolean;
  /** null: the owner again; left out: as it is. */
  to?: string | null;
}

export async function setNotify(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  input: { notify: NotifyChange },
): Promise<JobRow> {
  const { email, to } = input.notify;
  // A stranger learns nothing of the job by the answer about an address.
  const seen = isUuid(jobId) ? await findJob(deps.db, jobId) : null;
  if (!seen || !maySee(seen, actor)) throw notFound('job');
  if (typeof to === 'string') await checkRecipient(deps, actor, to);
  return onJob(deps, actor, jobId, async (commanded) => {
    const { tx, job } = commanded;
    const notifyTo = to === undefined ? job.notifyTo : to;
    if (job.notifyEmail === email && job.notifyTo === notifyTo) return [];
    if (isFinal(job.state)) throw stateForbids(commanded, actor, 'changing its notice', 'its notice is on its way');
    if (!(await moveJob(tx, jobId, job.run, [job.state], { notifyEmail: email, notifyTo }))) {
      throw stateForbids(commanded, actor, 'changing its notice');
    }
    await insertEvent(tx, { jobId, run: job.run, type: 'notify_changed', actor, data: { email, to: notifyTo } });
    await insertAudit(tx, {
      actor,
      action: 'job.notify',
      subjectType: 'job',
      subjectId: jobId,
      before: { email: job.notifyEmail, to: job.notifyTo },
      after: { email, to: notifyTo },
    });
    await insertChange(tx, 'job', jobId, job.ownerId);
    return ['gantry_change'];
  });
}
