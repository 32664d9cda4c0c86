// The dispatcher's loop, in every worker process and at work in one: woken by NOTIFY, by the next due time, and every second.
// It also moves scheduled jobs, wakes sleeping processes, settles what was asked to stop, and numbers the feed.
import type { Kysely } from 'kysely';
import type { Database } from '../../db/database';
import type { DB } from '../../db/generated/database';
import type { Leadership } from '../../db/leadership';
import { closeAttemptsOfSilent } from '../../db/queries/attempts';
import { nextDueInMs, queueScheduled, wakeSleepers } from '../../db/queries/dispatch';
import { numberChanges } from '../../db/queries/feed';
import { rescueChunks, rescueRuns } from '../../db/queries/maintenance';
import { listUnsettled } from '../../db/queries/settle';
import type { Queue } from '../../queue/createQueue';
import { statesBefore } from '../../jobs/lifecycle';
import { pause, startLoop } from '../../lib/abort';
import { eachAlone } from '../../lib/eachAlone';
import { messageOf } from '../../lib/errors';
import type { Logger } from '../../lib/logger';
import { settleJob, type SettleDeps } from '../runner/settle';
import { dispatch, resendLost, type Turn } from './dispatch';

export interface DispatcherDeps extends SettleDeps {
  database: Database;
  db: Kysely<DB>;
  queue: Queue;
  leadership: Leadership;
  leaseMs: number;
  logger: Logger;
}

const POLL_MS = 1000;
const BATCH = 200;
/** A browser's stream carries at most four events a second of one job. */
const FEED_EVERY_MS = 250;
const FEED_BATCH = 5000;

export function startDispatcher(deps: DispatcherDeps): { stop(): Promise<void> } {
  const turn: Turn = { lastOwner: '00000000-0000-0000-0000-000000000000' };
  let watchedAt = 0;
  let dueTimer: NodeJS.Timeout | undefined;

  const round = async (): Promise<boolean> => {
    if (!(await deps.leadership.holds('dispatcher'))) return false;
    if (performance.now() - watchedAt >= POLL_MS) {
      watchedAt = performance.now();
      await watch(deps);
    }
    // In every round, since the command that woke a process also wakes this loop.
    await wakeSleepers(deps.db, BATCH);
    const more = await dispatch(deps, turn);
    if (!more) {
      const ms = await nextDueInMs(deps.db);
      clearTimeout(dueTimer);
      if (ms !== null && ms < POLL_MS) dueTimer = setTimeout(() => loop.wake(), Math.max(ms, 10));
    }
    return more;
  };
  const loop = startLoop(POLL_MS, round, complain(deps, 'a round of the dispatcher failed'));

  const settleRound = async (): Promise<void> => {
    if (!(await deps.leadership.holds('dispatcher'))) return;
    await eachAlone(await listUnsettled(deps.db, BATCH), (jobId) => settleJob(deps, jobId));
  };
  const settling = startLoop(POLL_MS, settleRound, complain(deps, 'settling jobs failed'));

  let numberedAt = 0;
  const feedRound = async (signal: AbortSignal): Promise<boolean> => {
    if (!(await deps.leadership.holds('feed'))) return false;
    const wait = numberedAt + FEED_EVERY_MS - performance.now();
    if (wait > 0) await pause(wait, signal);
    numberedAt = performance.now();
    const taken = await numberChanges(deps.db, FEED_BATCH);
    if (taken > 0) deps.waker.wake('gantry_change');
    return taken === FEED_BATCH;
  };
  const feed = startLoop(POLL_MS, feedRound, complain(deps, 'numbering the feed failed'));

  const unlisten = [
    deps.database.listen('gantry_work', loop.wake),
    deps.database.listen('gantry_cancel', settling.wake),
    deps.database.listen('gantry_change', feed.wake),
  ];
  return {
    stop: async () => {
      unlisten.forEach((end) => end());
      clearTimeout(dueTimer);
      await Promise.all([loop.stop(), settling.stop(), feed.stop()]);
      clearTimeout(dueTimer);
    },
  };
}

/** Once a second: the clock's doings, leases that ran out, and messages that were lost. */
async function watch(deps: DispatcherDeps): Promise<void> {
  await queueScheduled(deps.db, statesBefore('queued'), BATCH);
  await closeAttemptsOfSilent(deps.db, deps.leaseMs);
  const chunks = await rescueChunks(deps.db, BATCH);
  const runs = await rescueRuns(deps.db, BATCH);
  if (chunks + runs.length > 0)
    deps.logger.warn({ chunks, runs: runs.length }, 'work of silent workers is taken up again');
  await resendLost(deps);
}

function complain(deps: DispatcherDeps, what: string): (error: unknown) => void {
  return (error) => deps.logger.warn({ error: messageOf(error, 500) }, what);
}
