// A mass action without code: the kind `operation.<key>`, built from the operation's row. Each chunk is one signed POST to the
// operation's endpoint; a chunk is sent again with the same idempotency key.
import { z } from 'zod';
import type { OperationRow } from '../../db/queries/operations';
import type { UserRole } from '../../db/generated/database';
import { defineMassAction, type JsonObject, type MassActionDefinition, type Row } from '../define';
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
    params: paramsOf(paramsSchema),
    paramsSchema,
    rowSchema: parseSchema(row.rowSchema),
    chunkSize: row.chunkSize,
    concurrency: row.concurrency,
    inDatabase: false,
    retry: { ...DEFAULT_RETRY, ...(JSON.parse(row.retry) as Partial<typeof DEFAULT_RETRY>) },
    ratePerSecond: row.ratePerSecond,
    processChunk: async (ctx, rows) => {
      const answer = await ctx.deps.callOperation(
        {
          endpoint: row.endpoint,
          body: buildBody({ jobId: ctx.jobId, run: ctx.run, chunk: ctx.chunk, paramsText: ctx.paramsText }, rows),
          idempotencyKey: ctx.idempotencyKey,
          // Opened only here: a secret that does not open any more stops this operation and no other.
          secret: row.secretBox === null ? null : openSecret(row.secretBox),
          timeoutMs: row.timeoutMs,
        },
        ctx.signal,
      );
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
    },
  });
}

/**
 * The body of a chunk's call. Parameters and rows that came as JSON go out as they were sent: a number that JavaScript
 * cannot hold keeps its digits.
 */
export function buildBody(
  chunk: { jobId: string; run: number; chunk: number; paramsText: string; dryRun?: boolean },
  rows: Row[],
): string {
  const { paramsText, ...head } = chunk;
  const list = rows.map((row) => `{"rowIndex":${row.rowIndex},"data":${row.json ?? JSON.stringify(row.data)}}`);
  return `${JSON.stringify(head).slice(0, -1)},"params":${paramsText},"rows":[${list.join(',')}]}`;
}

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
