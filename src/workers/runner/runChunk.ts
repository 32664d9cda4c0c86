// Runs one chunk of a mass action: claim, rows, handler, and one transaction that writes what it came to.
// In-database kinds work inside that transaction: exactly once, whatever is killed.
import type { Tx } from '../../db/database';
import { endSession } from '../../db/queries/backends';
import { claimChunk, lockChunk, startRun, takeRate, type ClaimedChunk } from '../../db/queries/chunks';
import { withRetry } from '../../db/retry';
import type { ChunkOutcome, MassActionDefinition } from '../../jobs/define';
import { workOnRows } from '../../jobs/undo/workOnRows';
import { awaitHandler, type Handled } from './awaitHandler';
import { buildContext, parseParams } from './buildContext';
import { completeChunk } from './completeChunk';
import {
  afterwards,
  concludeChunk,
  doneOf,
  finish,
  giveUp,
  handBack,
  isRepeatable,
  type Completed,
} from './concludeChunk';
import type { Holding } from './holdings';
import { measurePace } from './measurePace';
import { readRows, type ChunkRows } from './readRows';
import { createRecorder, type Recorder } from './recorder';
import type { RunnerDeps } from './runnerDeps';

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
  const recorder = createRecorder({ ...deps, lease, onProgress: () => undefined });
  const content = await withRetry(() => readRows(deps.db, chunk, definition?.rowSchema ?? null));
  const refusal = refusalOfChunk(definition, chunk);
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
  const run = definition.inDatabase ? runInDatabase : runOutside;
  await measurePace(deps, definition, (measured) => run(deps, measured, chunk, content, holding, recorder));
}

const UNKNOWN_KIND = { code: 'unknown_kind', message: 'No worker here knows this kind of job (any more).' };

/** Why a claimed chunk is not tried at all; null: it is. */
export function refusalOfChunk(
  definition: MassActionDefinition | null,
  chunk: ClaimedChunk,
): { code: string; message: string } | null {
  if (!definition) return UNKNOWN_KIND;
  if (chunk.crashes + chunk.loneCrashes === 0 || isRepeatable(definition)) return null;
  return {
    code: 'worker_lost',
    message: 'The worker died with these rows in hand, and this kind may not try rows twice.',
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
  let session: number | null = null;
  const work = async (tx: Tx): Promise<Completed | null> => {
    const lock = await lockChunk(tx, holding.lease);
    if (!lock) return null;
    session = lock.pid;
    const outcome = await process(deps, definition, chunk, content, holding, recorder, tx);
    if (outcome.type === 'retry') throw new Retry(outcome);
    return completeChunk(tx, holding.lease, chunk, doneOf(content, outcome));
  };
  const came = await awaitHandler(
    () => withRetry(() => deps.db.transaction().execute(work), { signal: holding.signal }),
    holding,
    deps.cancelGraceMs,
  );
  if (came.type === 'returned') return afterwards(deps, holding, recorder, came.value);
  const handled: Handled<ChunkOutcome> =
    came.type === 'threw' && came.error instanceof Retry ? { type: 'returned', value: came.error.outcome } : came;
  // A deaf handler's transaction is rolled back from outside: its locks would keep the chunk from being handed back.
  if (came.type === 'deaf' && session !== null) await endSession(deps.db, session);
  await concludeChunk(deps, definition, chunk, content, holding, recorder, handled);
  await waitForDeaf(deps, chunk, handled);
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
  await concludeChunk(deps, definition, chunk, content, holding, recorder, handled);
  await waitForDeaf(deps, chunk, handled);
}

async function waitForDeaf(deps: RunnerDeps, chunk: ClaimedChunk, handled: Handled<unknown>): Promise<void> {
  if (handled.type !== 'deaf') return;
  const { jobId, kind } = chunk;
  deps.logger.warn({ jobId, kind }, 'a handler did not heed its signal; its slot stays taken until it returns');
  await deps.holdings.stuckUntil(handled.settled);
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
  return workOnRows(definition, chunk, { ...context, ...own }, content.rows);
}
