// An undo job that is run again: not while the job that it takes back is running, or another undo of that job. Called by requeueJob.
import { lockJob } from '../../db/queries/jobs';
import { markUndoneBy } from '../../db/queries/undo';
import type { Actor } from '../actor';
import { stateForbids, type Commanded } from '../commands/onJob';
import { isFinal } from '../lifecycle';

/** Does nothing for other jobs. Locks the undo job before the undone one; nobody locks them the other way. */
export async function undoAgain(commanded: Commanded, actor: Actor): Promise<void> {
  const { tx, job } = commanded;
  const undone = job.undoOf === null ? null : await lockJob(tx, job.undoOf);
  if (!undone) return;
  if (!isFinal(undone.state)) {
    throw stateForbids(commanded, actor, 'requeue', 'the job that it takes back has been run again and has not ended');
  }
  if (undone.beingUndone)
    throw stateForbids(commanded, actor, 'requeue', 'another job takes the same one back just now');
  await markUndoneBy(tx, undone.id, job.id);
}
