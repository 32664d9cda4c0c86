// A job's row -> the job of the contract. Pure; the rules it shows (allowedActions) are those the commands check.
import type { EventRow } from '../../db/queries/events';
import type { JobSight } from '../../db/queries/jobSight';
import type { JobRow } from '../../db/queries/jobs';
import type { RunRow } from '../../db/queries/runs';
import type { Actor } from '../../jobs/actor';
import { allowedActions } from '../../jobs/allowedActions';
import type { Policy } from '../../jobs/define';
import { groupOf } from '../../jobs/lifecycle';
import type { z } from 'zod';
import type { eventDoc, JobDoc, runDoc } from '../contract/jobShapes';
import { presentDuration } from './duration';
import { presentProgress } from './progress';
import { highestSeverity } from './report';
import { waitingText } from './waiting';

const iso = (at: Date | null): string | null => at?.toISOString() ?? null;

export interface Viewer {
  actor: Actor;
  now: Date;
  selfApproval?: boolean | undefined;
}

export function presentJob(row: JobRow, policy: Policy, sight: JobSight, viewer: Viewer): JobDoc {
  const { now } = viewer;
  const at = `/api/v1/jobs/${row.id}`;
  const report = sight.reports.get(row.id);
  const reportSeverity = report ? highestSeverity(report) : null;
  const wait = sight.waits.get(row.id);
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
    waitMs: spanOf(row.queuedAt, row.startedAt ?? (row.finishedAt ? null : now)),
    processMs: spanOf(row.startedAt, row.finishedAt ?? now),
    pausedMs: row.pausedMs + (spanOf(row.pausedAt, row.finishedAt ?? now) ?? 0),
    approvalMs: spanOf(row.requestedAt, row.queuedAt ?? row.finishedAt ?? now),
    errorCount: row.failed,
    error: row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? '' },
    cancelReason: row.cancelReason,
    reportUrl: row.hasReport || reportSeverity !== null ? `${at}/report` : null,
    reportSeverity,
    logUrl: `${at}/log`,
    errorsUrl: row.failed > 0 ? `${at}/errors.csv` : null,
    derivedFrom: row.derivedFrom,
    undoOf: row.undoOf,
    undoneBy: row.undoneBy,
    fileUrl: row.hasFile ? `${at}/file` : null,
    approval: presentRequest(row),
    waitingFor: row.state === 'awaiting_approval' ? 'approval' : row.waitingFor,
    waitingText: wait
      ? waitingText({ ...row, hasRows: row.rowTotal !== null }, { wait, workers: sight.workers, now })
      : null,
    allowedActions: allowedActions(row, policy, viewer.actor, viewer.selfApproval),
    ...presentDuration(row, policy, now),
    version: row.version,
  };
}

function presentRequest({ quorum, approvedBy, requestExpiresAt, requestHash }: JobRow): JobDoc['approval'] {
  if (quorum === null || !requestExpiresAt || !requestHash) return null;
  const expiresAt = requestExpiresAt.toISOString();
  return { quorum, approvals: approvedBy.length, expiresAt, requestHash: requestHash.toString('hex') };
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
