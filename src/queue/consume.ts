// Takes messages from the work queue and hands each to the runner. What BullMQ thinks of a message's end means nothing:
// the ledger decides, so errors of the handler are logged and the message is done with.
import { Worker, type Job } from 'bullmq';
import { waitAtMost } from '../lib/abort';
import type { Logger } from '../lib/logger';
import type { Backend } from './backend';
import { WORK_QUEUE, type WorkData, type WorkMessage } from './message';
import { startSkewGuard } from './skewGuard';

export interface ConsumeOptions {
  concurrency: number;
  handle(message: WorkMessage, signal: AbortSignal): Promise<void>;
  onError?(error: Error): void;
}

export interface Consumer {
  /** Messages in hand. */
  running(): number;
  pause(): Promise<void>;
  resume(): void;
  /** Stops fetching at once, waits `graceMs` for work in hand, then aborts it, waits a second and returns. */
  close(graceMs: number): Promise<void>;
}

/** Settings of reliability 8: crash recovery under 25 s, stalls never fail a message, an outage costs a second at most. */
export const WORKER_SETTINGS = {
  lockDuration: 10_000,
  stalledInterval: 5000,
  maxStalledCount: 1000,
  runRetryDelay: 1000,
  drainDelay: 5,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
} as const;

const ABORT_MS = 1000;

export async function startConsumer(
  backend: Backend,
  options: ConsumeOptions,
  deps: { logger: Logger; databaseNow(): Promise<Date>; now?: () => number },
): Promise<Consumer> {
  const { logger } = deps;
  const inHand = new Map<string, Promise<void>>();

  const work = async (job: Job<WorkData>, signal: AbortSignal): Promise<void> => {
    const { jobId, run, chunk, send } = job.data;
    try {
      await options.handle({ jobId, run, chunk, send }, signal);
    } catch (error) {
      logger.error(
        { jobId, run, chunk, error: (error as Error).message },
        'a message ended with an error; the ledger will send its work again',
      );
      options.onError?.(error as Error);
    }
  };
  // BullMQ makes an abort signal only for processors that declare three parameters.
  const processor = (
    job: Job<WorkData>,
    _token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const id = job.id ?? '';
    const running = work(job, signal ?? new AbortController().signal).finally(() => inHand.delete(id));
    inHand.set(id, running);
    return running;
  };
  const worker = new Worker<WorkData, void>(
    WORK_QUEUE,
    processor,
    {
      ...WORKER_SETTINGS,
      connection: backend.consumer,
      prefix: backend.prefix,
      concurrency: options.concurrency,
      autorun: false,
    },
    backend.factory as never,
  );
  worker.on('error', (error) => logger.debug({ error: error.message }, 'the queue worker has trouble'));
  // A lost lock only means that another worker may be handed the same message; the ledger's lease and epoch decide who writes.
  worker.on('lockRenewalFailed', (ids: string[]) =>
    ids.forEach((id) => worker.cancelJob(id, 'the lock of the message was lost')),
  );
  await worker.waitUntilReady();

  let held = false;
  const guard =
    backend.type === 'postgres'
      ? startSkewGuard({
          ...deps,
          onSkewed: () => void worker.pause(true),
          onHealed: () => {
            if (!held) void worker.resume();
          },
        })
      : null;
  worker.run().catch((error: Error) => logger.error({ error: error.message }, 'the queue worker stopped'));

  let closing: Promise<void> | null = null;
  const close = async (graceMs: number): Promise<void> => {
    await guard?.stop();
    const stopped = worker.pause(true).catch(() => undefined);
    await waitAtMost(Promise.all(inHand.values()), graceMs);
    worker.cancelAllJobs('this worker is stopping');
    await waitAtMost(Promise.all(inHand.values()), ABORT_MS);
    await waitAtMost(stopped, ABORT_MS);
    // close(true) does not wait for what is deaf to the signal; its message is found stalled and its lease runs out.
    await waitAtMost(worker.close(inHand.size > 0), ABORT_MS);
  };
  return {
    running: () => inHand.size,
    pause: async () => {
      held = true;
      await worker.pause(true);
    },
    resume: () => {
      held = false;
      void worker.resume();
    },
    close: (graceMs) => (closing ??= close(graceMs)),
  };
}
