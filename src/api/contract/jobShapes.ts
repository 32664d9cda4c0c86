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
  /** floor(100 x done / total), 100 only at the end; it never falls within a run. Null while the total is not known. */
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
  /** startedAt - queuedAt of the latest run; so far, while it is queued. */
  waitMs: count.nullable(),
  /** finishedAt - startedAt of the latest run; so far, while it is open. */
  processMs: count.nullable(),
  /** Of processMs: how long it rested. */
  pausedMs: count,
  /** How long its approval took, or takes so far; not part of waitMs. */
  approvalMs: count.nullable(),
  errorCount: count,
  error: fault.nullable(),
  cancelReason: z.string().nullable(),
  reportUrl: z.string().nullable(),
  /** The highest severity in the latest run's report. */
  reportSeverity: z.enum(['info', 'warning', 'error']).nullable(),
  logUrl: z.string(),
  errorsUrl: z.string().nullable(),
  derivedFrom: uuid.nullable(),
  /** The job that this one takes back. */
  undoOf: uuid.nullable(),
  /** The latest job that takes this one back. */
  undoneBy: uuid.nullable(),
  /** The file that the job made. */
  fileUrl: z.string().nullable(),
  /** The latest run's request for approval; GET /jobs/{id}/approval tells the rest. */
  approval: z.object({ quorum: z.int(), approvals: z.int(), expiresAt: instant, requestHash: z.string() }).nullable(),
  waitingFor: z.string().nullable(),
  /** Why it does not move, in words; null when it is at work or has ended. */
  waitingText: z.string().nullable(),
  allowedActions: z.array(z.enum(ACTIONS)),
  /** What the history of the kind says; null while fewer than five of its runs have ended well. */
  expectedMs: count.nullable(),
  /** The latest run takes, or took, longer or shorter than expected by more than the kind's share. */
  durationWarning: z.enum(['longer', 'shorter']).nullable(),
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
export const requeueBody = z.strictObject({
  only: z.enum(['failed', 'unfinished']).optional(),
  /** With only: "failed": the rows whose last failure has this code. */
  code: z.string().min(1).max(200).optional(),
  /** Stop a job that has not ended, and run it again when it has. */
  cancelFirst: z.boolean().optional(),
});
export const prioritizeBody = z.union([
  z.strictObject({ priority: z.int().min(-100).max(100) }),
  z.strictObject({ first: z.literal(true) }),
]);
