// What a job would do, judged by its kind over the first rows: nothing is stored and nothing changes. Everything that would refuse
// the job refuses its preview. Called by POST /jobs/preview.
import { hasStoodBack, standBack } from '../../db/queries/preview';
import type { Db, Tx } from '../../db/database';
import { GantryError, invalid, PermanentJobError } from '../../lib/errors';
import { newId } from '../../lib/ids';
import type { Logger } from '../../lib/logger';
import type { Actor } from '../actor';
import type { CommandDeps } from '../commandDeps';
import { checkJob, type CreateJobInput } from '../commands/createJob';
import type { ChunkContext, HandlerDeps, JsonObject, MassActionDefinition, PreviewRow, Row } from '../define';
import { parseRows } from '../massActions/parseRows';
import type { PeekedRows } from './peekRows';

export interface PreviewDeps {
  commands: CommandDeps;
  handlerDeps: HandlerDeps;
  logger: Logger;
}

export interface Preview {
  /** Rows of the whole input; null when they were not counted, or the kind takes none. */
  total: number | null;
  judged: number;
  /** kind: by the kind's own preview; schema: by the schema of a row alone; params: the kind takes no rows. */
  judgedBy: 'kind' | 'schema' | 'params';
  rows: JudgedRow[];
}

export interface JudgedRow extends Omit<PreviewRow, 'skipped' | 'refusal'> {
  skipped: boolean;
  refusal: { code: string; message: string } | null;
}

/** All calls of one preview together; what is not judged by then is left out. */
const WITHIN_MS = 30_000;

/** @throws GantryError as POST /jobs does; unavailable when the kind cannot judge now. */
export async function previewJob(
  deps: PreviewDeps,
  actor: Actor,
  input: CreateJobInput,
  peeked: PeekedRows | null,
): Promise<Preview> {
  const counted = peeked && { rowTotal: peeked.total ?? peeked.lines.length };
  const definition = await checkJob(deps.commands, actor, input, counted);
  if (definition.shape !== 'massAction' || !peeked) return { total: null, judged: 0, judgedBy: 'params', rows: [] };
  const { rows, faults } = parseRows(peeked.lines, peeked.columns, definition.rowSchema);
  const judged = definition.previewChunk
    ? await judge(deps, definition, actor, input, rows)
    : rows.map(({ rowIndex }): PreviewRow => ({ rowIndex, before: null, after: null }));
  const shown: JudgedRow[] = [
    ...judged.map(({ skipped = false, refusal = null, ...row }) => ({ ...row, skipped, refusal })),
    ...faults.map(({ rowIndex, code, message }) => ({
      ...{ rowIndex, before: null, after: null, skipped: false },
      refusal: { code, message },
    })),
  ].sort((one, other) => one.rowIndex - other.rowIndex);
  const judgedBy = definition.previewChunk ? 'kind' : 'schema';
  return { total: peeked.total, judged: shown.length, judgedBy, rows: shown };
}

async function judge(
  deps: PreviewDeps,
  definition: MassActionDefinition,
  actor: Actor,
  input: CreateJobInput,
  rows: Row[],
): Promise<PreviewRow[]> {
  const { db } = deps.commands;
  try {
    if (!definition.inDatabase) return await judgeChunks(deps, definition, actor, input, rows, db, null);
    // One transaction over all of them, so that a row meets what the rows before it would leave.
    return await rolledBack(db, async (tx) => {
      await standBack(tx);
      return judgeChunks(deps, definition, actor, input, rows, tx, tx);
    });
  } catch (error) {
    if (error instanceof PermanentJobError) {
      const { code, message } = error;
      return rows.map(({ rowIndex }) => ({ rowIndex, before: null, after: null, refusal: { code, message } }));
    }
    if (!hasStoodBack(error)) throw error;
    throw new GantryError(
      'unavailable',
      'Other work holds what these rows are about, so they could not be judged in time. Nothing was changed; try again.',
      { retryAfterSeconds: 5, cause: error },
    );
  }
}

async function judgeChunks(
  deps: PreviewDeps,
  definition: MassActionDefinition,
  actor: Actor,
  input: CreateJobInput,
  rows: Row[],
  db: Db,
  tx: Tx | null,
): Promise<PreviewRow[]> {
  const signal = AbortSignal.timeout(WITHIN_MS);
  const jobId = newId();
  const judged: PreviewRow[] = [];
  for (let from = 0; from < rows.length && !signal.aborted; from += definition.chunkSize) {
    const some = rows.slice(from, from + definition.chunkSize);
    const firstRowIndex = some[0]?.rowIndex ?? 0;
    const context: ChunkContext<JsonObject> = {
      ...{ jobId, run: 1, chunk: Math.floor(from / definition.chunkSize), firstRowIndex, db, tx, signal },
      params: parsedParams(definition, input),
      paramsText: input.paramsText ?? JSON.stringify(input.params ?? {}),
      idempotencyKey: `${jobId}:1:${firstRowIndex}`,
      owner: { id: actor.id, name: actor.name, email: actor.email },
      logger: deps.logger.child({ preview: jobId, kind: definition.kind }),
      deps: deps.handlerDeps,
      log: () => undefined,
      progress: () => undefined,
      report: () => undefined,
    };
    try {
      judged.push(...((await definition.previewChunk?.(context, some)) ?? []));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
  if (judged.length > 0 || rows.length === 0) return judged;
  throw new GantryError('unavailable', 'The rows could not be judged in time. Nothing was changed; try again.');
}

function parsedParams(definition: MassActionDefinition, input: CreateJobInput): JsonObject {
  const parsed = definition.params.safeParse(input.params);
  if (parsed.success) return parsed.data;
  throw invalid([{ path: 'params', message: 'do not fit the kind' }]);
}

/** What the work returns, though nothing of what it did remains. */
async function rolledBack<T>(db: CommandDeps['db'], work: (tx: Tx) => Promise<T>): Promise<T> {
  class Done extends Error {
    constructor(readonly value: T) {
      super('rolled back, as every preview is');
    }
  }
  try {
    await db.transaction().execute(async (tx) => {
      throw new Done(await work(tx));
    });
  } catch (error) {
    if (error instanceof Done) return error.value;
    throw error;
  }
  throw new Error('a preview must not commit');
}
