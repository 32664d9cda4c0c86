// Undo: takes an ended job back by a new job of the same kind, whose rows are the values that the first one kept.
// Asked twice while the undo goes on, or after all was put back: the same job. What an undo could not put back stays kept, and
// may be asked for again.
import { insertAudit } from '../../db/queries/audit';
import { insertChange, insertEvent } from '../../db/queries/events';
import { findJob, type JobRow } from '../../db/queries/jobs';
import { markUndoneBy } from '../../db/queries/undo';
import { GantryError } from '../../lib/errors';
import { newId } from '../../lib/ids';
import type { Actor } from '../actor';
import { mayEver, stateAllows } from '../allowedActions';
import type { CommandDeps } from '../commandDeps';
import { checkJob, publishJob, type CreateJobInput } from '../commands/createJob';
import type { Definition } from '../define';
import { forbidden, onJob, stateForbids, type Commanded } from '../commands/onJob';
import { discardStaged, type StagedInput } from '../commands/stageRows';
import { stageUndo } from './stageUndo';

const MAX_TITLE = 500;

export type UndoInput = Pick<CreateJobInput, 'notify' | 'trial' | 'limits'>;

/** @returns the undo job. */
export async function undoJob(deps: CommandDeps, actor: Actor, jobId: string, input: UndoInput = {}): Promise<JobRow> {
  let undoId: string | null = null;
  const undone = await onJob(deps, actor, jobId, async (commanded) => {
    undoId = await standingUndo(actor, commanded);
    return [];
  });
  if (undoId === null) {
    const wanted = wantedOf(undone, input);
    const definition = await checkJob(deps, actor, wanted, { rowTotal: 1 });
    // Checked again under the lock; staging many values takes a while and holds nothing.
    const staged = await stage(deps, actor, undone, definition);
    try {
      await onJob(deps, actor, jobId, async (commanded) => {
        undoId = await standingUndo(actor, commanded);
        if (undoId !== null) return [];
        if (commanded.job.run !== undone.run) throw stateForbids(commanded, actor, 'undo', 'was run again just now');
        await publish(commanded, actor, wanted, staged);
        undoId = staged.jobId;
        return ['gantry_work', 'gantry_change', 'gantry_notice'];
      });
    } finally {
      // Leaves the rows of a job that was made alone.
      await discardStaged(deps.db, staged.jobId);
    }
  }
  return (await findJob(deps.db, undoId ?? '')) ?? Promise.reject(gone());
}

/** The undo that stands already; null: one may be made. @throws GantryError job_state_forbids, forbidden. */
async function standingUndo(actor: Actor, commanded: Commanded): Promise<string | null> {
  const { tx, job, definition, policy } = commanded;
  if (!mayEver(job, 'undo', actor)) throw forbidden('undo');
  if (!definition) throw stateForbids(commanded, actor, 'undo', 'its kind does not exist any more');
  // Who may not start the kind (any more) does not work through it by an undo either.
  if (!definition.roles.includes(actor.role)) throw forbidden('undo');
  const latest = job.undoneBy === null ? null : await findJob(tx, job.undoneBy);
  if (latest && (job.beingUndone || !job.keepsValues)) return latest.id;
  if (stateAllows(job, policy, 'undo')) return null;
  throw stateForbids(commanded, actor, 'undo', reasonOf(job, policy.undoable));
}

function reasonOf(job: JobRow, undoable: boolean): string | undefined {
  if (job.undoOf !== null) return 'takes another job back; to have its effects again, start that one again';
  if (!undoable) return 'its kind keeps no earlier values';
  if (job.finishedAt !== null && !job.keepsValues) return 'no earlier values of its rows are kept';
  return undefined;
}

async function stage(deps: CommandDeps, actor: Actor, undone: JobRow, definition: Definition): Promise<StagedInput> {
  if (definition.shape !== 'massAction') throw gone();
  return stageUndo(deps, actor, undone.id, newId(), definition.chunkSize);
}

function wantedOf(job: JobRow, input: UndoInput): CreateJobInput {
  return {
    ...input,
    kind: job.kind,
    title: `Undo: ${job.title}`.slice(0, MAX_TITLE),
    params: JSON.parse(job.params) as unknown,
    paramsText: job.params,
    derivedFrom: job.id,
    undoOf: job.id,
  };
}

async function publish(
  { tx, job, definition }: Commanded,
  actor: Actor,
  wanted: CreateJobInput,
  staged: StagedInput,
): Promise<void> {
  if (!definition) throw gone();
  await publishJob(tx, definition, actor, wanted, staged, staged.jobId);
  await markUndoneBy(tx, job.id, staged.jobId);
  const data = { undoneBy: staged.jobId, rows: staged.rowTotal };
  await insertEvent(tx, { jobId: job.id, run: job.run, type: 'undo_requested', actor, data });
  await insertAudit(tx, { actor, action: 'job.undo', subjectType: 'job', subjectId: job.id, after: data });
  await insertChange(tx, 'job', job.id, job.ownerId);
}

function gone(): GantryError {
  return new GantryError('not_found', 'The job to take back is gone, and what it kept with it. Nothing was changed.');
}
