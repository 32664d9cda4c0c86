// What the queue seam promises, said once and run on both backends.
import { randomUUID } from 'node:crypto';
import { createLogger } from '../../src/lib/logger';
import { createQueue, type Queue, type QueueOptions } from '../../src/queue/createQueue';
import type { WorkMessage } from '../../src/queue/message';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { until } from '../support/until';

export interface ContractBackend {
  name: 'postgres' | 'redis';
  redisUrl?: string;
}

export function queueContract(backend: ContractBackend): void {
  let database: TestDatabase;
  let queue: Queue;
  const logger = createLogger({ level: 'silent' });
  const options = (more: Partial<QueueOptions> = {}): QueueOptions => ({
    redisUrl: backend.redisUrl,
    databaseUrl: database.url,
    prefix: `t${randomUUID().slice(0, 8)}`,
    logger,
    databaseNow: () => Promise.resolve(new Date()),
    ...more,
  });
  const message = (send = 1, chunk?: number): WorkMessage => ({ jobId: randomUUID(), run: 1, chunk, send });

  beforeEach(async () => {
    database = await createTestDatabase();
    queue = await createQueue(options());
  });
  afterEach(async () => {
    await queue.close();
    await database.drop();
  });

  it(`stands on ${backend.name} and answers a ping`, async () => {
    expect(queue.backend).toBe(backend.name);
    await expect(queue.ping()).resolves.toBeUndefined();
  });

  it('delivers each message once, with job, run, chunk and send', async () => {
    const sent = [message(), message(3, 7), ...Array.from({ length: 98 }, () => message())];
    const got: WorkMessage[] = [];
    const consumer = await queue.consume({ concurrency: 10, handle: (each) => Promise.resolve(void got.push(each)) });
    await queue.publish(sent);
    await until(() => got.length >= 100, 'all 100 messages');
    expect(got.map((each) => each.jobId).sort()).toEqual(sent.map((each) => each.jobId).sort());
    expect(got.find((each) => each.jobId === sent[1]?.jobId)).toMatchObject({ run: 1, chunk: 7, send: 3 });
    await consumer.close(1000);
  });

  it('ignores the same send while it waits, and delivers a bumped send while the first is in hand', async () => {
    const got: number[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const first = message(1);
    await queue.publish([first]);
    await queue.publish([first]);
    const consumer = await queue.consume({
      concurrency: 4,
      handle: async (each) => {
        got.push(each.send);
        if (each.send === 1) await held;
      },
    });
    await until(() => got.length === 1, 'the first send');
    await queue.publish([first, { ...first, send: 2 }]);
    await until(() => got.length === 2, 'the second send');
    release();
    await until(() => consumer.running() === 0, 'both to end');
    expect(got).toEqual([1, 2]);
    await consumer.close(1000);
  });

  it('goes on after a handler that throws, and keeps nothing as failed', async () => {
    const errors: string[] = [];
    let good = 0;
    const consumer = await queue.consume({
      concurrency: 2,
      handle: (each) => (each.run === 2 ? Promise.reject(new Error('broken')) : Promise.resolve(void (good += 1))),
      onError: (error) => errors.push(error.message),
    });
    await queue.publish([{ ...message(), run: 2 }, message()]);
    await until(() => good === 1 && errors.length === 1, 'both messages');
    await until(async () => (await queue.inspect()).active === 0, 'the queue to be empty');
    expect(await queue.inspect()).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 });
    await consumer.close(1000);
  });

  it('stops fetching when paused and goes on when resumed', async () => {
    let got = 0;
    const consumer = await queue.consume({ concurrency: 2, handle: () => Promise.resolve(void (got += 1)) });
    await consumer.pause();
    await queue.publish([message()]);
    await until(async () => (await queue.inspect()).waiting === 1, 'the message to wait');
    expect(got).toBe(0);
    consumer.resume();
    await until(() => got === 1, 'the message after the resume');
    await consumer.close(1000);
  });

  it('leaves every message to others while it is paused, also one that its wait was woken for', async () => {
    const sent = Array.from({ length: 20 }, () => message());
    const got = { held: 0, other: new Set<string>() };
    const held = await queue.consume({ concurrency: 2, handle: () => Promise.resolve(void (got.held += 1)) });
    await held.pause();
    const other = await queue.consume({
      concurrency: 2,
      handle: (each) => Promise.resolve(void got.other.add(each.jobId)),
    });
    for (const each of sent) await queue.publish([each]);
    await until(() => got.held + got.other.size >= 20, 'all 20 messages');
    expect(got).toEqual({ held: 0, other: new Set(sent.map((each) => each.jobId)) });
    await Promise.all([held.close(1000), other.close(1000)]);
  });

  it('lets work in hand end within the grace, unharmed, and starts nothing meanwhile', async () => {
    const started: string[] = [];
    let release: () => void = () => undefined;
    const finish = new Promise<void>((resolve) => (release = resolve));
    let aborted = false;
    const consumer = await queue.consume({
      concurrency: 2,
      handle: async (each, signal) => {
        signal.addEventListener('abort', () => (aborted = true));
        started.push(each.jobId);
        await finish;
      },
    });
    const [first, late] = [message(), message()];
    await queue.publish([first]);
    await until(() => started.length === 1, 'the first message');
    const closing = consumer.close(20_000);
    await queue.publish([late]);
    const other = await queue.consume({ concurrency: 1, handle: () => Promise.resolve(void started.push('other')) });
    await until(() => started.length === 2, 'the late message to be taken');
    expect(started).toEqual([first.jobId, 'other']);
    release();
    await closing;
    expect(aborted).toBe(false);
    await until(async () => (await queue.inspect()).active === 0, 'both to be done with');
    await other.close(1000);
  });

  it('gives work in hand the grace, then aborts it and returns though it is deaf', async () => {
    let aborted = false;
    const consumer = await queue.consume({
      concurrency: 1,
      handle: (_each, signal) => {
        signal.addEventListener('abort', () => (aborted = true));
        return new Promise(() => undefined);
      },
    });
    await queue.publish([message()]);
    await until(() => consumer.running() === 1, 'the handler to start');
    const begun = Date.now();
    await consumer.close(200);
    expect(aborted).toBe(true);
    expect(Date.now() - begun).toBeLessThan(5000);
    await expect(consumer.close(200)).resolves.toBeUndefined();
  });

  it('closes though a consumer with work in hand and a waker were not closed', async () => {
    const forgetful = await createQueue(options());
    const consumer = await forgetful.consume({ concurrency: 1, handle: () => new Promise(() => undefined) });
    await forgetful.onWakeUp(() => Promise.resolve());
    await forgetful.publish([message()]);
    await until(() => consumer.running() === 1, 'the handler to start');
    const begun = performance.now();
    await forgetful.close();
    expect(performance.now() - begun).toBeLessThan(8000);
    await expect(forgetful.publish([message()])).rejects.toThrow('nothing was sent');
  });

  it('wakes a recurring duty, and setting it twice wakes it once a time', async () => {
    const rung: string[] = [];
    const waking = await queue.onWakeUp((name) => Promise.resolve(void rung.push(name)));
    await queue.scheduleWakeUp('retention', '*/1 * * * * *');
    await queue.scheduleWakeUp('retention', '*/1 * * * * *');
    await until(() => rung.length >= 2, 'two ticks of a cron that fires each second');
    expect(new Set(rung)).toEqual(new Set(['retention']));
    await waking.close();
  });
}
