// Whether a job takes longer or shorter than the history of its kind says. Pure.
import type { JobRow } from '../../db/queries/jobs';
import type { Policy } from '../../jobs/define';
import type { JobDoc } from '../contract/jobShapes';

/** Differences of so little say nothing, whatever their share. */
const NOISE_MS = 100;

export function presentDuration(
  row: JobRow,
  policy: Pick<Policy, 'durationTolerancePercent'>,
  now: Date,
): Pick<JobDoc, 'expectedMs' | 'durationWarning'> {
  const { expectedMs } = row;
  if (expectedMs === null) return { expectedMs: null, durationWarning: null };
  return { expectedMs: Math.round(expectedMs), durationWarning: warningOf(row, expectedMs, policy, now) };
}

function warningOf(
  row: JobRow,
  expectedMs: number,
  policy: Pick<Policy, 'durationTolerancePercent'>,
  now: Date,
): JobDoc['durationWarning'] {
  if (!row.startedAt) return null;
  // A pause that lasts is none of its own time.
  const until = row.finishedAt ?? row.pausedAt ?? now;
  const tookMs = until.getTime() - row.startedAt.getTime() - row.pausedMs;
  if (Math.abs(tookMs - expectedMs) < NOISE_MS) return null;
  const tolerance = policy.durationTolerancePercent / 100;
  if (tookMs > expectedMs * (1 + tolerance)) return 'longer';
  const cameToItsEnd = row.state === 'succeeded' || row.state === 'completed_with_errors';
  return cameToItsEnd && tookMs < expectedMs * (1 - tolerance) ? 'shorter' : null;
}
