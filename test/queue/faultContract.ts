// What the queue seam still promises when its store, its links or its workers fail. Said once, run on both backends.
import { randomUUID } from 'node:crypto';
import IORedis from 'ioredis';
import { Client } from 'pg';
import pino from 'pino';
import { createQueue, type Queue, type QueueOptions } from '../../src/queue/createQueue';
import { messageId, type WorkMessage } from '../../src/queue/message';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { openTcpProxy, through, type TcpProxy } from '../support/tcpProxy';
import { until } from '../support/until';
import type { ContractBackend } from './queueContract';

/** Reaches behind the seam, to do what only a fault does. */
interface Intruder {
  takeLock(message: WorkMessage): Promise<void>;
  setStalls(message: WorkMessage, count: number): Promise<void>;
  close(): Promise<void>;
}

export function faultContract(backend: ContractBackend): void {
  let database: TestDatabase;
  let prefix: string;
  let proxy: TcpProxy;
  let intruder: Intruder;
  let logged: string[];
  let opened: Queue[];
  const message = (): WorkMessage => ({ jobId: randomUUID(), run: 1, send: 1 });

  const open = async (link: 'direct' | 'proxied', more: Partial<QueueOptions> = {}): Promise<Queue> => {
    const at = (url: string): string => (link === 'proxied' ? through(url, proxy) : url);
    const queue = await createQueue({
      redisUrl: backend.redisUrl && at(backend.redisUrl),
      databaseUrl: backend.redisUrl ? database.url : at(database.url),
      prefix,
      logger: pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) }),
      databaseNow: () => Promise.resolve(new Date()),
      ...more,
    });
    opened.push(queue);
    return queue;
  };

  beforeEach(async () => {
    database = await createTestDatabase();
    prefix = `t${randomUUID().slice(0, 8)}`;
    logged = [];
    opened = [];
    proxy = await openTcpProxy(Number(new URL(backend.redisUrl ?? database.url).port));
    intruder = backend.redisUrl ? redisIntruder(backend.redisUrl, prefix) : await postgresIntruder(database.url);
  });
  afterEach(async () => {
    await Promise.all(opened.map((queue) => queue.close()));
    await intruder.close();
    await proxy.close();
    await database.drop();
  });

  it('waits for a store that is away at the start, and says so', async () => {
    await proxy.refuse();
    const opening = open('proxied');
    await until(() => logged.some((line) => line.includes('does not answer yet')), 'the warning');
    await proxy.accept();
    const queue = await opening;
    await expect(queue.ping()).resolves.toBeUndefined();
  });

  it('gives up waiting for the store when it is told to stop', async () => {
    await proxy.refuse();
    const stopping = new AbortController();
    const opening = open('proxied', { signal: stopping.signal });
    await until(() => logged.length > 0, 'the first try');
    stopping.abort(new Error('stopped by the operator'));
    await expect(opening).rejects.toThrow('stopped by the operator');
  });

  it('consumes though the store was away for a moment when the consumer was made', async () => {
    const queue = await open('proxied');
    const direct = await open('direct');
    await proxy.refuse();
    const got: string[] = [];
    const consuming = queue.consume({ concurrency: 1, handle: (each) => Promise.resolve(void got.push(each.jobId)) });
    await until(() => logged.length > 0, 'the trouble to be seen');
    await proxy.accept();
    const consumer = await consuming;
    const sent = message();
    await direct.publish([sent]);
    await until(() => got.includes(sent.jobId), 'the message');
    await consumer.close(1000);
  });

  it('goes on after the store was away while a message was in hand', async () => {
    const queue = await open('proxied');
    const direct = await open('direct');
    const got: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const consumer = await queue.consume({
      concurrency: 1,
      handle: async (each) => {
        got.push(each.jobId);
        if (got.length === 1) await held;
      },
    });
    const [first, second] = [message(), message()];
    await direct.publish([first]);
    await until(() => got.length === 1, 'the first message');
    await proxy.refuse();
    release();
    await until(() => consumer.running() === 0, 'the handler to end');
    await proxy.accept();
    await direct.publish([second]);
    await until(() => got.length === 2, 'the second message');
    await until(async () => (await direct.inspect()).active === 0, 'both to be done with');
    expect(got).toEqual([first.jobId, second.jobId]);
    await consumer.close(1000);
  });

  it('answers a ping with an error within 3 s when the store is gone, and when it is silent', async () => {
    const queue = await open('proxied');
    proxy.swallow('also new links');
    const begun = performance.now();
    await expect(queue.ping()).rejects.toThrow();
    expect(performance.now() - begun).toBeLessThan(3500);
    await proxy.refuse();
    await expect(queue.ping()).rejects.toThrow();
    expect(performance.now() - begun).toBeLessThan(7000);
  });

  it('fetches again within 30 s after its links went half-open', async () => {
    const queue = await open('proxied');
    const direct = await open('direct');
    const got: string[] = [];
    const consumer = await queue.consume({
      concurrency: 2,
      handle: (each) => Promise.resolve(void got.push(each.jobId)),
    });
    const [first, second] = [message(), message()];
    await queue.publish([first]);
    await until(() => got.includes(first.jobId), 'the message before');
    proxy.swallow();
    await direct.publish([second]);
    await until(() => got.includes(second.jobId), 'the message behind the half-open links', 30_000);
    await consumer.close(100);
  }, 45_000);

  it('aborts the handler whose message another worker may get, because its lock is lost', async () => {
    const queue = await open('direct');
    let reason: unknown = null;
    const consumer = await queue.consume({
      concurrency: 1,
      handle: (_each, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(void (reason = signal.reason)));
        }),
    });
    const sent = message();
    await queue.publish([sent]);
    await until(() => consumer.running() === 1, 'the handler to start');
    await intruder.takeLock(sent);
    await until(() => reason !== null, 'the abort');
    expect(String(reason)).toContain('lock of the message was lost');
    await consumer.close(1000);
  });

  it('hands the message of a dead worker to another within 25 s, however often that happened before', async () => {
    const dying = await open('direct');
    const other = await open('direct');
    const sent = message();
    const dead = await dying.consume({ concurrency: 1, handle: () => new Promise(() => undefined) });
    await dying.publish([sent]);
    await until(() => dead.running() === 1, 'the message to be in hand');
    await intruder.setStalls(sent, 20);
    const got: string[] = [];
    const consumer = await other.consume({
      concurrency: 1,
      handle: (each) => Promise.resolve(void got.push(each.jobId)),
    });
    await dead.close(0);
    await until(() => got.length === 1, 'the takeover', 25_000);
    expect(got).toEqual([sent.jobId]);
    await until(async () => (await other.inspect()).active === 0, 'it to be done with');
    await consumer.close(1000);
  }, 45_000);
}

function redisIntruder(url: string, prefix: string): Intruder {
  const redis = new IORedis(url);
  const key = (message: WorkMessage): string => `${prefix}:gantry-work:${messageId(message)}`;
  return {
    takeLock: async (message) => {
      expect(await redis.set(`${key(message)}:lock`, 'somebody else')).toBe('OK');
    },
    setStalls: async (message, count) => {
      expect(await redis.exists(key(message))).toBe(1);
      await redis.hset(key(message), 'stc', count);
    },
    close: () => Promise.resolve(redis.disconnect()),
  };
}

async function postgresIntruder(url: string): Promise<Intruder> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const change = async (assignment: string, message: WorkMessage): Promise<void> => {
    const result = await client.query(`update bullmq.job set ${assignment} where id = $1`, [messageId(message)]);
    expect(result.rowCount).toBe(1);
  };
  return {
    takeLock: (message) => change(`lock_token = 'somebody else'`, message),
    setStalls: (message, count) => change(`stalled_count = ${count}`, message),
    close: () => client.end(),
  };
}
