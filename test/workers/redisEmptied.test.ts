// Redis holds nothing that the ledger does not: emptied in the middle, every accepted job still ends.
import Redis from 'ioredis';
import { sql } from 'kysely';
import { jobOf, startEngine, startJob, type Engine } from '../support/engine';
import { freePort, startRedis } from '../support/redisServer';
import { until } from '../support/until';

jest.setTimeout(60_000);

const itWithRedis = process.env['GANTRY_TEST_REDIS'] ? it : it.skip;

itWithRedis('ends each of 200 jobs although Redis is emptied in the middle', async () => {
  const server = await startRedis(await freePort());
  if (!server) throw new Error('redis-server went away during the suite');
  const engine = await startEngine({ backend: 'redis', redisUrl: server.url, env: { LEASE_MS: '1000' } });
  const redis = new Redis(server.url);
  try {
    const jobs = await Promise.all(
      Array.from({ length: 200 }, () => startJob(engine, { kind: 'test.work', params: { ms: 60 } })),
    );
    await until(async () => (await countFinal(engine)) >= 60, '60 jobs to end');
    await redis.flushall();
    expect(await countFinal(engine)).toBeLessThan(200);
    await until(async () => (await countFinal(engine)) === 200, 'all 200 jobs to end', 40_000);
    const states = await Promise.all(jobs.map(async (job) => (await jobOf(engine, job.id)).state));
    expect(states.filter((state) => state !== 'succeeded')).toEqual([]);
  } finally {
    redis.disconnect();
    await engine.stop();
    await server.stop();
  }
});

async function countFinal(engine: Engine): Promise<number> {
  const { rows } = await sql<{
    count: number;
  }>`select count(*)::int as count from job where finished_at is not null`.execute(engine.db);
  return rows[0]?.count ?? 0;
}
