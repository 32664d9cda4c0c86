// The two stores a queue may stand on, behind one shape. Which one is used is said by REDIS_URL alone.
import { createPostgresBackend, runMigrations, type BackendFactory, type ConnectionOptions } from 'bullmq';
import IORedis from 'ioredis';
import { Client } from 'pg';
import { pause, waitAtMost } from '../lib/abort';
import type { Logger } from '../lib/logger';
import { createRetryingPool } from './retryingPool';
import { isHopeless, isTransient } from './transient';
import { createTrouble } from './trouble';

export interface BackendOptions {
  redisUrl?: string;
  databaseUrl: string;
  prefix?: string;
  logger: Logger;
  retry?: boolean;
  /** Ends the waiting for a store that is away. */
  signal?: AbortSignal;
}

export interface Backend {
  type: 'redis' | 'postgres';
  /** First and last arguments of BullMQ's constructors. */
  producer: ConnectionOptions;
  consumer: ConnectionOptions;
  factory: BackendFactory | undefined;
  prefix: string | undefined;
  ping(): Promise<void>;
  close(): Promise<void>;
}

const SCHEMA = 'bullmq';
/** Connections of one process: statements, and one LISTEN for each of the two workers. */
const POOL_SIZE = 6;
const PING_MS = 3000;
/** How long a store that answered a moment ago may be away before a start fails. */
const READY_MS = 60_000;
/** BullMQ's migrations may wait for those of another process. */
const MIGRATE_MS = 30_000;
/** A half-open link is given up after this silence. Consumers block for 10 s at most, so theirs must be longer. */
const PRODUCER_SILENCE_MS = 5000;
const CONSUMER_SILENCE_MS = 12_000;

/** Waits until the store answers: BullMQ keeps the first refusal for ever when it is built too early (reliability 1.3). */
export async function openBackend(options: BackendOptions): Promise<Backend> {
  return options.redisUrl ? openRedis(options, options.redisUrl) : openPostgres(options);
}

async function openRedis(options: BackendOptions, url: string): Promise<Backend> {
  const trouble = createTrouble(options.logger, 'the Redis connection has trouble; it is opened again');
  const watch = (connection: IORedis): IORedis => connection.on('error', trouble);
  const retryStrategy = (times: number): number => Math.min(1000, 50 * times);
  // Producers fail fast, so that a request never hangs on the queue; consumers wait for its return.
  const producer = watch(
    new IORedis(url, {
      maxRetriesPerRequest: 1,
      enableOfflineQueue: false,
      connectTimeout: 3000,
      commandTimeout: PRODUCER_SILENCE_MS,
      socketTimeout: PRODUCER_SILENCE_MS,
      retryStrategy,
    }),
  );
  const consumer = watch(
    new IORedis(url, {
      maxRetriesPerRequest: null,
      connectTimeout: 3000,
      socketTimeout: CONSUMER_SILENCE_MS,
      retryStrategy,
    }),
  );
  try {
    let refusal: Error | null = null;
    producer.on('error', (error: Error) => (refusal = isHopeless(error) ? error : null));
    // A refused password shows as an event only; what the command hears is that there is no link.
    const ask = (): Promise<unknown> =>
      within(PING_MS, producer.ping()).catch((error: Error) => Promise.reject(refusal ?? error));
    await untilAnswers(ask, options);
  } catch (error) {
    producer.disconnect();
    consumer.disconnect();
    throw error;
  }
  return {
    type: 'redis',
    producer: producer as unknown as ConnectionOptions,
    consumer: consumer as unknown as ConnectionOptions,
    factory: undefined,
    prefix: options.prefix ?? 'gantry',
    ping: async () => void (await within(PING_MS, producer.ping())),
    close: () => {
      producer.disconnect();
      consumer.disconnect();
      return Promise.resolve();
    },
  };
}

async function openPostgres(options: BackendOptions): Promise<Backend> {
  await untilAnswers(() => migrate(options.databaseUrl), options);
  const pool = createRetryingPool({
    databaseUrl: options.databaseUrl,
    schema: SCHEMA,
    max: POOL_SIZE,
    logger: options.logger,
    retry: options.retry,
  });
  const connection = pool as unknown as ConnectionOptions;
  return {
    type: 'postgres',
    producer: connection,
    consumer: connection,
    factory: createPostgresBackend as unknown as BackendFactory,
    prefix: undefined,
    ping: () => within(PING_MS, ping(options.databaseUrl)),
    close: () => pool.end(),
  };
}

/** BullMQ's own migrations, under its advisory lock. */
async function migrate(databaseUrl: string): Promise<void> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: PING_MS,
    query_timeout: MIGRATE_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await runMigrations(client, SCHEMA);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ping(databaseUrl: string): Promise<void> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: PING_MS,
    query_timeout: PING_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function untilAnswers(ask: () => Promise<unknown>, options: BackendOptions): Promise<void> {
  const { logger, signal } = options;
  for (let attempt = 0; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      await ask();
      return;
    } catch (error) {
      if (isHopeless(error)) throw error;
      if (attempt % 10 === 0)
        logger.warn({ error: (error as Error).message }, 'the queue store does not answer yet; trying again');
      await pause(500, signal);
    }
  }
}

/**
 * Builds an object of BullMQ and waits until it is ready. One that meets a passing fault at that moment keeps the refusal for
 * ever and stays silent, so it is thrown away and built anew.
 */
export async function untilReady<T extends { waitUntilReady(): Promise<unknown>; close(): Promise<void> }>(
  build: () => T,
): Promise<T> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const built = build();
    try {
      await built.waitUntilReady();
      return built;
    } catch (error) {
      await waitAtMost(
        built.close().catch(() => undefined),
        1000,
      );
      if (!isTransient(error) || performance.now() > deadline) throw error;
      await pause(200);
    }
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
