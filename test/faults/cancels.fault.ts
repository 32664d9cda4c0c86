// A storm of 1,000 cancels against busy workers: what was canceled while it waited never starts.
import { backends, startEngine, type Engine } from '../support/engine';
import { raceCancels } from '../support/raceCancels';
import { scaled, tell } from './settings';

const JOBS = scaled(1000);

describe.each(backends())('cancels on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend, env: { WORKER_CONCURRENCY: '8' } });
  });
  afterAll(() => engine.stop());

  it(`[G38] ${JOBS} races, 0 starts`, async () => {
    const { canceled, started } = await raceCancels(engine, JOBS);
    tell(`${canceled} of ${JOBS} were canceled while they waited`);
    expect(started).toBe(0);
    expect(canceled).toBeGreaterThan(JOBS / 10);
  });
});
