// 1,000 kills of workers that hold work which may not be started twice: not one duplicate.
import { backends, startEngine, type Engine } from '../support/engine';
import { killHolders } from '../support/killHolders';
import { killSpawned } from '../support/spawnWorker';
import { scaled, tell } from './settings';

const AT_ONCE = 25;
const KILLS = Math.ceil(scaled(1000) / AT_ONCE) * AT_ONCE;

describe.each(backends())('work that may not be started twice on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend, workers: 0, env: { LEASE_MS: '1000' } });
  });
  afterAll(async () => {
    await killSpawned();
    await engine.stop();
  });

  it(`[G93] ${KILLS} kills, 0 duplicates`, async () => {
    const told = (done: number): void => tell(`${done} of ${KILLS} killed`);
    expect(await killHolders(engine, { kills: KILLS, atOnce: AT_ONCE, told })).toEqual({ duplicates: 0, lost: KILLS });
  });
});
