// A mass action without code: the kind `operation.<key>`, built from the operation's row. Each chunk is one signed POST to the
// operation's endpoint; a chunk is sent again with the same idempotency key.
import { z } from 'zod';
import type { OperationRow } from '../../db/queries/operations';
import type { UserRole } from '../../db/generated/database';
import { GantryError } from '../../lib/errors';
import {
  defineMassAction,
  type ApprovalRules,
  type ChunkContext,
  type ChunkOutcome,
  type JsonObject,
  type MassActionDefinition,
  type OperationAnswer,
  type PreviewRow,
  type Row,
  type RowResult,
  type UndoRow,
} from '../define';
import { compileSchema, pathOf } from '../massActions/jsonSchema';

export const OPERATION_PREFIX = 'operation.';
const DEFAULT_RETRY = { attempts: 5, minDelayMs: 1000, maxDelayMs: 60_000 };

export function buildOperationDefinition(
  row: OperationRow,
  openSecret: (box: string) => string,
): MassActionDefinition<JsonObject> {
  const paramsSchema = parseSchema(row.paramsSchema);
  return defineMassAction<JsonObject>({
    kind: `${OPERATION_PREFIX}${row.key}`,
    title: row.title,
    menu: row.menu,
    roles: row.roles as UserRole[],
    policy: { needsApproval: row.needsApproval },
    ...(row.approval === null ? {} : { approval: JSON.parse(row.approval) as ApprovalRules }),
    params: paramsOf(paramsSchema),
    paramsSchema,
    rowSchema: parseSchema(row.rowSchema),
    chunkSize: row.chunkSize,
    concurrency: row.concurrency,
    inDatabase: false,
    retry: { ...DEFAULT_RETRY, ...(JSON.parse(row.retry) as Partial<typeof DEFAULT_RETRY>) },
    ratePerSecond: row.ratePerSecond,
    adaptive: row.adaptive,
    processChunk: async (ctx, rows) => {
      const list = rows.map(lineOf);
      const outcome = outcomeOf(await call(ctx, {}, list), rows);
      // Values that nothing can put back are not kept.
      return row.supportsUndo || outcome.type === 'retry'
        ? outcome
        : { ...outcome, results: outcome.results.map(({ before: _, ...result }) => result) };
    },
    ...(row.supportsDryRun ? { previewChunk } : {}),
    ...(row.supportsUndo ? { undoChunk } : {}),
  });

  async function previewChunk(ctx: ChunkContext<JsonObject>, rows: Row[]): Promise<PreviewRow[]> {
    const list = rows.map(lineOf);
    const outcome = outcomeOf(await call(ctx, { dryRun: true }, list), rows);
    if (outcome.type === 'retry') {
      throw new GantryError('unavailable', `${outcome.message} The rows could not be judged; nothing was changed.`);
    }
    return previewOf(rows, outcome.results);
  }

  /** Rows go under the index that they had in the job which is taken back, with what the endpoint answered then. */
  async function undoChunk(ctx: ChunkContext<JsonObject>, rows: UndoRow[]): Promise<ChunkOutcome> {
    const place = new Map(rows.map((each) => [each.undoneRowIndex, each.rowIndex]));
    const list = rows.map(
      (each) => each.json ?? JSON.stringify({ rowIndex: each.undoneRowIndex, data: each.data, before: each.before }),
    );
    const undone = rows.map((each) => ({ ...each, rowIndex: each.undoneRowIndex }));
    const outcome = outcomeOf(await call(ctx, { undo: true, undoOf: ctx.undoOf }, list), undone);
    if (outcome.type === 'retry') return outcome;
    const results = outcome.results.flatMap((result) => {
      const rowIndex = place.get(result.rowIndex);
      return rowIndex === undefined ? [] : [{ ...result, rowIndex }];
    });
    return { type: 'done', results };
  }

  function call(ctx: ChunkContext<JsonObject>, flags: CallFlags, list: string[]): Promise<OperationAnswer> {
    const { jobId, run, chunk, paramsText, idempotencyKey } = ctx;
    return ctx.deps.callOperation(
      {
        endpoint: row.endpoint,
        body: buildBody({ jobId, run, chunk, ...flags, paramsText }, list),
        idempotencyKey,
        jobId,
        // Opened only here: a secret that does not open any more stops this operation and no other.
        secret: row.secretBox === null ? null : openSecret(row.secretBox),
        timeoutMs: row.timeoutMs,
      },
      ctx.signal,
    );
  }
}

interface CallFlags {
  dryRun?: true;
  undo?: true;
  undoOf?: string | undefined;
}

/**
 * The body of a chunk's call. Parameters and rows that came as JSON go out as they were sent: a number that JavaScript
 * cannot hold keeps its digits.
 */
export function buildBody(
  chunk: { jobId: string; run: number; chunk: number; paramsText: string } & CallFlags,
  rows: string[],
): string {
  const { paramsText, ...head } = chunk;
  return `${JSON.stringify(head).slice(0, -1)},"params":${paramsText},"rows":[${rows.join(',')}]}`;
}

export function lineOf(row: Row): string {
  return `{"rowIndex":${row.rowIndex},"data":${row.json ?? JSON.stringify(row.data)}}`;
}

function outcomeOf(answer: OperationAnswer, rows: Row[]): ChunkOutcome {
  switch (answer.type) {
    case 'results':
      return { type: 'done', results: answer.results };
    case 'retry':
      return { type: 'retry', afterMs: answer.afterMs, code: 'endpoint_unavailable', message: answer.message };
    case 'refused': {
      const { code, message } = answer;
      return { type: 'done', results: rows.map(({ rowIndex }) => ({ rowIndex, success: false, code, message })) };
    }
  }
}

function previewOf(rows: Row[], results: RowResult[]): PreviewRow[] {
  const byRow = new Map(results.map((result) => [result.rowIndex, result]));
  return rows.map(({ rowIndex }) => {
    const result = byRow.get(rowIndex) ?? { success: false, ...NO_RESULT };
    const { before = null, after = null, skipped = false } = result as Partial<RowResult>;
    const { code = 'failed', message = 'The row was refused without a reason.' } = result;
    return {
      rowIndex,
      before,
      after,
      skipped,
      ...(skipped || result.success ? {} : { refusal: { code, message } }),
    };
  });
}

const NO_RESULT = { code: 'no_result', message: 'The answer held no result for this row.' };

function parseSchema(text: string | null): JsonObject | null {
  return text === null ? null : (JSON.parse(text) as JsonObject);
}

function paramsOf(schema: JsonObject | null): z.ZodType<JsonObject> {
  const object = z.record(z.string(), z.unknown());
  if (!schema) return object;
  return object.superRefine((value, context) => {
    const validate = compileSchema(schema);
    if (validate(value)) return;
    for (const error of validate.errors ?? []) {
      context.addIssue({ code: 'custom', path: pathOf(error), message: error.message ?? 'does not fit the schema' });
    }
  });
}
