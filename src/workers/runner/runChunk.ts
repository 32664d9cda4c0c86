// Runs one chunk of a mass action: claim, rows, handler, and one transaction that writes what it came to.
// In-database kinds work inside that transaction: exactly once, whatever is killed.
import type { Tx } from '../../db/database';
import { claimChunk, handBackChunk, lockChunk, startRun, takeRate, type ClaimedChunk } from '../../db/queries/chunks';
import { withRetry } from '../../db/retry';
import type { ChunkOutcome, MassActionDefinition } from '../../jobs/define';
import { messageOf, PermanentJobError, RetryLaterError } from '../../lib/errors';
import { awaitHandler, type Handled } from './awaitHandler';
import { buildContext, parseParams } from './buildContext';
import { completeChunk, type Completion } from './completeChunk';
import type { Holding } from './holdings';
import { readRows, type ChunkRows } from './readRows';
import { createRecorder, type Recorder } from './recorder';
import { MAX_CRASHES, type RunnerDeps } from './runnerDeps';
import { settleJob } from './settle';
import { tally, tallyFailed } from './tally';

/** A Retry-After beyond this is shortened: nobody waits for days unseen. */
const MAX_WAIT_MS = 6 * 3600_000;

export async function claimOrStart(
  deps: RunnerDeps,
  jobId: string,
  run: number,
  chunk: number,
): Promise<ClaimedChunk | null> {
  const claim = (): Promise<ClaimedChunk | null> =>
    withRetry(() => claimChunk(deps.db, jobId, run, chunk, deps.claimer));
  const claimed = await claim();
  if (claimed) return claimed;
  // Not running: perhaps it waits for its first chunk. Another worker may have started it meanwhile, so the claim is asked again.
  if (await withRetry(() => startRun(deps.db, jobId, run, deps.claimer))) deps.waker.wake('gantry_change');
  return claim();
}

export async function runChunk(
  deps: RunnerDeps,
  definition: MassActionDefinition | null,
  chunk: ClaimedChunk,
  holding: Holding,
): Promise<void> {
  const { lease } = holding;
  const recorder = createRecorder({ db: deps.db, lease, logger: deps.logger, onProgress: () => undefined });
  const content = await withRetry(() => readRows(deps.db, chunk, definition?.rowSchema ?? null));
  const refusal = refusalOf(definition, chunk);
  if (!definition || refusal) {
    await finish(deps, holding, recorder, giveUp(chunk, content, refusal ?? UNKNOWN_KIND));
    return;
  }
  if (definition.ratePerSecond !== null && content.rows.length > 0) {
    const rate = definition.ratePerSecond;
    const waitMs = await withRetry(() => takeRate(deps.db, chunk.kind, content.rows.length, rate));
    if (waitMs > 0) {
      await handBack(deps, holding, recorder, { delayMs: waitMs, countsAsAttempt: false, error: null });
      return;
    }
  }
  if (definition.inDatabase) await runInDatabase(deps, definition, chunk, content, holding, recorder);
  else await runOutside(deps, definition, chunk, content, holding, recorder);
}

const UNKNOWN_KIND = { code: 'unknown_kind', message: 'No worker here knows this kind of job (any more).' };

function refusalOf(
  definition: MassActionDefinition | null,
  chunk: ClaimedChunk,
): { code: string; message: string } | null {
  if (!definition) return UNKNOWN_KIND;
  if (chunk.crashes < MAX_CRASHES) return null;
  return {
    code: 'poison',
    message: `${chunk.crashes} workers died in a row with these rows in hand; they were not tried again.`,
  };
}

async function runInDatabase(
  deps: RunnerDeps,
  definition: MassActionDefinition,
  chunk: ClaimedChunk,
  content: ChunkRows,
  holding: Holding,
  recorder: Recorder,
): Promise<void> {
  // Rolls back effects of an outcome that is to be tried again.
  class Retry extends Error {
    constructor(readonly outcome: ChunkOutcome & { type: 'retry' }) {
      super(outcome.message);
    }
  }
  const work = async (tx: Tx): Promise<Completed | null> => {
    if (!(await lockChunk(tx, holding.lease))) return null;
    const outcome = await process(deps, definition, chunk, content, holding, recorder, tx);
    if (outcome.type === 'retry') throw new Retry(outcome);
    return completeChunk(tx, holding.lease, chunk, doneOf(content, outcome));
  };
  try {
    const counts = await withRetry(() => deps.db.transaction().execute(work), { signal: holding.signal });
    await afterwards(deps, holding, recorder, counts);
  } catch (error) {
    const handled: Handled<ChunkOutcome> =
      error instanceof Retry ? { type: 'returned', value: error.outcome } : { type: 'threw', error };
    await conclude(deps, definition, chunk, content, holding, recorder, handled);
  }
}

async function runOutside(
  deps: RunnerDeps,
  definition: MassActionDefinition,
  chunk: ClaimedChunk,
  content: ChunkRows,
  holding: Holding,
  recorder: Recorder,
): Promise<void> {
  const handled = await awaitHandler(
    () => process(deps, definition, chunk, content, holding, recorder, null),
    holding,
    deps.cancelGraceMs,
  );
  await conclude(deps, definition, chunk, content, holding, recorder, handled);
  if (handled.type === 'deaf') {
    deps.logger.warn(
      { jobId: chunk.jobId, kind: chunk.kind },
      'a handler did not heed its cancel; its slot stays taken until it returns',
    );
    await handled.settled;
  }
}

async function process(
  deps: RunnerDeps,
  definition: MassActionDefinition,
  chunk: ClaimedChunk,
  content: ChunkRows,
  holding: Holding,
  recorder: Recorder,
  tx: Tx | null,
): Promise<ChunkOutcome> {
  if (content.rows.length === 0) return { type: 'done', results: [] };
  const params = parseParams(definition, chunk.params) as never;
  const firstRowIndex = chunk.rowIndexes?.[0] ?? chunk.firstRowIndex;
  const key = `${chunk.jobId}:${chunk.run}:${firstRowIndex}`;
  const context = buildContext(deps, chunk, params, holding.lease, holding.signal, recorder, key);
  // Progress of rows comes from the counts alone.
  const own = { params, progress: () => undefined, firstRowIndex, chunk: chunk.chunk, tx };
  return definition.processChunk({ ...context, ...own }, content.rows);
}

async function conclude(
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
  // Stopped before it came to a result: its rows count as not dealt with.
  if (handled.type === 'deaf' || reason !== null) {
    return handBack(deps, holding, recorder, { delayMs: 0, countsAsAttempt: false, error: null });
  }
  if (handled.type === 'threw' && handled.error instanceof PermanentJobError) {
    return finish(deps, holding, recorder, giveUp(chunk, content, handled.error));
  }
  const wish = wishOf(handled);
  if (chunk.attempts + 1 >= definition.retry.attempts) {
    return finish(deps, holding, recorder, giveUp(chunk, content, wish));
  }
  const delayMs = Math.min(wish.afterMs ?? backoff(definition, chunk.attempts), MAX_WAIT_MS);
  recorder.log(
    'warn',
    `Rows from ${chunk.firstRowIndex} on are tried again in ${Math.ceil(delayMs / 1000)} s: ${wish.message}`,
  );
  return handBack(deps, holding, recorder, { delayMs, countsAsAttempt: true, error: wish });
}

function wishOf(handled: Handled<ChunkOutcome> & { type: 'returned' | 'threw' }): {
  afterMs: number | null;
  code: string;
  message: string;
} {
  if (handled.type === 'threw') {
    const afterMs = handled.error instanceof RetryLaterError ? handled.error.delayMs : null;
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

type Completed = Awaited<ReturnType<typeof completeChunk>>;

function doneOf(content: ChunkRows, outcome: { results: ReturnType<typeof resultsOf> }): Omit<Completion, 'chunk'> {
  const indexes = content.rows.map((row) => row.rowIndex);
  return { state: 'done', error: null, tally: tally(indexes, content.faults, resultsOf(outcome)) };
}

function resultsOf(outcome: {
  results: (ChunkOutcome & { type: 'done' })['results'];
}): (ChunkOutcome & { type: 'done' })['results'] {
  return Array.isArray(outcome.results) ? outcome.results : [];
}

function giveUp(
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

async function finish(
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

async function afterwards(
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

async function handBack(
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

async function letGo(holding: Holding, recorder: Recorder): Promise<void> {
  await recorder.close();
  holding.release();
}
