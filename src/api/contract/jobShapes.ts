// The documents of jobs as clients see them. Presenters give exactly these; openapi.json says them in detail.
import { z } from 'zod';
import { ACTIONS, JOB_STATES } from '../../jobs/lifecycle';
import { instant, jsonObject, uuid } from './common';

export const jobState = z.enum(JOB_STATES);
const count = z.int().nonnegative();

export const progressDoc = z.object({
  total: count.nullable(),
  done: count,
  failed: count,
  skipped: count,
  /** floor(100 x done / total); null while the total is not known. */
  percent: z.int().min(0).max(100).nullable(),
  note: z.string().nullable(),
  ratePerSecond: z.number().nullable(),
  etaMs: count.nullable(),
});

const fault = z.object({ code: z.string(), message: z.string() });

export const jobDoc = z.object({
  id: uuid,
  kind: z.string(),
  title: z.string(),
  state: jobState,
  phase: z.string().nullable(),
  group: z.enum(['processed', 'unprocessed']),
  run: z.int().min(1),
  owner: z.object({ id: uuid, name: z.string(), email: z.string() }),
  host: z.string().nullable(),
  priority: z.int(),
  params: z.unknown(),
  notify: z.object({ email: z.boolean(), to: z.string() }),
  progress: progressDoc,
  createdAt: instant,
  queuedAt: instant.nullable(),
  runAt: instant.nullable(),
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  purgeAt: instant.nullable(),
  /** startedAt - queuedAt of the latest run. */
  waitMs: count.nullable(),
  /** finishedAt - startedAt of the latest run. */
  processMs: count.nullable(),
  errorCount: count,
  error: fault.nullable(),
  cancelReason: z.string().nullable(),
  reportUrl: z.string().nullable(),
  logUrl: z.string(),
  errorsUrl: z.string().nullable(),
  derivedFrom: uuid.nullable(),
  waitingFor: z.string().nullable(),
  allowedActions: z.array(z.enum(ACTIONS)),
  version: z.int(),
});
export type JobDoc = z.infer<typeof jobDoc>;

export const eventDoc = z.object({
  id: z.int(),
  run: z.int(),
  type: z.string(),
  at: instant,
  actor: z.object({ id: z.string().nullable(), name: z.string() }).nullable(),
  data: jsonObject.nullable(),
});

export const runDoc = z.object({
  run: z.int(),
  scope: z.enum(['all', 'failed', 'unfinished']),
  requestedBy: z.string().nullable(),
  host: z.string().nullable(),
  queuedAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  outcome: jobState.nullable(),
  total: count.nullable(),
  done: count,
  failed: count,
  skipped: count,
  error: fault.nullable(),
});

export const rowErrorDoc = z.object({
  rowIndex: count,
  code: z.string(),
  message: z.string(),
  /** The row as it was sent in. */
  row: z.unknown(),
  attempt: z.int(),
});

export const errorGroupDoc = z.object({ code: z.string(), message: z.string(), count, firstRowIndex: count });

const notifyBody = z.strictObject({ email: z.boolean(), to: z.string().min(3).max(320).optional() });

export const jobBody = z.strictObject({
  kind: z.string().min(1).max(200),
  title: z.string().max(500).optional(),
  params: z.unknown().optional(),
  rows: z.array(z.unknown()).optional(),
  notify: notifyBody.optional(),
  priority: z.int().min(-100).max(100).optional(),
  runAt: z.iso.datetime({ offset: true }).optional(),
  trial: z.int().min(1).optional(),
  limits: z
    .strictObject({
      maxFailed: z.int().nonnegative().optional(),
      maxFailedPercent: z.number().min(0).max(100).optional(),
      then: z.enum(['pause', 'fail']).optional(),
    })
    .optional(),
});

export const notifyChange = z.strictObject({ notify: notifyBody });
export const reasonBody = z.strictObject({ reason: z.string().max(2000).optional() });
export const requeueBody = z.strictObject({ only: z.enum(['failed', 'unfinished']).optional() });
export const prioritizeBody = z.union([
  z.strictObject({ priority: z.int().min(-100).max(100) }),
  z.strictObject({ first: z.literal(true) }),
]);
