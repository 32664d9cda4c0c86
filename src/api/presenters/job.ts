// A job's row -> the job of the contract. Pure; the rules it shows (allowedActions) are those the commands check.
import type { EventRow } from '../../db/queries/events';
import type { JobRow } from '../../db/queries/jobs';
import type { RunRow } from '../../db/queries/runs';
import type { Actor } from '../../jobs/actor';
import { allowedActions } from '../../jobs/allowedActions';
import type { Policy } from '../../jobs/define';
import { groupOf } from '../../jobs/lifecycle';
import type { z } from 'zod';
import type { eventDoc, JobDoc, runDoc } from '../contract/jobShapes';

const iso = (at: Date | null): string | null => at?.toISOString() ?? null;
/** Fewer than so many dealt with, or less time, says nothing about the rest. */
const ESTIMATE_FROM_MS = 2000;

export function presentJob(row: JobRow, policy: Policy, actor: Actor, now: Date): JobDoc {
  const at = `/api/v1/jobs/${row.id}`;
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    state: row.state,
    phase: row.phase,
    group: groupOf(row.state),
    run: row.run,
    owner: { id: row.ownerId, name: row.ownerName, email: row.ownerEmail },
    host: row.host,
    priority: row.priority,
    params: JSON.parse(row.params) as unknown,
    notify: { email: row.notifyEmail, to: row.notifyTo ?? row.ownerEmail },
    progress: presentProgress(row, now),
    createdAt: row.createdAt.toISOString(),
    queuedAt: iso(row.queuedAt),
    runAt: iso(row.runAt),
    startedAt: iso(row.startedAt),
    finishedAt: iso(row.finishedAt),
    purgeAt: iso(row.purgeAt),
    waitMs: spanOf(row.queuedAt, row.startedAt),
    processMs: spanOf(row.startedAt, row.finishedAt),
    errorCount: row.failed,
    error: row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? '' },
    cancelReason: row.cancelReason,
    reportUrl: row.hasReport ? `${at}/report` : null,
    logUrl: `${at}/log`,
    errorsUrl: row.failed > 0 ? `${at}/errors.csv` : null,
    derivedFrom: row.derivedFrom,
    waitingFor: row.waitingFor,
    allowedActions: allowedActions(row, policy, actor),
    version: row.version,
  };
}

function presentProgress(row: JobRow, now: Date): JobDoc['progress'] {
  const hasRows = row.total !== null;
  const total = hasRows ? row.total : row.progressTotal;
  const done = hasRows ? row.good + row.failed + row.skipped : row.progressDone;
  const isOver = row.state === 'succeeded';
  const percent =
    total === null || total === 0 ? (isOver ? 100 : null) : Math.min(100, Math.floor((100 * done) / total));
  return {
    total,
    done,
    failed: row.failed,
    skipped: row.skipped,
    percent,
    note: row.note,
    ...estimate(row, total, done, now),
  };
}

function estimate(
  row: JobRow,
  total: number | null,
  done: number,
  now: Date,
): { ratePerSecond: number | null; etaMs: number | null } {
  const elapsedMs = row.startedAt ? (row.finishedAt ?? now).getTime() - row.startedAt.getTime() - row.pausedMs : 0;
  if (done === 0 || elapsedMs <= 0) return { ratePerSecond: null, etaMs: null };
  const ratePerSecond = Math.round((done / elapsedMs) * 1e6) / 1000;
  const isRunning = row.state === 'running' && elapsedMs >= ESTIMATE_FROM_MS && total !== null && done < total;
  return { ratePerSecond, etaMs: isRunning ? Math.round(((total - done) / done) * elapsedMs) : null };
}

function spanOf(from: Date | null, to: Date | null): number | null {
  return from && to ? Math.max(0, to.getTime() - from.getTime()) : null;
}

export function presentRun(row: RunRow): z.infer<typeof runDoc> {
  const hasRows = row.total !== null;
  return {
    run: row.run,
    scope: row.scope,
    requestedBy: row.requestedBy,
    host: row.host,
    queuedAt: row.queuedAt.toISOString(),
    startedAt: iso(row.startedAt),
    finishedAt: iso(row.finishedAt),
    outcome: row.outcome,
    total: hasRows ? row.total : row.progressTotal,
    done: hasRows ? row.good + row.failed + row.skipped : row.progressDone,
    failed: row.failed,
    skipped: row.skipped,
    error: row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? '' },
  };
}

export function presentEvent(row: EventRow): z.infer<typeof eventDoc> {
  return {
    id: row.id,
    run: row.run,
    type: row.type,
    at: row.at.toISOString(),
    actor: row.actorName === null ? null : { id: row.actorId, name: row.actorName },
    data: row.data === null ? null : (JSON.parse(row.data) as Record<string, unknown>),
  };
}
