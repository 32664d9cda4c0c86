// Requeue: an ended job keeps its id and starts its next run, over all rows or over those that have not succeeded yet.
// Rows are never copied; earlier runs, their errors and logs stay.
import { insertAudit } from '../../db/queries/audit';
import { insertChange, insertEvent } from '../../db/queries/events';
import type { JobRow } from '../../db/queries/jobs';
import { insertRunDue } from '../../db/queries/outbox';
import { countChunksOf, insertChunksOfAll, insertChunksOfRest, insertRun, markRequeued } from '../../db/queries/runs';
import { GantryError, invalid } from '../../lib/errors';
import type { Actor } from '../actor';
import { mayEver, stateAllows } from '../allowedActions';
import type { CommandDeps } from '../commandDeps';
import { statesBefore } from '../lifecycle';
import { outboxShape } from './createJob';
import { forbidden, onJob, stateForbids, type Commanded } from './onJob';

export function requeueJob(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  input: { only?: 'failed' | 'unfinished' } = {},
): Promise<JobRow> {
  return onJob(deps, actor, jobId, async (commanded) => {
    const { tx, job, definition, policy } = commanded;
    if (!mayEver(job, 'requeue', actor)) throw forbidden('requeue');
    // Asked twice: the next run stands and has not begun.
    if (job.state === 'queued' && job.run > 1) return [];
    if (!definition || !stateAllows(job, policy, 'requeue')) {
      const why = definition
        ? policy.requeueable
          ? undefined
          : 'its kind runs once'
        : 'its kind does not exist any more';
      throw stateForbids(commanded, actor, 'requeue', why);
    }
    const run = job.run + 1;
    await insertRun(tx, { jobId, run, scope: input.only ?? 'all', requestedBy: actor.name });
    await insertRows(commanded, run, input.only);
    const state = policy.needsApproval ? 'awaiting_approval' : 'queued';
    if (!(await markRequeued(tx, jobId, job.run, statesBefore(state), state))) {
      throw stateForbids(commanded, actor, 'requeue');
    }
    if (state === 'queued') {
      const { ownerId, priority } = job;
      await insertRunDue(tx, { jobId, run, ownerId, priority, dueAt: null, ...outboxShape(definition) });
    }
    await insertEvent(tx, { jobId, run, type: 'requeued', actor, data: { only: input.only ?? null } });
    await insertAudit(tx, {
      actor,
      action: 'job.requeue',
      subjectType: 'job',
      subjectId: jobId,
      before: { state: job.state, run: job.run },
      after: { state, run, only: input.only ?? null },
    });
    await insertChange(tx, 'job', jobId, job.ownerId);
    return ['gantry_work', 'gantry_change'];
  });
}

async function insertRows(
  { tx, job, definition }: Commanded,
  run: number,
  only?: 'failed' | 'unfinished',
): Promise<void> {
  if (definition?.shape !== 'massAction') {
    if (only) throw invalid([{ path: 'only', message: `"${job.kind}" takes no rows; requeue it without "only"` }]);
    return;
  }
  const plan = { chunkSize: definition.chunkSize, trial: job.trial };
  if (only) await insertChunksOfRest(tx, job.id, run, only, plan);
  else await insertChunksOfAll(tx, job.id, run, plan);
  if ((await countChunksOf(tx, job.id, run)) > 0) return;
  throw new GantryError(
    'nothing_to_requeue',
    only === 'failed'
      ? 'No row is left whose last outcome was a failure. Nothing was changed; requeue without "only" to do all rows again.'
      : 'Every row has succeeded or was skipped. Nothing was changed; requeue without "only" to do all rows again.',
  );
}
