// Delete: a tombstone makes an ended job invisible at once; maintenance takes its rows away in batches.
// Audit and deployment history stay.
import { insertAudit } from '../../db/queries/audit';
import { insertChange } from '../../db/queries/events';
import { moveJob, NOW } from '../../db/queries/moves';
import { GantryError } from '../../lib/errors';
import type { Actor } from '../actor';
import { allowedActions, mayEver } from '../allowedActions';
import type { CommandDeps } from '../commandDeps';
import { isFinal } from '../lifecycle';
import { commandOnJob, forbidden } from './onJob';

export async function deleteJob(deps: CommandDeps, actor: Actor, jobId: string): Promise<void> {
  await commandOnJob(deps, actor, jobId, async ({ tx, job, policy }) => {
    if (!mayEver(job, 'delete', actor)) throw forbidden('delete');
    const stillGoes = new GantryError(
      'job_not_final',
      `The job is ${job.state}; only ended jobs can be deleted. Nothing was changed; cancel it first, or wait for its end.`,
      { more: { allowedActions: allowedActions(job, policy, actor) } },
    );
    if (!isFinal(job.state)) throw stillGoes;
    if (!(await moveJob(tx, jobId, job.run, [job.state], { deletedAt: NOW }))) throw stillGoes;
    await insertAudit(tx, {
      actor,
      action: 'job.delete',
      subjectType: 'job',
      subjectId: jobId,
      before: { kind: job.kind, title: job.title, state: job.state, owner: job.ownerEmail },
    });
    await insertChange(tx, 'job', jobId, job.ownerId);
    return ['gantry_change'];
  });
}
