// Cancel at any moment: the job ends as canceled or as what it already was, cooperative work stops within a second, a waiting
// job never starts, and a handler that is deaf is fenced after the grace time.
import {
  backends,
  countEffects,
  expectJobState,
  jobOf,
  runJobToEnd,
  startEngine,
  startJob,
  untilState,
  type Engine,
} from '../support/engine';
import { cancelJob } from '../../src/jobs/commands/cancelJob';
import { isFinal } from '../../src/jobs/lifecycle';
import { GantryError } from '../../src/lib/errors';
import { raceCancels } from '../support/raceCancels';
import { until } from '../support/until';

const CANCELS = 100;
jest.setTimeout(60_000);

describe.each(backends())('cancel on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend, env: { WORKER_CONCURRENCY: '8', CANCEL_GRACE_MS: '1000' } });
  });
  afterAll(() => engine.stop());

  it(`[G39] ends each of ${CANCELS} jobs that are canceled at random moments`, async () => {
    const slowest = { ms: 0 };
    const one = async (index: number): Promise<void> => {
      const input =
        index % 3 === 0
          ? { kind: 'test.effects', params: { chunkMs: 30 }, rows: Array.from({ length: 400 }, () => ({})) }
          : { kind: 'test.work', params: { ms: 400 } };
      const job = await startJob(engine, input);
      const moment = Math.random() * 600;
      const from = Date.now();
      await until(() => Date.now() - from >= moment, 'the random moment');
      let waited = false;
      try {
        const answer = await cancelJob(engine.deps, engine.actor, job.id);
        waited = answer.state === 'canceled' && answer.startedAt === null;
      } catch (error) {
        // It had ended already.
        expect(error).toBeInstanceOf(GantryError);
        expect((error as GantryError).code).toBe('job_state_forbids');
      }
      const askedAt = Date.now();
      const ended = await untilState(engine, job.id, 'final');
      slowest.ms = Math.max(slowest.ms, Date.now() - askedAt);
      expect(['canceled', 'succeeded']).toContain(ended.state);
      if (waited) expect(await countEffects(engine, job.id)).toEqual({ all: 0, rows: 0 });
      if (index % 3 === 0) {
        const { all, rows } = await countEffects(engine, job.id);
        expect({ all, rows }).toEqual({ all: ended.good, rows: ended.good });
        if (ended.state === 'succeeded') expect(all).toBe(400);
      }
    };
    for (let start = 0; start < CANCELS; start += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => one(start + index)));
    }
    expect(slowest.ms).toBeLessThan(1000);
    // Nothing that was canceled is in a worker's hands, or will be.
    const inHand = await engine.db.selectFrom('run').select('jobId').where('leaseUntil', 'is not', null).execute();
    expect(inHand).toEqual([]);
    expect(await engine.db.selectFrom('outbox').selectAll().execute()).toEqual([]);
  });

  it('ends a job whose handler is deaf after the grace time, and its late end changes nothing', async () => {
    const job = await startJob(engine, { kind: 'test.deaf', params: { ms: 2500 } });
    await untilState(engine, job.id, 'running');
    const askedAt = Date.now();
    await cancelJob(engine.deps, engine.actor, job.id);
    await expectJobState(engine, job.id, 'canceling');
    const ended = await untilState(engine, job.id, 'canceled');
    expect(Date.now() - askedAt).toBeGreaterThanOrEqual(950);
    expect(Date.now() - askedAt).toBeLessThan(2000);
    await until(() => Date.now() - askedAt > 2700, 'the handler to return');
    expect((await jobOf(engine, job.id)).version).toBe(ended.version);
  });

  it(`[G38] never starts one of ${CANCELS} jobs that were canceled while they waited for a busy worker`, async () => {
    const { canceled, started } = await raceCancels(engine, CANCELS);
    expect(started).toBe(0);
    // Most were canceled in time, or the race was none.
    expect(canceled).toBeGreaterThan(CANCELS / 4);
  });

  it('lets a process end itself', async () => {
    const job = await startJob(engine, { kind: 'test.process', params: { ticks: 99 } });
    await until(async () => (await jobOf(engine, job.id)).waitingFor === 'the test', 'the process to sleep');
    await cancelJob(engine.deps, engine.actor, job.id);
    expect((await untilState(engine, job.id, 'final')).state).toBe('canceled');
    expect((await countEffects(engine, job.id)).all).toBe(2);
  });

  it('leaves a job that has ended as it is', async () => {
    const job = await runJobToEnd(engine, { kind: 'test.echo', params: { value: 1 } });
    await expect(cancelJob(engine.deps, engine.actor, job.id)).rejects.toMatchObject({ code: 'job_state_forbids' });
    expect(isFinal((await jobOf(engine, job.id)).state)).toBe(true);
  });
});
