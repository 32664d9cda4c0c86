// The queue seam on BullMQ's PostgreSQL backend: the contract, and the mends that only this backend needs.
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { createLogger } from '../../src/lib/logger';
import { createQueue, type Queue } from '../../src/queue/createQueue';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { until } from '../support/until';
import { faultContract } from './faultContract';
import { queueContract } from './queueContract';

describe('the queue on PostgreSQL', () => queueContract({ name: 'postgres' }));

describe('the queue on PostgreSQL when something fails', () => faultContract({ name: 'postgres' }));

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
    // A claim whose answer was lost is found stalled: that takes up to 20 s.
    await until(() => got.size === sent.length, 'all 400 messages', 35_000);
    await until(async () => (await queue.inspect()).active === 0, 'all to be done with', 35_000);
    expect(kills).toBeGreaterThan(10);
    expect([...got.values()].filter((times) => times !== 1)).toEqual([]);
    await consumer.close(1000);
    await queue.close();
  }, 80_000);

  it('looks by itself every few seconds, should a wake-up be missed', async () => {
    const queue = await open(database.url);
    const intruder = new Client({ connectionString: database.url });
    await intruder.connect();
    await queue.publish([{ jobId: randomUUID(), run: 1, send: 1 }]);
    await intruder.query(`update bullmq.job set queue = 'aside'`);
    let got = 0;
    const consumer = await queue.consume({ concurrency: 1, handle: () => Promise.resolve(void (got += 1)) });
    await until(async () => {
      const listening = await intruder.query(
        `select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and query like '%LISTEN bullmq_jobs%'`,
      );
      return listening.rowCount === 1;
    }, 'the worker to wait');
    await intruder.query(`update bullmq.job set queue = 'gantry-work'`);
    await until(() => got === 1, 'the message nobody was woken for', 8000);
    await intruder.end();
    await consumer.close(1000);
    await queue.close();
  });

  it('refuses to start, rather than wait, when its database does not exist', async () => {
    const wrong = new URL(database.url);
    wrong.pathname = '/no_such_database';
    await expect(open(wrong.href)).rejects.toThrow('does not exist');
  });

  it('fetches nothing while the clocks differ, and goes on when they agree', async () => {
    let offsetMs = 120_000;
    const intruder = new Client({ connectionString: database.url });
    await intruder.connect();
    const databaseNow = async (): Promise<Date> =>
      (await intruder.query<{ now: Date }>('select clock_timestamp() as now')).rows[0]?.now ?? new Date(0);
    const queue = await open(database.url, { now: () => Date.now() + offsetMs, databaseNow });
    let got = 0;
    const consumer = await queue.consume({ concurrency: 2, handle: () => Promise.resolve(void (got += 1)) });
    await queue.publish([{ jobId: randomUUID(), run: 1, send: 1 }]);
    await until(async () => (await queue.inspect()).waiting === 1, 'the message to wait');
    expect(got).toBe(0);
    // Not even a look for stalled work: by a clock that is a day ahead, one look switches that off for a day.
    const looked = `select value from bullmq.meta where queue = 'gantry-work' and field = 'stalled-check'`;
    expect((await intruder.query(looked)).rowCount).toBe(0);
    offsetMs = 0;
    await until(() => got === 1, 'the message after the clocks agreed');
    expect((await intruder.query(looked)).rowCount).toBe(1);
    await consumer.close(1000);
    await queue.close();
    await intruder.end();
  });
});
