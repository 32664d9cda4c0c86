// Upkeep, by one process at a time: each duty is a file of its own, small, repeatable and limited in its batches.
// Rescue of silent workers' work runs with the dispatcher (once a second), all else here.
import type { Kysely } from 'kysely';
import type { DB } from '../../db/generated/database';
import type { Leadership } from '../../db/leadership';
import type { Queue } from '../../queue/createQueue';
import { startLoop } from '../../lib/abort';
import { messageOf } from '../../lib/errors';
import type { Logger } from '../../lib/logger';
import type { SettleDeps } from '../runner/settle';
import { abandonedUploads } from './abandonedUploads';
import { expireApprovals } from './expireApprovals';
import { auditChain } from './auditChain';
import { feedPrune } from './feedPrune';
import { idempotencyKeys } from './idempotencyKeys';
import { reconcile } from './reconcile';
import { retention } from './retention';
import { declare, runIfDue } from './schedule';
import { silentWorkers } from './silentWorkers';
import { starvation } from './starvation';
import { statistics } from './statistics';
import { sweepTombstones } from './sweepTombstones';

export interface MaintenanceDeps extends SettleDeps {
  db: Kysely<DB>;
  logger: Logger;
  /** A run that waited so long goes before higher priorities. */
  starvationMs: number;
}

export interface MaintenanceOptions {
  deps: MaintenanceDeps;
  queue: Queue;
  leadership: Leadership;
  retentionCron: string;
  /** The time of day in which retention works; undefined: any. */
  retentionWindow: string | undefined;
}

/** A duty that returns true has more to do and is called again at once. */
const DUTIES: { name: string; everyMs: number; run(deps: MaintenanceDeps): Promise<boolean> }[] = [
  { name: 'reconcile', everyMs: 10_000, run: reconcile },
  { name: 'sweepTombstones', everyMs: 5000, run: sweepTombstones },
  { name: 'expireApprovals', everyMs: 5000, run: expireApprovals },
  { name: 'starvation', everyMs: 10_000, run: starvation },
  { name: 'abandonedUploads', everyMs: 60_000, run: abandonedUploads },
  { name: 'idempotencyKeys', everyMs: 600_000, run: idempotencyKeys },
  { name: 'auditChain', everyMs: 5000, run: auditChain },
  { name: 'feedPrune', everyMs: 30_000, run: feedPrune },
  { name: 'statistics', everyMs: 5000, run: statistics },
  { name: 'silentWorkers', everyMs: 60_000, run: silentWorkers },
];

const RETENTION = 'retention';
/** A tick of the queue's scheduler that was lost is made good within this time. */
const LOOK_MS = 5000;

export async function startMaintenance(options: MaintenanceOptions): Promise<{ stop(): Promise<void> }> {
  const { deps, leadership, queue, retentionCron, retentionWindow: window } = options;
  const stopping = new AbortController();
  await declare(deps.db, RETENTION, retentionCron);
  await queue.scheduleWakeUp(RETENTION, retentionCron);
  const complain = (name: string) => (error: unknown) =>
    deps.logger.warn({ duty: name, error: messageOf(error, 500) }, 'a duty of maintenance failed; it is tried again');

  const loops = DUTIES.map(({ name, everyMs, run }) =>
    startLoop(everyMs, async () => (await leadership.holds('maintenance')) && run(deps), complain(name)),
  );
  const keep = (): Promise<boolean> =>
    runIfDue(deps.db, RETENTION, retentionCron, () => retention(deps, { window, signal: stopping.signal }));
  const clock = startLoop(LOOK_MS, async () => void (await keep()), complain(RETENTION));
  const wakeUps = await queue.onWakeUp(async (name) => {
    if (name === RETENTION) clock.wake();
  });
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all([wakeUps.close(), clock.stop(), ...loops.map((loop) => loop.stop())]);
    },
  };
}
