// What may fail around the workers: one that is killed, one that is frozen, one that is stopped.
import { sql } from 'kysely';
import { backends, countEffects, jobOf, startEngine, startJob, untilState, type Engine } from '../support/engine';
import { killSpawned, spawnWorker } from '../support/spawnWorker';
import { until } from '../support/until';

jest.setTimeout(60_000);

describe.each(backends())('faults on %s', (backend) => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await startEngine({ backend, workers: 0 });
  });
  afterEach(async () => {
    await killSpawned();
    await engine.stop();
  });

  it('[G93] starts a job again whose worker was killed, but not one that may not be started twice', async () => {
    const worker = await spawnWorker(engine);
    const again = await startJob(engine, { kind: 'test.work', params: { ms: 500 } });
    const never = await startJob(engine, { kind: 'test.once', params: { ms: 500 } });
    await until(
      async () => (await countEffects(engine, again.id)).all + (await countEffects(engine, never.id)).all === 2,
      'both to start',
    );
    await worker.kill('SIGKILL');
    const killedAt = Date.now();
    await engine.startWorker();
    await until(async () => (await countEffects(engine, again.id)).all === 2, 'the second start');
    expect(Date.now() - killedAt).toBeLessThan(engine.config.leaseMs + 5000);
    expect((await untilState(engine, again.id, 'final')).state).toBe('succeeded');
    const failed = await untilState(engine, never.id, 'final');
    expect(failed).toMatchObject({ state: 'failed', errorCode: 'worker_lost' });
    expect((await countEffects(engine, never.id)).all).toBe(1);
  });

  it('fences a worker that was frozen longer than its lease', async () => {
    const worker = await spawnWorker(engine);
    const job = await startJob(engine, { kind: 'test.work', params: { ms: 700 } });
    await until(async () => (await countEffects(engine, job.id)).all === 1, 'the start');
    worker.signal('SIGSTOP');
    await engine.startWorker();
    const ended = await untilState(engine, job.id, 'succeeded');
    worker.signal('SIGCONT');
    // Awake again, it finds its lease gone and stops by itself when asked; the record stays as the second worker left it.
    expect(await worker.kill('SIGTERM')).toBe(0);
    const after = await jobOf(engine, job.id);
    expect({ version: after.version, epoch: after.epoch }).toEqual({ version: ended.version, epoch: ended.epoch });
    expect((await countEffects(engine, job.id)).all).toBe(2);
  });

  it('hands back at a graceful stop what did not end in time, and ends what could', async () => {
    const worker = await spawnWorker(engine, { SHUTDOWN_GRACE_MS: '2500' });
    const short = await startJob(engine, { kind: 'test.work', params: { ms: 700 } });
    const long = await startJob(engine, { kind: 'test.work', params: { ms: 60_000 } });
    const rows = await startJob(engine, {
      kind: 'test.effects',
      params: { chunkMs: 100 },
      rows: Array.from({ length: 5000 }, () => ({})),
    });
    await until(
      async () => (await countEffects(engine, rows.id)).all > 0 && (await countEffects(engine, long.id)).all === 1,
      'all to start',
    );
    const askedAt = Date.now();
    expect(await worker.kill('SIGTERM')).toBe(0);
    expect(Date.now() - askedAt).toBeLessThan(3500);
    expect((await jobOf(engine, short.id)).state).toBe('succeeded');
    const held = await sql`
      select 1 from run where lease_until is not null union all select 1 from chunk where state = 'running'`.execute(
      engine.db,
    );
    expect(held.rows).toEqual([]);
    // Handed back, not left to its lease: the next worker finds nothing held, so it need not wait for any lease to run out.
    await engine.startWorker();
    await until(async () => (await countEffects(engine, long.id)).all === 2, 'the long job to start again');
    await untilState(engine, rows.id, 'succeeded');
    expect(await countEffects(engine, rows.id)).toEqual({ all: 5000, rows: 5000 });
  });
});
