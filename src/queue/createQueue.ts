// The seam to BullMQ: publish, consume, schedule, inspect. Nobody outside this room knows which queue or store it is.
import { Queue as BullQueue, Worker, type Job } from 'bullmq';
import { waitAtMost } from '../lib/abort';
import type { Logger } from '../lib/logger';
import { openBackend, untilReady } from './backend';
import { startConsumer, WORKER_SETTINGS, type ConsumeOptions, type Consumer } from './consume';
import { messageId, WAKE_QUEUE, WORK_QUEUE, type WorkMessage } from './message';
import { createTrouble } from './trouble';

export interface QueueOptions {
  redisUrl?: string;
  databaseUrl: string;
  /** Key prefix on Redis; tests give each file its own. */
  prefix?: string;
  logger: Logger;
  databaseNow(): Promise<Date>;
  /** Ends the waiting for a store that is away at the start. */
  signal?: AbortSignal;
  /** Tests only: another clock, and the retrying of statements left out. */
  now?: () => number;
  retry?: boolean;
}

export interface Queue {
  backend: 'redis' | 'postgres';
  /** Sent twice, a message is delivered once; lost, the dispatcher sends it again with the next `send`. */
  publish(messages: WorkMessage[]): Promise<void>;
  consume(options: ConsumeOptions): Promise<Consumer>;
  /** Wakes `name` by the cron; setting it again replaces it. Times are UTC. */
  scheduleWakeUp(name: string, cron: string): Promise<void>;
  onWakeUp(handler: (name: string) => Promise<void>): Promise<{ close(): Promise<void> }>;
  inspect(): Promise<{ waiting: number; active: number; delayed: number; failed: number }>;
  /** BullMQ's own objects, for the read-only board. */
  boardQueues(): BullQueue[];
  /** @throws within 3 s when the store is away. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** What does not end in this time is left: a duty in hand to the next process, a connection to the end of this one. */
const CLOSE_MS = 5000;
const JOB_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true };

export async function createQueue(options: QueueOptions): Promise<Queue> {
  const { logger } = options;
  const backend = await openBackend(options);
  const trouble = createTrouble(logger, 'the queue has trouble; it goes on when the store answers');
  const open = (name: string): Promise<BullQueue> =>
    untilReady(() =>
      new BullQueue(
        name,
        { connection: backend.producer, prefix: backend.prefix, defaultJobOptions: JOB_OPTIONS },
        backend.factory as never,
      ).on('error', trouble),
    );
  const [work, wake] = await Promise.all([open(WORK_QUEUE), open(WAKE_QUEUE)]);

  // Whoever forgets to close a consumer must not keep the store's connections, and with them the process, alive.
  const inUse = new Set<() => Promise<void>>();
  let isClosed = false;

  return {
    backend: backend.type,
    publish: async (messages) => {
      // BullMQ would neither send nor refuse.
      if (isClosed) throw new Error('the queue is closed: nothing was sent');
      if (messages.length === 0) return;
      await work.addBulk(
        messages.map((message) => ({
          name: 'work',
          data: message,
          opts: { ...JOB_OPTIONS, jobId: messageId(message) },
        })),
      );
    },
    consume: async (consumeOptions) => {
      const consumer = await startConsumer(backend, consumeOptions, options);
      inUse.add(() => consumer.close(0));
      return consumer;
    },
    scheduleWakeUp: async (name, cron) => {
      await wake.upsertJobScheduler(name, { pattern: cron, tz: 'UTC' }, { name, opts: JOB_OPTIONS });
    },
    onWakeUp: async (handler) => {
      const ring = (job: Job): Promise<void> =>
        handler(job.name).catch((error: Error) =>
          logger.error(
            { duty: job.name, error: error.message },
            'a recurring duty ended with an error; its next time stays',
          ),
        );
      // No guard against a clock that is off: a wake-up is only a hint, the schedule's row in the ledger decides.
      const worker = await untilReady(() =>
        new Worker(
          WAKE_QUEUE,
          ring,
          { ...WORKER_SETTINGS, connection: backend.consumer, prefix: backend.prefix },
          backend.factory as never,
        ).on('error', trouble),
      );
      const close = (): Promise<void> => waitAtMost(worker.close(), CLOSE_MS);
      inUse.add(close);
      return { close };
    },
    inspect: async () => {
      const counts = await work.getJobCounts('waiting', 'active', 'delayed', 'failed');
      return {
        waiting: counts['waiting'] ?? 0,
        active: counts['active'] ?? 0,
        delayed: counts['delayed'] ?? 0,
        failed: counts['failed'] ?? 0,
      };
    },
    boardQueues: () => [work, wake],
    ping: () => backend.ping(),
    close: async () => {
      isClosed = true;
      await Promise.allSettled([...inUse].map((end) => end()));
      await waitAtMost(Promise.allSettled([work.close(), wake.close()]), CLOSE_MS);
      await waitAtMost(backend.close(), CLOSE_MS);
    },
  };
}
