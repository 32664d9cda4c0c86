// The two stores a queue may stand on, behind one shape. Which one is used is said by REDIS_URL alone.
import { createPostgresBackend, runMigrations, type BackendFactory, type ConnectionOptions } from 'bullmq';
import IORedis from 'ioredis';
import { Client } from 'pg';
import { pause } from '../lib/abort';
import type { Logger } from '../lib/logger';
import { createRetryingPool } from './retryingPool';

export interface BackendOptions {
  redisUrl?: string;
  databaseUrl: string;
  prefix?: string;
  logger: Logger;
  retry?: boolean;
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

/** Waits until the store answers: BullMQ keeps the first refusal for ever when it is built too early (reliability 1.3). */
export async function openBackend(options: BackendOptions): Promise<Backend> {
  return options.redisUrl ? openRedis(options, options.redisUrl) : openPostgres(options);
}

async function openRedis(options: BackendOptions, url: string): Promise<Backend> {
  const watch = (connection: IORedis): IORedis =>
    connection.on('error', (error: Error) =>
      options.logger.debug({ error: error.message }, 'the Redis connection has trouble'),
    );
  const retryStrategy = (times: number): number => Math.min(1000, 50 * times);
  // Producers fail fast, so that a request never hangs on the queue; consumers wait for its return.
  const producer = watch(
    new IORedis(url, {
      maxRetriesPerRequest: 1,
      enableOfflineQueue: false,
      connectTimeout: 3000,
      commandTimeout: 5000,
      retryStrategy,
    }),
  );
  const consumer = watch(new IORedis(url, { maxRetriesPerRequest: null, connectTimeout: 3000, retryStrategy }));
  await untilAnswers(() => within(PING_MS, producer.ping()), options.logger);
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
  await untilAnswers(() => migrate(options.databaseUrl), options.logger);
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
    ping: () => ping(options.databaseUrl),
    close: () => pool.end(),
  };
}

/** BullMQ's own migrations, under its advisory lock. */
async function migrate(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: PING_MS });
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

async function untilAnswers(ask: () => Promise<unknown>, logger: Logger): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await ask();
      return;
    } catch (error) {
      if (attempt % 10 === 0)
        logger.warn({ error: (error as Error).message }, 'the queue store does not answer yet; trying again');
      await pause(500);
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
