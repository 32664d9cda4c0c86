// The queue seam on Redis: the contract, and an emptied store.
import { randomUUID } from 'node:crypto';
import IORedis from 'ioredis';
import { createLogger } from '../../src/lib/logger';
import { createQueue } from '../../src/queue/createQueue';
import { createTestDatabase } from '../support/database';
import { startRedis } from '../support/redisServer';
import { until } from '../support/until';
import { faultContract } from './faultContract';
import { queueContract } from './queueContract';

const redisUrl = process.env['GANTRY_TEST_REDIS'];
// Without Redis the runner has said loudly that this part does not run.
const onRedis = redisUrl ? describe : describe.skip;

onRedis('the queue on Redis', () => queueContract({ name: 'redis', redisUrl }));

onRedis('the queue on Redis when something fails', () => faultContract({ name: 'redis', redisUrl }));

onRedis('a Redis that loses everything', () => {
  it('delivers what is sent after it was emptied', async () => {
    const redis = await startRedis(0);
    if (!redis) throw new Error('redis-server did not start');
    const database = await createTestDatabase();
    const queue = await createQueue({
      redisUrl: redis.url,
      databaseUrl: database.url,
      logger: createLogger({ level: 'silent' }),
      databaseNow: () => Promise.resolve(new Date()),
    });
    const got: string[] = [];
    const consumer = await queue.consume({
      concurrency: 1,
      handle: (each) => Promise.resolve(void got.push(each.jobId)),
    });
    const admin = new IORedis(redis.url);
    await admin.flushall();
    const jobId = randomUUID();
    await queue.publish([{ jobId, run: 1, send: 1 }]);
    await until(() => got.includes(jobId), 'the message after the loss');
    await consumer.close(500);
    await queue.close();
    admin.disconnect();
    await redis.stop();
    await database.drop();
  });

  it('refuses to start, rather than wait, when Redis refuses the password', async () => {
    const url = new URL(redisUrl ?? '');
    url.username = 'nobody';
    url.password = 'wrong';
    const opening = createQueue({
      redisUrl: url.href,
      databaseUrl: 'unused',
      logger: createLogger({ level: 'silent' }),
      databaseNow: () => Promise.resolve(new Date()),
    });
    await expect(opening).rejects.toThrow(/WRONGPASS|NOAUTH/);
  });
});
