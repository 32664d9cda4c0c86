// THE one way a run ends (style rule 3): called by commands, the runner and rescue, inside their transaction.
// It never wakes anybody: the caller wakes gantry_change and gantry_notice after its commit.
import type { Tx } from '../db/database';
import { closeAttempts } from '../db/queries/attempts';
import { insertAudit } from '../db/queries/audit';
import { learnDuration } from '../db/queries/durations';
import {
  dropOpenChunks,
  insertNotice,
  listTopErrors,
  lockEndingJob,
  markJobEnded,
  markRunEnded,
  type EndedRun,
  type EndingJob,
} from '../db/queries/endings';
import { insertChange, insertEvent } from '../db/queries/events';
import { findRecipient } from '../db/queries/recipients';
import { cleanText } from '../lib/errors';
import { newId } from '../lib/ids';
import { maskSecrets } from '../lib/secrets';
import type { NoticePayload } from '../notices/payload';
import type { Actor } from './actor';
import type { JsonObject } from './define';
import { settleDeployment } from './deployments/settleDeployment';
import { statesBefore, type FinalState } from './lifecycle';

export interface RunEnd {
  jobId: string;
  run: number;
  /** The lease under which the run ends; null for commands and rescue, which hold none. */
  epoch: number | null;
  outcome: FinalState;
  error?: { code: string; message: string };
  report?: JsonObject;
  actor?: Actor;
  reason?: string;
  /** Of RETENTION_DAYS; what the job's kind says goes before it. */
  retentionDays: number;
}

/** Messages of errors are cut: a stack of megabytes helps nobody. */
const MAX_MESSAGE = 10_000;

/**
 * @returns false, and nothing was written, when this run has ended, was replaced, is in a state that does not lead to the
 * outcome, or the lease of `epoch` is lost.
 */
export async function finishRun(tx: Tx, end: RunEnd): Promise<boolean> {
  const { jobId, run, outcome } = end;
  const error = end.error
    ? { code: end.error.code, message: maskSecrets(cleanText(end.error.message)).slice(0, MAX_MESSAGE) }
    : null;
  const job = await lockEndingJob(tx, jobId, run, statesBefore(outcome));
  if (!job) return false;
  const report = end.report === undefined ? null : JSON.stringify(end.report);
  const ended = await markRunEnded(tx, jobId, run, end.epoch, outcome, error, report);
  if (!ended?.finishedAt) return false;
  await closeAttempts(tx, jobId, run, outcome, error);
  await dropOpenChunks(tx, jobId, run);
  await markJobEnded(tx, jobId, {
    outcome,
    finishedAt: ended.finishedAt,
    retentionDays: end.retentionDays,
    error,
  });
  await insertEvent(tx, {
    jobId,
    run,
    type: 'ended',
    actor: end.actor,
    data: {
      outcome,
      ...(error ? { error } : {}),
      ...(end.reason ? { reason: end.reason } : {}),
      ...(ended.total === null ? {} : { good: ended.good, failed: ended.failed, skipped: ended.skipped }),
    },
  });
  if (end.actor) {
    await insertAudit(tx, {
      actor: end.actor,
      action: AUDIT_ACTION[outcome],
      subjectType: 'job',
      subjectId: jobId,
      before: { state: job.state },
      after: { state: outcome },
      reason: end.reason ?? null,
    });
  }
  if (job.kind === 'deployment') await settleDeployment(tx, jobId, outcome, error);
  await announce(tx, job, run, ended, outcome, error);
  await insertChange(tx, 'job', jobId, job.ownerId);
  await learn(tx, job.kind, outcome, ended);
  return true;
}

/** Only work that came to its end tells how long the next will take. Rows are told apart by their mean. */
async function learn(tx: Tx, kind: string, outcome: FinalState, ended: EndedRun): Promise<void> {
  if (outcome !== 'succeeded' && outcome !== 'completed_with_errors') return;
  if (!ended.startedAt || !ended.finishedAt) return;
  const processMs = ended.finishedAt.getTime() - ended.startedAt.getTime() - ended.pausedMs;
  const rows = ended.total === null ? 1 : ended.good + ended.failed + ended.skipped;
  if (rows > 0) await learnDuration(tx, kind, Math.max(0, processMs) / rows, rows);
}

/** What a person did who brought a run to this end. */
const AUDIT_ACTION = {
  succeeded: 'job.end',
  completed_with_errors: 'job.end',
  failed: 'job.end',
  canceled: 'job.cancel',
  rejected: 'job.reject',
  withdrawn: 'job.withdraw',
  expired: 'job.expire',
} as const satisfies Record<FinalState, string>;

/** The ends that somebody who asked for failures only is told of. */
const IS_FAILURE = {
  succeeded: false,
  completed_with_errors: true,
  failed: true,
  canceled: false,
  rejected: true,
  withdrawn: false,
  expired: true,
} as const satisfies Record<FinalState, boolean>;

const TOP_ERRORS = 3;

async function announce(
  tx: Tx,
  job: EndingJob,
  run: number,
  ended: EndedRun,
  outcome: FinalState,
  error: { code: string; message: string } | null,
): Promise<void> {
  if (!job.notifyEmail) return;
  const { ownerEmail, preference, reader, readerId } = await findRecipient(tx, job.ownerId, job.notifyTo);
  const recipient = job.notifyTo ?? ownerEmail ?? job.ownerEmail;
  if (recipient === '') return;
  // The preference is the owner's about his own mail; an address that was named is served as it was asked for.
  const isOwners = job.notifyTo === null;
  if (isOwners && (preference === 'never' || (preference === 'failures' && !IS_FAILURE[outcome]))) return;
  const payload: NoticePayload = {
    reader,
    toOther: !isOwners && readerId !== job.ownerId,
    jobId: job.id,
    run,
    kind: job.kind,
    title: job.title,
    state: outcome,
    ownerName: job.ownerName,
    total: ended.total,
    good: ended.good,
    failed: ended.failed,
    skipped: ended.skipped,
    startedAt: ended.startedAt?.toISOString() ?? null,
    finishedAt: (ended.finishedAt ?? new Date(0)).toISOString(),
    error,
    topErrors: ended.failed > 0 ? await listTopErrors(tx, job.id, run, TOP_ERRORS) : [],
  };
  await insertNotice(tx, {
    id: newId(),
    jobId: job.id,
    run,
    kind: 'job-ended',
    recipient,
    payload: JSON.stringify(payload),
    hold: isOwners && preference === 'digest' ? true : 'whenMany',
  });
}
