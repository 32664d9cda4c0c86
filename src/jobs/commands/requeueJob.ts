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
import { requestApproval } from '../approvals/requestApproval';
import type { CommandDeps } from '../commandDeps';
import type { Definition } from '../define';
import { statesBefore } from '../lifecycle';
import { chunkSizeOf } from '../massActions/chunkSize';
import { undoAgain } from '../undo/undoAgain';
import { outboxShape } from './createJob';
import { forbidden, onJob, stateForbids, type Commanded } from './onJob';

export interface RequeueInput {
  only?: 'failed' | 'unfinished';
  /** With only: 'failed': the rows whose last failure has this code. */
  code?: string;
}

export function requeueJob(deps: CommandDeps, actor: Actor, jobId: string, input: RequeueInput = {}): Promise<JobRow> {
  return onJob(deps, actor, jobId, async (commanded) => {
    const { tx, job, definition, policy } = commanded;
    if (!mayEver(job, 'requeue', actor)) throw forbidden('requeue');
    // Asked twice: the next run stands and has not begun.
    if (job.state === 'queued' && job.run > 1) return [];
    if (!definition || !stateAllows(job, policy, 'requeue')) {
      const why = !definition
        ? 'its kind does not exist any more'
        : !policy.requeueable
          ? 'its kind runs once'
          : job.beingUndone
            ? 'is being taken back by another job'
            : undefined;
      throw stateForbids(commanded, actor, 'requeue', why);
    }
    await undoAgain(commanded, actor);
    const run = job.run + 1;
    await insertRun(tx, { jobId, run, scope: input.only ?? 'all', requestedBy: actor.name });
    await insertRows(commanded, run, input);
    const state = policy.needsApproval ? 'awaiting_approval' : 'queued';
    if (!(await markRequeued(tx, jobId, job.run, statesBefore(state), state))) {
      throw stateForbids(commanded, actor, 'requeue');
    }
    const { ownerId, priority } = job;
    if (state === 'awaiting_approval') {
      await requestApproval(tx, { jobId, run, ownerId }, definition, actor);
    } else {
      await insertRunDue(tx, { jobId, run, ownerId, priority, dueAt: null, ...outboxShape(definition) });
    }
    const asked = { only: input.only ?? null, ...(input.code === undefined ? {} : { code: input.code }) };
    await insertEvent(tx, { jobId, run, type: 'requeued', actor, data: asked });
    await insertAudit(tx, {
      actor,
      action: 'job.requeue',
      subjectType: 'job',
      subjectId: jobId,
      before: { state: job.state, run: job.run },
      after: { state, run, ...asked },
    });
    await insertChange(tx, 'job', jobId, job.ownerId);
    return ['gantry_work', 'gantry_change', 'gantry_notice'];
  });
}

/** @throws GantryError invalid when such rows can never be chosen. */
export function requireScope(definition: Definition | null, kind: string, { only, code }: RequeueInput): void {
  if (code !== undefined && only !== 'failed') {
    throw invalid([{ path: 'code', message: 'goes with only: "failed", whose rows it chooses from' }]);
  }
  if (only && definition?.shape !== 'massAction') {
    throw invalid([{ path: 'only', message: `"${kind}" takes no rows; requeue it without "only"` }]);
  }
}

async function insertRows({ tx, job, definition }: Commanded, run: number, input: RequeueInput): Promise<void> {
  requireScope(definition, job.kind, input);
  if (definition?.shape !== 'massAction') return;
  const { only, code } = input;
  const plan = { chunkSize: await chunkSizeOf(tx, definition), trial: job.trial };
  if (only) await insertChunksOfRest(tx, job.id, run, only, { ...plan, code });
  else await insertChunksOfAll(tx, job.id, run, plan);
  if ((await countChunksOf(tx, job.id, run)) > 0) return;
  throw new GantryError(
    'nothing_to_requeue',
    code !== undefined
      ? `No row is left whose last failure has the code "${code}". Nothing was changed; GET errors/groups shows the codes there are.`
      : only === 'failed'
        ? 'No row is left whose last outcome was a failure. Nothing was changed; requeue without "only" to do all rows again.'
        : 'Every row has succeeded or was skipped. Nothing was changed; requeue without "only" to do all rows again.',
  );
}
