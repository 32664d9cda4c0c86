// Redis holds nothing that the ledger does not: emptied in the middle, every accepted job still ends.
import Redis from 'ioredis';
import { sql } from 'kysely';
import { countEffects, jobOf, startEngine, startJob, type Engine } from '../support/engine';
import { freePort, startRedis } from '../support/redisServer';
import { until } from '../support/until';

jest.setTimeout(60_000);

const itWithRedis = process.env['GANTRY_TEST_REDIS'] ? it : it.skip;

itWithRedis(
  '[G99] ends each of 200 jobs, and runs none again that had ended, although Redis is emptied in the middle',
  async () => {
    const server = await startRedis(await freePort());
    if (!server) throw new Error('redis-server went away during the suite');
    const engine = await startEngine({ backend: 'redis', redisUrl: server.url, env: { LEASE_MS: '1000' } });
    const redis = new Redis(server.url);
    try {
      const jobs = await Promise.all(
        Array.from({ length: 200 }, () => startJob(engine, { kind: 'test.work', params: { ms: 60 } })),
      );
      await until(async () => (await countFinal(engine)) >= 60, '60 jobs to end');
      const endedBefore = await listFinal(engine);
      await redis.flushall();
      expect(await countFinal(engine)).toBeLessThan(200);
      await until(async () => (await countFinal(engine)) === 200, 'all 200 jobs to end', 40_000);
      const states = await Promise.all(jobs.map(async (job) => (await jobOf(engine, job.id)).state));
      expect(states.filter((state) => state !== 'succeeded')).toEqual([]);
      for (const id of endedBefore) expect(await countEffects(engine, id)).toEqual({ all: 1, rows: 1 });
    } finally {
      redis.disconnect();
      await engine.stop();
      await server.stop();
    }
  },
);

async function listFinal(engine: Engine): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`select id from job where finished_at is not null`.execute(engine.db);
  return rows.map((row) => row.id);
}

async function countFinal(engine: Engine): Promise<number> {
  const { rows } = await sql<{
    count: number;
  }>`select count(*)::int as count from job where finished_at is not null`.execute(engine.db);
  return rows[0]?.count ?? 0;
}
