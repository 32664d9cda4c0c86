// Keeps what this worker holds: renews leases on a connection of its own, notices cancels, and lets go of everything when it
// could not renew in time. It must never share a connection with the work, or a busy pool would cost the leases.
import { openDatabase, type Database } from '../../db/database';
import { listCanceling, renewChunks, renewRuns } from '../../db/queries/claims';
import { beatWorker, type WorkerFacts } from '../../db/queries/workers';
import { startLoop } from '../../lib/abort';
import { messageOf } from '../../lib/errors';
import type { Logger } from '../../lib/logger';
import type { Holding, Holdings } from './holdings';

export interface HeartbeatDeps {
  database: Database;
  holdings: Holdings;
  worker: WorkerFacts;
  leaseMs: number;
  logger: Logger;
  isDraining(): boolean;
  /** Tests only: the offset of the database's clock must be the same on every connection. */
  clockOffset?: string;
}

/** A cancel whose notification was missed is seen within this time. */
const LOOK_MS = 1000;

export function startHeartbeat(deps: HeartbeatDeps): { stop(): Promise<void> } {
  const { holdings, leaseMs, logger } = deps;
  const own = openDatabase({ url: deps.database.url, logger, max: 1, clockOffset: deps.clockOffset });
  let renewedAt = performance.now();

  const beat = async (): Promise<void> => {
    const startedAt = performance.now();
    const held = holdings.list();
    await beatWorker(own.kysely, deps.worker, {
      busy: held.length,
      stuck: holdings.stuck(),
      memoryBytes: process.memoryUsage.rss(),
      state: deps.isDraining() ? 'draining' : 'connected',
    });
    const lost = [
      ...(await renewRuns(own.kysely, held.filter(isRun).map(leaseOf), leaseMs)),
      ...(await renewChunks(own.kysely, held.filter((one) => !isRun(one)).map(leaseOf), leaseMs)),
    ];
    renewedAt = startedAt;
    for (const holding of held) if (lost.includes(holding.lease)) holdings.stop(holding, 'lease_lost');
    await lookForCancels(own, holdings);
  };

  const loop = startLoop(Math.min(leaseMs / 4, LOOK_MS), beat, (error) =>
    logger.warn({ error: messageOf(error, 300) }, 'a heartbeat failed'),
  );
  // A statement may hang on a half-open connection: this clock does not depend on its answer.
  const watch = setInterval(
    () => {
      if (performance.now() - renewedAt < leaseMs) return;
      for (const holding of holdings.list()) holdings.stop(holding, 'lease_lost');
    },
    Math.max(50, leaseMs / 10),
  );
  const unlisten = deps.database.listen('gantry_cancel', loop.wake);
  return {
    stop: async () => {
      clearInterval(watch);
      unlisten();
      await loop.stop();
      await own.close();
    },
  };
}

async function lookForCancels(database: Database, holdings: Holdings): Promise<void> {
  const held = holdings.list().filter((holding) => holding.reason() === null);
  const canceling = await listCanceling(database.kysely, [...new Set(held.map((holding) => holding.lease.jobId))]);
  for (const holding of held) if (canceling.has(holding.lease.jobId)) holdings.stop(holding, 'canceled');
}

function isRun(holding: Holding): boolean {
  return holding.lease.chunk === null;
}

function leaseOf(holding: Holding): Holding['lease'] {
  return holding.lease;
}
