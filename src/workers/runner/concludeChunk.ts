// What becomes of a chunk after its handler: done, tried again, given up or handed back. Called by runChunk.ts, and for chunks
// whose process of its own died by isolate/runAlone.ts.
import { handBackChunk, lockChunk, type ClaimedChunk } from '../../db/queries/chunks';
import { withRetry } from '../../db/retry';
import { policyOf, type ChunkOutcome, type MassActionDefinition } from '../../jobs/define';
import { isPermanent, isRetryLater, messageOf } from '../../lib/errors';
import type { Handled } from './awaitHandler';
import { completeChunk, type Completion } from './completeChunk';
import type { Holding } from './holdings';
import { LONE_RETRY_MS, MAX_LONE_CRASHES, poisonOf, timeoutMessage } from './lostWork';
import { readRows, type ChunkRows } from './readRows';
import { createRecorder, type Recorder } from './recorder';
import type { RunnerDeps } from './runnerDeps';
import { settleJob } from './settle';
import { tally, tallyFailed } from './tally';

/** A Retry-After beyond this is shortened: nobody waits for days unseen. */
const MAX_WAIT_MS = 6 * 3600_000;

export async function concludeChunk(
  deps: RunnerDeps,
  definition: MassActionDefinition,
  chunk: ClaimedChunk,
  content: ChunkRows,
  holding: Holding,
  recorder: Recorder,
  handled: Handled<ChunkOutcome>,
): Promise<void> {
  const reason = holding.reason();
  if (reason === 'lease_lost') return letGo(holding, recorder);
  if (handled.type === 'returned' && handled.value.type === 'done') {
    return finish(deps, holding, recorder, { chunk, ...doneOf(content, handled.value) });
  }
  if (reason !== 'timed_out' && (handled.type === 'deaf' || reason !== null)) {
    if (reason === 'stopping' && !isRepeatable(definition)) {
      return finish(deps, holding, recorder, giveUp(chunk, content, WORKER_STOPPED));
    }
    // Stopped before it came to a result: its rows count as not dealt with.
    return handBack(deps, holding, recorder, { delayMs: 0, countsAsAttempt: false, error: null });
  }
  if (handled.type === 'threw' && isPermanent(handled.error)) {
    return finish(deps, holding, recorder, giveUp(chunk, content, handled.error));
  }
  const wish = handled.type === 'deaf' || reason === 'timed_out' ? timeoutOf(definition) : wishOf(handled);
  const mayTryAgain = wish.code !== 'timed_out' || isRepeatable(definition);
  if (!mayTryAgain || chunk.attempts + 1 >= definition.retry.attempts) {
    return finish(deps, holding, recorder, giveUp(chunk, content, wish));
  }
  const delayMs = Math.min(waitOf(wish.afterMs) ?? backoff(definition, chunk.attempts), MAX_WAIT_MS);
  recorder.log(
    'warn',
    `Rows from ${chunk.firstRowIndex} on are tried again in ${Math.ceil(delayMs / 1000)} s: ${wish.message}`,
  );
  return handBack(deps, holding, recorder, { delayMs, countsAsAttempt: true, error: wish });
}

/** A wait that is no number of milliseconds is none. */
function waitOf(afterMs: number | null): number | null {
  return afterMs !== null && Number.isFinite(afterMs) ? Math.max(0, afterMs) : null;
}

/** What becomes of a chunk whose process of its own was killed, or died by itself. */
export async function concludeLoneChunk(
  deps: RunnerDeps,
  definition: MassActionDefinition,
  chunk: ClaimedChunk,
  holding: Holding,
  end: { type: 'killed' } | { type: 'crashed'; how: string },
): Promise<void> {
  const recorder = createRecorder({ ...deps, lease: holding.lease, onProgress: () => undefined });
  const content = await withRetry(() => readRows(deps.db, chunk, definition.rowSchema));
  if (end.type === 'killed' || holding.reason() !== null) {
    const handled = { type: 'deaf', settled: Promise.resolve() } as const;
    return concludeChunk(deps, definition, chunk, content, holding, recorder, handled);
  }
  const crashes = chunk.loneCrashes + 1;
  if (!isRepeatable(definition)) {
    const message = `The process that had these rows in hand ended ${end.how}, and this kind may not try rows twice.`;
    return finish(deps, holding, recorder, giveUp(chunk, content, { code: 'worker_lost', message }));
  }
  if (crashes >= MAX_LONE_CRASHES) {
    return finish(deps, holding, recorder, giveUp(chunk, content, poisonOf('these rows', crashes, end.how)));
  }
  recorder.log(
    'error',
    `The process that worked on rows from ${chunk.firstRowIndex} on ended ${end.how}; they are tried again.`,
  );
  const back = { delayMs: LONE_RETRY_MS, countsAsAttempt: false, isLoneCrash: true, error: null };
  return handBack(deps, holding, recorder, back);
}

/** Whether a chunk may be tried again after a try whose end nobody knows. */
export function isRepeatable(definition: MassActionDefinition): boolean {
  return definition.inDatabase || policyOf(definition).restartable;
}

const WORKER_STOPPED = {
  code: 'worker_stopped',
  message: 'The worker was stopped with these rows in hand, and this kind may not try rows twice.',
};

function timeoutOf(definition: MassActionDefinition): { afterMs: null; code: string; message: string } {
  return { afterMs: null, code: 'timed_out', message: timeoutMessage(definition) };
}

function wishOf(handled: Handled<ChunkOutcome> & { type: 'returned' | 'threw' }): {
  afterMs: number | null;
  code: string;
  message: string;
} {
  if (handled.type === 'threw') {
    const afterMs = isRetryLater(handled.error) ? handled.error.delayMs : null;
    return { afterMs, code: 'handler_failed', message: messageOf(handled.error, 2000) };
  }
  const { value } = handled;
  // Rows of a chunk whose endpoint stays away all fail with one code, whatever the last answer was.
  if (value.type === 'retry') return { afterMs: value.afterMs, code: 'endpoint_unavailable', message: value.message };
  return { afterMs: null, code: 'handler_failed', message: 'The handler gave no outcome.' };
}

function backoff(definition: MassActionDefinition, attempts: number): number {
  const { minDelayMs, maxDelayMs } = definition.retry;
  const delay = Math.min(maxDelayMs, minDelayMs * 2 ** attempts);
  // Up to a fifth more, so that chunks which failed together do not come back together.
  return delay * (1 + Math.random() / 5);
}

export type Completed = Awaited<ReturnType<typeof completeChunk>>;

export function doneOf(
  content: ChunkRows,
  outcome: { results: ReturnType<typeof resultsOf> },
): Omit<Completion, 'chunk'> {
  const indexes = content.rows.map((row) => row.rowIndex);
  return { state: 'done', error: null, tally: tally(indexes, content.faults, resultsOf(outcome)) };
}

function resultsOf(outcome: {
  results: (ChunkOutcome & { type: 'done' })['results'];
}): (ChunkOutcome & { type: 'done' })['results'] {
  return Array.isArray(outcome.results) ? outcome.results : [];
}

export function giveUp(
  chunk: ClaimedChunk,
  content: ChunkRows,
  error: { code: string; message: string },
): Completion & { chunk: ClaimedChunk } {
  const { code, message } = error;
  const indexes = content.rows.map((row) => row.rowIndex);
  return {
    chunk,
    state: 'gave_up',
    error: { code, message },
    tally: tallyFailed(indexes, content.faults, code, message),
  };
}

export async function finish(
  deps: RunnerDeps,
  holding: Holding,
  recorder: Recorder,
  completion: Completion & { chunk: ClaimedChunk },
): Promise<void> {
  const counts = await withRetry(() =>
    deps.db.transaction().execute(async (tx) => {
      if (!(await lockChunk(tx, holding.lease))) return null;
      return completeChunk(tx, holding.lease, completion.chunk, completion);
    }),
  );
  await afterwards(deps, holding, recorder, counts);
}

export async function afterwards(
  deps: RunnerDeps,
  holding: Holding,
  recorder: Recorder,
  counts: Completed | null,
): Promise<void> {
  await letGo(holding, recorder);
  if (!counts) return;
  deps.waker.wake('gantry_change');
  if (counts.needsSettling) await settleJob(deps, holding.lease.jobId);
  deps.waker.wake('gantry_work');
}

export async function handBack(
  deps: RunnerDeps,
  holding: Holding,
  recorder: Recorder,
  back: Parameters<typeof handBackChunk>[2],
): Promise<void> {
  // Lines are written under the lease, so before it is given up.
  await letGo(holding, recorder);
  const returned = await withRetry(() => handBackChunk(deps.db, holding.lease, back));
  if (!returned) return;
  if (holding.reason() === 'canceled') await settleJob(deps, holding.lease.jobId);
  deps.waker.wake('gantry_work');
}

export async function letGo(holding: Holding, recorder: Recorder): Promise<void> {
  await recorder.close();
  holding.release();
}
