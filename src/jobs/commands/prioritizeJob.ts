// Prioritize: another priority, or the fast track before all others of the same owner and priority.
// It acts where the dispatcher deals from, and never touches the queue.
import { insertAudit } from '../../db/queries/audit';
import { insertChange, insertEvent } from '../../db/queries/events';
import type { JobRow } from '../../db/queries/jobs';
import { moveJob } from '../../db/queries/moves';
import { setOutboxFirst, setOutboxPriority } from '../../db/queries/outbox';
import { invalid } from '../../lib/errors';
import type { Actor } from '../actor';
import { mayEver, stateAllows } from '../allowedActions';
import type { CommandDeps } from '../commandDeps';
import { forbidden, onJob, stateForbids } from './onJob';

export function prioritizeJob(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  input: { priority: number } | { first: true },
): Promise<JobRow> {
  if ('priority' in input && (!Number.isInteger(input.priority) || Math.abs(input.priority) > 100)) {
    throw invalid([{ path: 'priority', message: 'takes a whole number from -100 to 100' }]);
  }
  return onJob(deps, actor, jobId, async (commanded) => {
    const { tx, job, policy } = commanded;
    if (!mayEver(job, 'prioritize', actor)) throw forbidden('prioritize');
    if (!stateAllows(job, policy, 'prioritize')) throw stateForbids(commanded, actor, 'prioritize');
    if ('priority' in input && input.priority === job.priority) return [];
    const priority = 'priority' in input ? input.priority : job.priority;
    if (!(await moveJob(tx, jobId, job.run, [job.state], { priority }))) {
      throw stateForbids(commanded, actor, 'prioritize');
    }
    if ('priority' in input) await setOutboxPriority(tx, jobId, priority);
    else await setOutboxFirst(tx, jobId);
    const data = 'priority' in input ? { from: job.priority, to: priority } : { first: true };
    await insertEvent(tx, { jobId, run: job.run, type: 'prioritized', actor, data });
    await insertAudit(tx, {
      actor,
      action: 'job.prioritize',
      subjectType: 'job',
      subjectId: jobId,
      before: { priority: job.priority },
      after: 'priority' in input ? { priority } : { first: true },
    });
    await insertChange(tx, 'job', jobId, job.ownerId);
    return ['gantry_work', 'gantry_change'];
  });
}
