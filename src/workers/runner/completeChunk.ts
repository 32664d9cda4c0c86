// What a chunk came to, written in the transaction its caller opened and whose first lock is the chunk:
// row errors, outcome bits, the chunk's end, and last the run's counts.
import type { Tx } from '../../db/database';
import {
  closeChunk,
  countChunk,
  insertRowErrors,
  lockOutcomes,
  saveOutcomes,
  type ClaimedChunk,
} from '../../db/queries/chunks';
import type { Lease } from '../../db/queries/claims';
import { dropValues, keepValues } from '../../db/queries/undo';
import { limitReached, trialReached } from './settle';
import { mergeOutcomes, type Tally } from './tally';

export interface Completion {
  state: 'done' | 'gave_up';
  error: { code: string; message: string } | null;
  tally: Tally;
}

/** @returns whether the job now has to be settled: it may end, rest or stop. Null when the run has ended meanwhile. */
export async function completeChunk(
  tx: Tx,
  lease: Lease,
  chunk: ClaimedChunk,
  completion: Completion,
): Promise<{ needsSettling: boolean }> {
  const { tally } = completion;
  await insertRowErrors(tx, lease, tally.faults, chunk.attempts + 1);
  const { undoOf } = chunk;
  if (undoOf === null) await keepValues(tx, lease.jobId, tally.kept);
  else await dropValues(tx, { ...chunk, undoOf }, tally.goodRows);
  const outcomes = await lockOutcomes(tx, lease.jobId, chunk.inputChunk);
  await saveOutcomes(tx, lease.jobId, chunk.inputChunk, mergeOutcomes(outcomes, outcomes.firstRowIndex, tally));
  await closeChunk(tx, lease, completion.state, completion.error);
  const run = await countChunk(tx, lease, tally);
  // A run that ended while this chunk was in hand takes no more effects.
  if (!run)
    throw new Error(`run ${lease.run} of job ${lease.jobId} has ended; its chunk ${lease.chunk} was rolled back`);
  const needsSettling =
    run.openChunks === 0 ||
    run.state !== 'running' ||
    run.phase === 'pausing' ||
    limitReached(run) ||
    trialReached(run);
  return { needsSettling };
}
