// A worker that dies with work in hand: each piece it held runs alone from then on, and only what kills its own process again and
// again is poison. Neighbours are never blamed. The ledger alone decides it, so one backend is enough.
import { claimRun, confirmRun } from '../../src/db/queries/claims';
import { countEffects, jobOf, startEngine, startJob, untilState, type Engine } from '../support/engine';
import { killSpawned, spawnWorker } from '../support/spawnWorker';
import { until } from '../support/until';

jest.setTimeout(90_000);

describe('poison', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend: 'postgres', workers: 0, env: { LEASE_MS: '1500' } });
  });
  afterAll(async () => {
    await killSpawned();
    await engine.stop();
  });

  it('ends what kills every process it runs in, and nothing that only stood beside it', async () => {
    // One that kills its worker only as long as others are there, and two that do no harm.
    const neighbour = await startJob(engine, { kind: 'test.work', params: { ms: 1000 } });
    const neighbourRows = await startJob(engine, {
      kind: 'test.effects',
      params: { chunkMs: 300 },
      rows: Array.from({ length: 300 }, () => ({})),
    });
    const dying = await spawnWorker(engine, { WORKER_CONCURRENCY: '8' });
    await until(async () => (await countEffects(engine, neighbour.id)).all === 1, 'the neighbours to start');
    const poison = await startJob(engine, { kind: 'test.wild', params: { deed: 'kill' } });
    const poisonRows = await startJob(engine, {
      kind: 'test.wildRows',
      rows: Array.from({ length: 30 }, (_, index) => (index === 15 ? { deed: 'kill' } : {})),
    });
    await dying.gone;
    // Whatever was not in the dead one's hands kills the next worker; a third then meets suspects alone.
    let deaths = 1;
    const keepOne = async (): Promise<void> => {
      for (;;) {
        const worker = await spawnWorker(engine, { WORKER_CONCURRENCY: '8' });
        await worker.gone;
        if (isOver) return;
        deaths += 1;
      }
    };
    let isOver = false;
    const keeping = keepOne();

    const ended = await untilState(engine, poison.id, 'final', 40_000);
    expect(ended).toMatchObject({ state: 'failed', errorCode: 'poison' });
    const rows = await untilState(engine, poisonRows.id, 'final', 40_000);
    expect(rows).toMatchObject({ state: 'completed_with_errors', good: 20, failed: 10 });
    const codes = await engine.db
      .selectFrom('rowError')
      .select('code')
      .distinct()
      .where('jobId', '=', poisonRows.id)
      .execute();
    expect(codes).toEqual([{ code: 'poison' }]);
    expect(await countEffects(engine, poisonRows.id)).toEqual({ all: 20, rows: 20 });

    expect((await untilState(engine, neighbour.id, 'final', 20_000)).state).toBe('succeeded');
    expect((await untilState(engine, neighbourRows.id, 'final', 20_000)).state).toBe('succeeded');
    expect(await countEffects(engine, neighbourRows.id)).toEqual({ all: 300, rows: 300 });
    expect(deaths).toBeLessThanOrEqual(3);
    isOver = true;
    await killSpawned();
    await keeping;
    await engine.startWorker();
  });

  it('does not count the deaths of workers: one killed many times over is tried until it succeeds', async () => {
    const job = await startJob(engine, { kind: 'test.wild' });
    await engine.db.updateTable('run').set({ crashes: 50 }).where('jobId', '=', job.id).execute();
    expect((await untilState(engine, job.id, 'final', 20_000)).state).toBe('succeeded');
  });

  it('forgets crashes at a commit', async () => {
    const job = await startJob(engine, { kind: 'test.process', params: { ticks: 99 } });
    await until(async () => (await jobOf(engine, job.id)).waitingFor === 'the test', 'the process to sleep');
    await engine.db.updateTable('run').set({ crashes: 2, loneCrashes: 2 }).where('jobId', '=', job.id).execute();
    const claimer = { workerId: job.id, host: 'here', leaseMs: 60_000 };
    const claimed = await claimRun(engine.db, job.id, 1, ['running'], claimer, { isProcess: true });
    if (!claimed) throw new Error('the process could not be claimed');
    expect(claimed).toMatchObject({ crashes: 2, loneCrashes: 2 });
    const lease = { jobId: job.id, run: 1, chunk: null, epoch: claimed.epoch };
    await engine.db.transaction().execute((tx) => confirmRun(tx, lease, 60_000));
    const run = await engine.db
      .selectFrom('run')
      .select(['crashes', 'loneCrashes'])
      .where('jobId', '=', job.id)
      .executeTakeFirst();
    expect(run).toEqual({ crashes: 0, loneCrashes: 0 });
  });
});
