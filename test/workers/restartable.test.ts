// Workers killed with work in hand that may not be started twice: 30 kills, no duplicate. `npm run faults` makes 1,000.
import { backends, startEngine, type Engine } from '../support/engine';
import { killHolders } from '../support/killHolders';
import { killSpawned } from '../support/spawnWorker';
import { countEffects, startJob, untilState } from '../support/engine';
import { spawnWorker } from '../support/spawnWorker';
import { until } from '../support/until';

jest.setTimeout(90_000);

describe.each(backends())('work that may not be started twice on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend, workers: 0, env: { LEASE_MS: '1000' } });
  });
  afterAll(async () => {
    await killSpawned();
    await engine.stop();
  });

  it('[G93] 30 jobs whose worker was killed end as failed, and none was started twice', async () => {
    expect(await killHolders(engine, { kills: 30, atOnce: 30 })).toEqual({ duplicates: 0, lost: 30 });
  });

  it('[G93] rows that a lost worker had in hand fail, where no key protects what their handler does', async () => {
    const worker = await spawnWorker(engine, { WORKER_CONCURRENCY: '1' });
    const job = await startJob(engine, {
      kind: 'test.outsideOnceRows',
      params: { ms: 60_000 },
      rows: Array.from({ length: 20 }, (_, index) => (index === 5 ? { deed: 'sleep' } : {})),
    });
    await until(async () => (await countEffects(engine, job.id)).all >= 10, 'the first chunk to start');
    await worker.kill('SIGKILL');
    await engine.startWorker();
    expect(await untilState(engine, job.id, 'final')).toMatchObject({
      state: 'completed_with_errors',
      good: 10,
      failed: 10,
    });
    const codes = await engine.db
      .selectFrom('rowError')
      .select('code')
      .distinct()
      .where('jobId', '=', job.id)
      .execute();
    expect(codes).toEqual([{ code: 'worker_lost' }]);
    expect(await countEffects(engine, job.id)).toEqual({ all: 20, rows: 20 });
  });
});
