// Work that takes longer than its kind allows: signal, then kill or fence, and what becomes of it; and what the history of a
// kind says about how long its next run takes. The queue plays no part in either.
import { findWorker } from '../support/findWorker';
import { presentDuration } from '../../src/api/presenters/duration';
import { databaseNow } from '../../src/db/queries/clock';
import { policyOfKind } from '../../src/jobs/commands/onJob';
import { countEffects, jobOf, runJobToEnd, startEngine, startJob, untilState, type Engine } from '../support/engine';
import { until } from '../support/until';

jest.setTimeout(60_000);

const TIMEOUT_MS = 300;
const GRACE_MS = 300;

describe('timeouts', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend: 'postgres', env: { CANCEL_GRACE_MS: String(GRACE_MS) } });
  });
  afterAll(() => engine.stop());

  it('[G94] fires the signal, and the run fails as timed out', async () => {
    const job = await runJobToEnd(engine, { kind: 'test.hasty', params: { deed: 'heed' } });
    expect(job).toMatchObject({ state: 'failed', errorCode: 'timed_out' });
    expect(job.errorMessage).toContain('300 ms');
    const took = (job.finishedAt?.getTime() ?? 0) - (job.startedAt?.getTime() ?? 0);
    expect(took).toBeGreaterThanOrEqual(TIMEOUT_MS - 20);
    expect(took).toBeLessThan(TIMEOUT_MS + GRACE_MS);
    expect((await countEffects(engine, job.id)).all).toBe(1);
  });

  it('[G94] fences a handler that is deaf, and shows its slot as stuck until it returns', async () => {
    const job = await startJob(engine, { kind: 'test.hasty', params: { deed: 'sleep', ms: 2000 } });
    const ended = await untilState(engine, job.id, 'final');
    expect(ended).toMatchObject({ state: 'failed', errorCode: 'timed_out' });
    await until(async () => (await findWorker(engine)).stuck === 1, 'the slot to show as stuck', 3000);
    await until(async () => (await findWorker(engine)).stuck === 0, 'the handler to return', 5000);
    expect((await jobOf(engine, job.id)).version).toBe(ended.version);
  });

  it('[G94] kills the process of an isolated kind that never yields', async () => {
    const warm = await runJobToEnd(engine, { kind: 'test.cagedHasty', params: {} });
    expect(warm.state).toBe('succeeded');
    const job = await runJobToEnd(engine, { kind: 'test.cagedHasty', params: { deed: 'spin', ms: 20_000 } });
    expect(job).toMatchObject({ state: 'failed', errorCode: 'timed_out' });
    const took = (job.finishedAt?.getTime() ?? 0) - (job.startedAt?.getTime() ?? 0);
    expect(took).toBeLessThan(TIMEOUT_MS + GRACE_MS + 3000);
    expect((await findWorker(engine)).stuck).toBe(0);
  });

  it.each(['test.hastyRows', 'test.outsideHastyRows', 'test.cagedHastyRows'])(
    'tries a chunk of %s again that took too long; then its rows fail and the job goes on',
    async (kind) => {
      const rows = Array.from({ length: 20 }, (_, index) => (index === 13 ? { deed: 'sleep' } : {}));
      const job = await runJobToEnd(engine, { kind, params: { ms: 1200 }, rows }, 20_000);
      expect(job).toMatchObject({ state: 'completed_with_errors', good: 10, failed: 10 });
      const errors = await engine.db.selectFrom('rowError').selectAll().where('jobId', '=', job.id).execute();
      expect(new Set(errors.map(({ code, attempt }) => `${code} ${attempt}`))).toEqual(new Set(['timed_out 2']));
      // In-database effects of the chunk that took too long were rolled back; outside ones were made at each try.
      expect((await countEffects(engine, job.id)).all).toBe(kind.includes('outside') ? 30 : 10);
      // Nothing of it holds a lock or a lease any more.
      expect(await engine.db.selectFrom('chunk').select('chunk').where('state', '=', 'running').execute()).toEqual([]);
    },
  );

  it('[G94] warns of a run that takes longer or shorter than the history of its kind says', async () => {
    const show = async (id: string) => {
      const job = await jobOf(engine, id);
      const policy = policyOfKind(await engine.deps.catalog.get(job.kind));
      return presentDuration(job, policy, await databaseNow(engine.db));
    };
    const none = { expectedMs: null, durationWarning: null };
    for (let run = 0; run < 5; run += 1) {
      const job = await runJobToEnd(engine, { kind: 'test.work', params: { ms: 250 } });
      expect(await show(job.id)).toEqual(none);
    }
    const usual = await runJobToEnd(engine, { kind: 'test.work', params: { ms: 250 } });
    const expected = await show(usual.id);
    expect(expected.durationWarning).toBeNull();
    expect(expected.expectedMs).toBeGreaterThanOrEqual(240);
    expect(expected.expectedMs).toBeLessThan(900);

    const long = await startJob(engine, { kind: 'test.work', params: { ms: 1500 } });
    await until(async () => (await show(long.id)).durationWarning === 'longer', 'the warning while it runs');
    expect((await jobOf(engine, long.id)).state).toBe('running');
    await untilState(engine, long.id, 'succeeded');
    expect((await show(long.id)).durationWarning).toBe('longer');
    const short = await runJobToEnd(engine, { kind: 'test.work', params: { ms: 0 } });
    expect((await show(short.id)).durationWarning).toBe('shorter');
    // The kind's share is its own: with a wide one, the same run is as usual.
    const wide = { ...policyOfKind(await engine.deps.catalog.get('test.work')), durationTolerancePercent: 100 };
    expect(presentDuration(await jobOf(engine, short.id), wide, new Date()).durationWarning).toBeNull();
  });

  it('[G94] expects of a mass action what its rows usually take', async () => {
    const rows = (count: number) => Array.from({ length: count }, () => ({}));
    for (let run = 0; run < 5; run += 1)
      await runJobToEnd(engine, { kind: 'test.effects', params: { chunkMs: 20 }, rows: rows(100) });
    const [history] = await engine.db
      .selectFrom('kindDuration')
      .selectAll()
      .where('kind', '=', 'test.effects')
      .execute();
    const job = await startJob(engine, { kind: 'test.effects', rows: rows(1000) });
    expect((await jobOf(engine, job.id)).expectedMs).toBeCloseTo((history?.meanMs ?? 0) * 1000, 3);
    await untilState(engine, job.id, 'succeeded');
    // Runs of a hundred rows say nothing about one of a few, or of thousands.
    const tiny = await startJob(engine, { kind: 'test.effects', rows: rows(2) });
    expect((await jobOf(engine, tiny.id)).expectedMs).toBeNull();
    expect((await untilState(engine, tiny.id, 'succeeded')).expectedMs).toBeNull();
  });
});
