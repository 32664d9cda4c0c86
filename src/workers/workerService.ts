// A worker process: it registers, holds leases, takes messages, and beside that runs the dispatcher, upkeep and notices,
// each of which is at work in one process at a time or may be at work in all. Started by app.ts; stopped gracefully.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Config } from '../config/config';
import type { Database } from '../db/database';
import { createLeadership } from '../db/leadership';
import { closeAttemptsOf } from '../db/queries/attempts';
import { handBackChunk } from '../db/queries/chunks';
import { releaseRun } from '../db/queries/claims';
import { insertWorker, markWorkerStopped, type WorkerFacts } from '../db/queries/workers';
import { withRetry } from '../db/retry';
import type { Waker } from '../db/wake';
import type { Catalog } from '../jobs/catalog';
import type { HandlerDeps } from '../jobs/define';
import { waitAtMost } from '../lib/abort';
import { messageOf } from '../lib/errors';
import { newId } from '../lib/ids';
import type { ApprovalLinks } from '../lib/approvalLink';
import type { Logger } from '../lib/logger';
import type { Queue } from '../queue/createQueue';
import { startBulkActions } from './bulkActions';
import { startDispatcher } from './dispatcher/startDispatcher';
import { createIsolates, type IsolateOptions } from './isolate/isolates';
import { startDigests } from './maintenance/digests';
import { startMaintenance } from './maintenance/startMaintenance';
import { endRun } from './runner/endRun';
import { handleMessage } from './runner/handleMessage';
import { startHeartbeat } from './runner/heartbeat';
import { createHoldings, type Holding } from './runner/holdings';
import { failureOf, HAND_BACK } from './runner/runJob';
import type { RunnerDeps } from './runner/runnerDeps';
import { startWatch } from './watchService';

export interface WorkerServiceDeps {
  database: Database;
  queue: Queue;
  catalog: Catalog;
  handlerDeps: HandlerDeps;
  approvalLinks: ApprovalLinks;
  config: Config;
  logger: Logger;
  waker: Waker;
  /** How processes of their own are started, for work that runs alone. */
  isolate: IsolateOptions;
  /** Tests only: how the worker's machine is called. */
  host?: string;
  /** Tests only: see HeartbeatDeps, and the first wait of a notice that was not delivered. */
  clockOffset?: string;
  noticeFirstDelayMs?: number;
}

export interface WorkerService {
  workerId: string;
  /** Stops fetching, waits the grace time, hands back what is left, and returns within SHUTDOWN_GRACE_MS and a little. */
  stop(): Promise<void>;
}

/** Of the grace time at shutdown: this is kept for handing back. */
const HAND_BACK_MS = 1500;
/** Leaders ask at least once a second. */
const MIN_LEADER_SILENCE_MS = 2000;
const { version: VERSION } = JSON.parse(readFileSync(path.join(__dirname, '..', '..', 'package.json'), 'utf8')) as {
  version: string;
};

export async function startWorkerService(deps: WorkerServiceDeps): Promise<WorkerService> {
  const { config, database, logger, queue, waker } = deps;
  const worker: WorkerFacts = {
    id: newId(),
    host: deps.host ?? hostname(),
    pid: process.pid,
    version: VERSION,
    slots: config.workerConcurrency,
  };
  const holdings = createHoldings();
  const { leaseMs, cancelGraceMs: graceMs } = config;
  const isolates = createIsolates(deps.isolate, { leaseMs, graceMs, logger });
  let draining = false;
  await withRetry(() => insertWorker(database.kysely, worker));
  const runner: RunnerDeps = {
    db: database.kysely,
    catalog: deps.catalog,
    handlerDeps: deps.handlerDeps,
    logger,
    waker,
    claimer: { workerId: worker.id, host: worker.host, leaseMs: config.leaseMs },
    holdings,
    isolates,
    cancelGraceMs: config.cancelGraceMs,
    retentionDays: config.retention.days,
    logLimitBytes: config.logLimitBytes,
    isTracing: config.tracesEndpoint !== undefined,
  };
  const heartbeat = startHeartbeat({
    database,
    holdings,
    worker,
    leaseMs: config.leaseMs,
    logger,
    isDraining: () => draining,
    clockOffset: deps.clockOffset,
  });
  const leadership = createLeadership(database.url, logger, Math.max(config.leaseMs, MIN_LEADER_SILENCE_MS));
  const consumer = await queue.consume({
    concurrency: config.workerConcurrency,
    handle: (message, signal) => handleMessage(runner, message, signal),
  });
  const dispatcher = startDispatcher({ ...runner, database, queue, leadership, leaseMs: config.leaseMs });
  const maintenance = await startMaintenance({
    deps: { ...runner, starvationMs: config.starvationMs },
    queue,
    leadership,
    retentionCron: config.retention.cron,
    retentionWindow: config.retention.window,
  });
  const watch = startWatch({
    ...{ database, waker, config, logger, approvalLinks: deps.approvalLinks, isWorker: true },
    noticeFirstDelayMs: deps.noticeFirstDelayMs,
  });
  const digests = await startDigests({ database, waker, logger, cron: config.digestCron });
  const bulkActions = startBulkActions({ database, catalog: deps.catalog, waker, config, logger });
  logger.info({ workerId: worker.id, slots: worker.slots, queue: queue.backend }, 'the worker is ready');

  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    draining = true;
    // Another process may lead while this one drains.
    const resigned = Promise.all([dispatcher.stop(), maintenance.stop()]).then(() => leadership.close());
    await consumer.close(Math.max(0, config.shutdownGraceMs - HAND_BACK_MS));
    await waitAtMost(handBackAll(runner), HAND_BACK_MS);
    await isolates.close();
    await Promise.all([resigned, watch.stop(), digests.stop(), bulkActions.stop(), heartbeat.stop()]);
    await closeAttemptsOf(database.kysely, worker.id).catch(() => undefined);
    await markWorkerStopped(database.kysely, worker.id).catch(() => undefined);
    waker.wake('gantry_work');
  };
  return { workerId: worker.id, stop: () => (stopping ??= stop()) };
}

/**
 * What did not end in the grace time is due again at once; the epoch rises, so that a deaf handler's writes change nothing.
 * A kind that may not be started twice ends as failed instead.
 */
async function handBackAll(deps: RunnerDeps): Promise<void> {
  const handBack = async (holding: Holding): Promise<void> => {
    const { lease } = holding;
    try {
      // Its rows may not be tried twice: when the lease has run out they fail.
      if (lease.chunk !== null && !holding.restartable) return;
      if (lease.chunk !== null)
        await handBackChunk(deps.db, lease, { delayMs: 0, countsAsAttempt: false, error: null });
      else if (holding.restartable) await releaseRun(deps.db, lease, HAND_BACK);
      else await endRun(deps, lease, failureOf(null, true));
    } catch (error) {
      deps.logger.warn(
        { ...lease, error: messageOf(error, 300) },
        'work could not be handed back; its lease will run out',
      );
    }
    holding.release();
  };
  await Promise.all(deps.holdings.list().map(handBack));
}
