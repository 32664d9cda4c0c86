// Takes ended jobs away when their time is over. From purge_at on a job counts as gone for every reader; this makes it so:
// first a tombstone, then what hangs on it in batches. The audit and the deployment history stay.
// It makes way: it rests after each batch, longer while jobs wait, and works within its daily window only.
import { databaseNow } from '../../db/queries/clock';
import { pruneOrphanNotices, tombstoneExpired } from '../../db/queries/maintenance';
import { isBacklogged } from '../../db/queries/outbox';
import { pause } from '../../lib/abort';
import type { MaintenanceDeps } from './startMaintenance';
import { sweepTombstones } from './sweepTombstones';

/** Small enough that no lock is held for long. */
const BATCH = 200;
/** Jobs that wait longer than this need the database more than upkeep does. */
const BACKLOG_MS = 5000;
const LONGEST_REST_MS = 5000;

export interface RetentionReport {
  /** Jobs taken away. */
  jobs: number;
  batches: number;
  /** Why it ended; what is left is taken at the next time. */
  ended: 'done' | 'window' | 'stopping';
}

export async function retention(
  deps: Pick<MaintenanceDeps, 'db' | 'waker'>,
  options: { window?: string | undefined; signal?: AbortSignal } = {},
): Promise<RetentionReport> {
  const { window, signal } = options;
  const report: RetentionReport = { jobs: 0, batches: 0, ended: 'done' };
  for (;;) {
    if (signal?.aborted) return { ...report, ended: 'stopping' };
    if (!isWithin(window, await databaseNow(deps.db))) return { ...report, ended: 'window' };
    const startedAt = performance.now();
    const count = await tombstoneExpired(deps.db, BATCH);
    if (count > 0) deps.waker.wake('gantry_change');
    report.jobs += count;
    report.batches += 1;
    const hasMore = await sweepTombstones(deps);
    if (!hasMore && count < BATCH) break;
    await rest(deps, performance.now() - startedAt, signal);
  }
  await pruneOrphanNotices(deps.db, BATCH);
  return report;
}

/** As long as the batch took; four times that, and a second at least, while jobs wait. */
async function rest(deps: Pick<MaintenanceDeps, 'db'>, tookMs: number, signal: AbortSignal | undefined): Promise<void> {
  const restMs = (await isBacklogged(deps.db, BACKLOG_MS)) ? Math.max(1000, 4 * tookMs) : tookMs;
  await pause(Math.min(restMs, LONGEST_REST_MS), signal);
}

/** @param window such as `23:00-05:30`, UTC, the end excluded; left out: always. Pure. */
export function isWithin(window: string | undefined, now: Date): boolean {
  if (window === undefined) return true;
  const [from = 0, to = 0] = window.split('-').map((time) => {
    const [hours = 0, minutes = 0] = time.split(':').map(Number);
    return hours * 60 + minutes;
  });
  const minute = now.getUTCHours() * 60 + now.getUTCMinutes();
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}
