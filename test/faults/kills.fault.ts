// 20 kills within an in-database action over 100,000 rows, at moments that the seed decides: every row once, none lost.
import { backends, countEffects, jobOf, startEngine, startJob, untilState, type Engine } from '../support/engine';
import { killSpawned, spawnWorker } from '../support/spawnWorker';
import { until } from '../support/until';
import { pause } from '../../src/lib/abort';
import { isFinal } from '../../src/jobs/lifecycle';
import { randomNumbers, scaled, tell } from './settings';

const ROWS = scaled(100_000);
const KILLS = scaled(20);

describe.each(backends())('kills on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend, workers: 0 });
  });
  afterAll(async () => {
    await killSpawned();
    await engine.stop();
  });

  it(`[G43] ${ROWS} rows exactly once over ${KILLS} kills`, async () => {
    const random = randomNumbers();
    const rows = Array.from({ length: ROWS }, (_, index) => ({ bad: index % 1000 === 7, skip: index % 1000 === 9 }));
    const job = await startJob(engine, { kind: 'test.effects', params: { chunkMs: 10 }, rows });
    let kills = 0;
    for (; kills < KILLS && !isFinal((await jobOf(engine, job.id)).state); kills += 1) {
      const worker = await spawnWorker(engine, { WORKER_CONCURRENCY: '4' });
      const { good } = await jobOf(engine, job.id);
      await until(async () => (await jobOf(engine, job.id)).good > good, 'some rows', 60_000);
      await pause(random() * 1000);
      await worker.kill('SIGKILL');
      tell(`kill ${kills + 1}: ${(await jobOf(engine, job.id)).good} rows done`);
    }
    expect(kills).toBeGreaterThan(KILLS / 2);
    await engine.startWorker();
    const ended = await untilState(engine, job.id, 'final', 900_000);
    const bad = rows.filter((row) => row.bad).length;
    const skipped = rows.filter((row) => row.skip).length;
    expect(ended).toMatchObject({ good: ROWS - bad - skipped, failed: bad, skipped });
    expect(await countEffects(engine, job.id)).toEqual({ all: ROWS, rows: ROWS });
  });
});
