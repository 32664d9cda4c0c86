// How far a job is, and how long it may still take. Pure.
import { isFinal, type JobState } from '../../jobs/lifecycle';
import type { JobDoc } from '../contract/jobShapes';

export interface ProgressFacts {
  state: JobState;
  /** Rows of the run; null for jobs without rows. */
  total: number | null;
  good: number;
  failed: number;
  skipped: number;
  progressDone: number;
  progressTotal: number | null;
  progressPercent: number;
  note: string | null;
  startedAt: Date | null;
  finishedAt: Date | null;
  pausedMs: number;
}

export function presentProgress(row: ProgressFacts, now: Date): JobDoc['progress'] {
  const hasRows = row.total !== null;
  const total = hasRows ? row.total : row.progressTotal;
  const done = hasRows ? row.good + row.failed + row.skipped : row.progressDone;
  return {
    total,
    done,
    failed: row.failed,
    skipped: row.skipped,
    percent: percentOf(row, total, done),
    note: row.note,
    ...estimate(row, total, done, now),
  };
}

/** 100 is kept for the end: for rows, when all were dealt with; for jobs that tell their progress, when they succeeded. */
function percentOf(row: ProgressFacts, total: number | null, done: number): number | null {
  if (row.state === 'succeeded') return 100;
  if (total === null || total === 0) return null;
  const share = Math.max(row.progressPercent, Math.floor((100 * done) / total));
  return Math.min(share, row.total !== null && isFinal(row.state) ? 100 : 99);
}

/** Less done, in less time, says nothing about the rest. */
const ESTIMATE_FROM_SHARE = 0.05;
const ESTIMATE_FROM_MS = 30_000;

function estimate(
  row: ProgressFacts,
  total: number | null,
  done: number,
  now: Date,
): { ratePerSecond: number | null; etaMs: number | null } {
  const elapsedMs = row.startedAt ? (row.finishedAt ?? now).getTime() - row.startedAt.getTime() - row.pausedMs : 0;
  if (done === 0 || elapsedMs <= 0) return { ratePerSecond: null, etaMs: null };
  const ratePerSecond = Math.round((done / elapsedMs) * 1e6) / 1000;
  if (row.state !== 'running' || total === null || done >= total) return { ratePerSecond, etaMs: null };
  const saysSomething = done / total >= ESTIMATE_FROM_SHARE || elapsedMs >= ESTIMATE_FROM_MS;
  return { ratePerSecond, etaMs: saysSomething ? Math.round(((total - done) / done) * elapsedMs) : null };
}
