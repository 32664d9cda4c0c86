// Takes messages from the work queue and hands each to the runner. What BullMQ thinks of a message's end means nothing:
// the ledger decides, so errors of the handler are logged and the message is done with.
import { WaitingError, Worker, type Job } from 'bullmq';
import { pause, waitAtMost } from '../lib/abort';
import type { Logger } from '../lib/logger';
import { untilReady, type Backend } from './backend';
import { WORK_QUEUE, type WorkData, type WorkMessage } from './message';
import { startSkewGuard } from './skewGuard';
import { createTrouble } from './trouble';

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
  /** Seconds that an idle worker waits at most before it looks by itself: our tick against a wake-up that was missed. */
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
  const inHand = new Set<Promise<void>>();
  let isHeld = false;
  let isSkewed = false;
  let closing: Promise<void> | null = null;
  const mayFetch = (): boolean => !isHeld && !isSkewed && !closing;

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
  const processor = async (
    job: Job<WorkData>,
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    if (!mayFetch()) await putBack(job, token);
    const running = work(job, signal ?? new AbortController().signal);
    inHand.add(running);
    await running.finally(() => inHand.delete(running));
  };
  const trouble = createTrouble(logger, 'the queue worker has trouble; it goes on when the store answers');
  const worker = await untilReady(() => {
    const built = new Worker<WorkData, void>(
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
    return built.on('error', trouble);
  });
  // A lost lock only means that another worker may be handed the same message; the ledger's lease and epoch decide who writes.
  worker.on('lockRenewalFailed', (ids: string[]) =>
    ids.forEach((id) => worker.cancelJob(id, 'the lock of the message was lost')),
  );

  let isStarted = false;
  const keepRunning = async (): Promise<void> => {
    isStarted = true;
    while (!closing) {
      try {
        return await worker.run();
      } catch (error) {
        logger.error({ error: (error as Error).message }, 'the queue worker stopped; it is started again');
        await pause(WORKER_SETTINGS.runRetryDelay);
      }
    }
  };
  const apply = (): void => {
    if (!mayFetch()) void worker.pause(true);
    else if (isStarted || worker.isPaused()) {
      isStarted = true;
      void worker.resume();
    } else void keepRunning();
  };
  const guard =
    backend.type === 'postgres'
      ? startSkewGuard({
          ...deps,
          onSkewed: () => {
            isSkewed = true;
            if (isStarted) apply();
          },
          onHealed: () => {
            isSkewed = false;
            apply();
          },
        })
      : null;
  await guard?.compared;
  if (!isSkewed && !isStarted) apply();

  const drained = async (): Promise<void> => {
    while (inHand.size > 0) await Promise.all(inHand);
  };
  const close = async (graceMs: number): Promise<void> => {
    const stopped = Promise.all([guard?.stop(), worker.pause(true)]).catch(() => undefined);
    await waitAtMost(drained(), graceMs);
    worker.cancelAllJobs('this worker is stopping');
    await waitAtMost(drained(), ABORT_MS);
    await waitAtMost(stopped, ABORT_MS);
    // close(true) does not wait for what is deaf to the signal; its message is found stalled and its lease runs out.
    await waitAtMost(worker.close(inHand.size > 0), ABORT_MS);
  };
  return {
    running: () => inHand.size,
    pause: () => {
      isHeld = true;
      return worker.pause(true);
    },
    resume: () => {
      isHeld = false;
      apply();
    },
    close: (graceMs) => (closing ??= close(graceMs)),
  };
}

/** BullMQ's blocked wait ends with a claim even when the worker was paused meanwhile: such a message waits for somebody else. */
async function putBack(job: Job<WorkData>, token: string | undefined): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}
