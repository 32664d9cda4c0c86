// The queue seam on BullMQ's PostgreSQL backend: the contract, and the mends that only this backend needs.
import { randomUUID } from 'node:crypto';
import { createServer, connect, type Socket } from 'node:net';
import { Client } from 'pg';
import { createLogger } from '../../src/lib/logger';
import { createQueue, type Queue } from '../../src/queue/createQueue';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { until } from '../support/until';
import { queueContract } from './queueContract';

describe('the queue on PostgreSQL', () => queueContract({ name: 'postgres' }));

describe('the traps of BullMQ on PostgreSQL', () => {
  let database: TestDatabase;
  const logger = createLogger({ level: 'silent' });
  const open = (databaseUrl: string, more = {}): Promise<Queue> =>
    createQueue({ databaseUrl, logger, databaseNow: () => Promise.resolve(new Date()), ...more });

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  it('loses nothing and doubles nothing while sessions are terminated', async () => {
    const queue = await open(database.url);
    const got = new Map<string, number>();
    const consumer = await queue.consume({
      concurrency: 10,
      handle: async (each) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        got.set(each.jobId, (got.get(each.jobId) ?? 0) + 1);
      },
    });
    const chaos = new Client({ connectionString: database.url });
    await chaos.connect();
    const sent = Array.from({ length: 400 }, () => ({ jobId: randomUUID(), run: 1, send: 1 }));
    let kills = 0;
    for (let i = 0; i < sent.length; i += 20) {
      await queue.publish(sent.slice(i, i + 20));
      const killed = await chaos.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() order by random() limit 2',
      );
      kills += killed.rowCount ?? 0;
    }
    await chaos.end();
    await until(() => got.size === sent.length, 'all 400 messages');
    await until(async () => (await queue.inspect()).active === 0, 'all to be done with');
    expect(kills).toBeGreaterThan(10);
    expect((await queue.inspect()).failed).toBe(0);
    await consumer.close(1000);
    await queue.close();
  });

  it('waits for a database that is away at the start', async () => {
    const target = new URL(database.url);
    const proxy = await openProxy(Number(target.port));
    await proxy.refuse();
    const through = new URL(database.url);
    through.port = String(proxy.port);
    const opening = open(through.href);
    await proxy.accept();
    const queue = await opening;
    await expect(queue.ping()).resolves.toBeUndefined();
    await queue.close();
    await proxy.close();
  });

  it('fetches again after its connections went half-open', async () => {
    const proxy = await openProxy(Number(new URL(database.url).port));
    const through = new URL(database.url);
    through.port = String(proxy.port);
    const queue = await open(through.href);
    const direct = await open(database.url);
    let got = 0;
    const consumer = await queue.consume({ concurrency: 2, handle: () => Promise.resolve(void (got += 1)) });
    proxy.swallow();
    await direct.publish([{ jobId: randomUUID(), run: 1, send: 1 }]);
    await until(() => got === 1, 'the message behind the half-open link', 28_000);
    await consumer.close(100);
    await queue.close();
    await direct.close();
    await proxy.close();
  }, 45_000);

  it('fetches nothing while the clocks differ, and goes on when they agree', async () => {
    let offsetMs = 120_000;
    const queue = await open(database.url, { now: () => Date.now() + offsetMs });
    let got = 0;
    const consumer = await queue.consume({ concurrency: 2, handle: () => Promise.resolve(void (got += 1)) });
    await queue.publish([{ jobId: randomUUID(), run: 1, send: 1 }]);
    await until(async () => (await queue.inspect()).waiting === 1, 'the message to wait');
    expect(got).toBe(0);
    offsetMs = 0;
    await until(() => got === 1, 'the message after the clocks agreed');
    await consumer.close(1000);
    await queue.close();
  });
});

interface Proxy {
  port: number;
  refuse(): Promise<void>;
  accept(): Promise<void>;
  /** From now on bytes of the links that stand are lost without a word; new links work. */
  swallow(): void;
  close(): Promise<void>;
}

async function openProxy(targetPort: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    client.pipe(upstream).pipe(client);
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as { port: number };
  return {
    port,
    refuse: () => new Promise((resolve) => server.close(() => resolve())),
    accept: () => listen(port),
    swallow: () => sockets.forEach((socket) => socket.unpipe().on('data', () => undefined)),
    close: () => {
      sockets.forEach((socket) => socket.destroy());
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
