// Who worked on a job: each claim leaves an attempt with its host and its end, and GET /jobs/{id}/attempts lists them.
import { sql } from 'kysely';
import { listAttempts, type AttemptRow } from '../../src/db/queries/attempts';
import { cancelJob } from '../../src/jobs/commands/cancelJob';
import { requeueJob } from '../../src/jobs/commands/requeueJob';
import {
  backends,
  countEffects,
  jobOf,
  runJobToEnd,
  startEngine,
  startJob,
  untilState,
  type Engine,
} from '../support/engine';
import { killSpawned, spawnWorker } from '../support/spawnWorker';
import { until } from '../support/until';
import { startTestServer, type TestServer } from '../support/webServer';

jest.setTimeout(60_000);

describe.each(backends())('attempts on %s', (backend) => {
  let engine: Engine;
  const attemptsOf = (id: string): Promise<AttemptRow[]> =>
    listAttempts(engine.db, id, { run: null, after: null, limit: 100 });
  const told = async (id: string) =>
    (await attemptsOf(id)).map(({ run, attempt, host, ended }) => ({ run, attempt, host, ended }));

  beforeAll(async () => {
    engine = await startEngine({ backend, workers: 0 });
  });
  afterAll(async () => {
    await killSpawned();
    await engine.stop();
  });

  it('[G8] shows the host that ran it, and after a takeover both attempts with their own', async () => {
    const first = await spawnWorker(engine, { TEST_HOST: 'machine-one' });
    const job = await startJob(engine, { kind: 'test.work', params: { ms: 3000 } });
    await until(async () => (await countEffects(engine, job.id)).all === 1, 'the job to start');
    const rows = await startJob(engine, {
      kind: 'test.effects',
      params: { chunkMs: 500 },
      rows: Array.from({ length: 600 }, () => ({})),
    });
    const inHand = () =>
      engine.db
        .selectFrom('chunk')
        .select('chunk')
        .where('workerId', '=', first.workerId)
        .where('state', '=', 'running')
        .execute();
    await until(async () => (await inHand()).length > 0, 'a chunk to be in hand');
    expect((await jobOf(engine, job.id)).host).toBe('machine-one');
    await first.kill('SIGKILL');
    await engine.startWorker({ host: 'machine-two' });
    expect(await untilState(engine, job.id, 'final')).toMatchObject({ state: 'succeeded', host: 'machine-two' });
    expect(await told(job.id)).toEqual([
      { run: 1, attempt: 1, host: 'machine-one', ended: 'worker_lost' },
      { run: 1, attempt: 2, host: 'machine-two', ended: 'succeeded' },
    ]);
    // One row for each worker, however many chunks it did.
    await untilState(engine, rows.id, 'succeeded');
    expect(await told(rows.id)).toEqual([
      { run: 1, attempt: 1, host: 'machine-one', ended: 'worker_lost' },
      { run: 1, attempt: 2, host: 'machine-two', ended: 'succeeded' },
    ]);
    const times = await attemptsOf(job.id);
    expect(times.every(({ startedAt, endedAt }) => endedAt !== null && endedAt >= startedAt)).toBe(true);
  });

  it('tells how each claim ended', async () => {
    const failed = await runJobToEnd(engine, { kind: 'test.ends', params: { how: 'permanent' } });
    expect(await attemptsOf(failed.id)).toMatchObject([
      { ended: 'failed', errorCode: 'out_of_stock', errorMessage: 'There is none left.' },
    ]);
    const late = await runJobToEnd(engine, { kind: 'test.hasty', params: { deed: 'heed' } });
    expect(await told(late.id)).toMatchObject([{ ended: 'timed_out' }]);
    const again = await runJobToEnd(engine, { kind: 'test.wild', params: { deed: 'later' } });
    expect(await told(again.id)).toMatchObject([{ ended: 'retry_later' }, { attempt: 2, ended: 'succeeded' }]);
    const canceled = await startJob(engine, { kind: 'test.work', params: { ms: 60_000 } });
    await untilState(engine, canceled.id, 'running');
    await cancelJob(engine.deps, engine.actor, canceled.id);
    await untilState(engine, canceled.id, 'canceled');
    expect(await told(canceled.id)).toMatchObject([{ ended: 'canceled' }]);
    const process = await startJob(engine, { kind: 'test.process', params: { ticks: 99 } });
    await until(async () => (await jobOf(engine, process.id)).waitingFor === 'the test', 'the process to sleep');
    expect(await told(process.id)).toMatchObject([{ ended: 'waiting' }]);
    await cancelJob(engine.deps, engine.actor, process.id);
    await untilState(engine, process.id, 'canceled');
    expect(await told(process.id)).toMatchObject([{ attempt: 1, ended: 'canceled' }]);
  });

  it('tells what a worker handed back when it was stopped, and numbers each run from 1', async () => {
    const worker = await engine.startWorker({ host: 'machine-three' });
    await engine.workers[0]?.stop();
    const job = await startJob(engine, { kind: 'test.work', params: { ms: 60_000 } });
    await untilState(engine, job.id, 'running');
    await worker.stop();
    expect(await told(job.id)).toEqual([{ run: 1, attempt: 1, host: 'machine-three', ended: 'handed_back' }]);
    await engine.startWorker({ host: 'machine-four' });
    await until(async () => (await countEffects(engine, job.id)).all === 2, 'the second start');
    await cancelJob(engine.deps, engine.actor, job.id);
    await untilState(engine, job.id, 'canceled');
    await requeueJob(engine.deps, engine.actor, job.id);
    await until(async () => (await countEffects(engine, job.id)).all === 3, 'the next run');
    expect(await told(job.id)).toEqual([
      { run: 1, attempt: 1, host: 'machine-three', ended: 'handed_back' },
      { run: 1, attempt: 2, host: 'machine-four', ended: 'canceled' },
      { run: 2, attempt: 1, host: 'machine-four', ended: null },
    ]);
    await cancelJob(engine.deps, engine.actor, job.id);
    await untilState(engine, job.id, 'canceled');
  });

  it('leaves no attempt for work that was only found lost', async () => {
    const job = await startJob(engine, { kind: 'test.once', params: { ms: 60_000 } });
    await until(async () => (await countEffects(engine, job.id)).all === 1, 'the start');
    // As rescue sees it when the worker is gone.
    await sql`update run set lease_until = null, epoch = epoch + 1, crashes = 1 where job_id = ${job.id}`.execute(
      engine.db,
    );
    await sql`update outbox set sent_at = null where job_id = ${job.id}`.execute(engine.db);
    engine.waker.wake('gantry_work');
    expect(await untilState(engine, job.id, 'final')).toMatchObject({ errorCode: 'worker_lost' });
    expect(await told(job.id)).toHaveLength(1);
  });
});

describe('GET /jobs/{id}/attempts', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ worker: true });
    await sql`create table effect (job_id uuid not null, row_index bigint not null)`.execute(server.database.kysely);
  });
  afterAll(() => server.stop());

  it('[G8] pages them for the owner and superadmins; for others the job is not there', async () => {
    const started = await server.call('user', 'POST', '/api/v1/jobs', {
      kind: 'test.wild',
      params: { deed: 'later' },
      notify: { email: false },
    });
    const at = `/api/v1/jobs/${started.body.id}/attempts`;
    await until(
      async () => (await server.call('user', 'GET', at)).body.items[1]?.ended === 'succeeded',
      'the job to end',
    );
    const first = (await server.call('user', 'GET', `${at}?limit=1&run=1`)).body;
    expect(first.items).toMatchObject([{ run: 1, attempt: 1, ended: 'retry_later', error: { message: 'not yet' } }]);
    const second = (await server.call('superadmin', 'GET', `${at}?limit=1&cursor=${first.nextCursor}`)).body;
    expect(second).toMatchObject({ items: [{ attempt: 2, ended: 'succeeded', error: null }], nextCursor: null });
    expect(second.items[0].host).toBeTruthy();
    expect((await server.call('user', 'GET', `${at}?run=2`)).body.items).toEqual([]);
    expect((await server.call('user', 'GET', `${at}?color=red`)).status).toBe(422);
    expect((await server.call('power_user', 'GET', at)).status).toBe(404);
    expect((await server.call(null, 'GET', at)).status).toBe(401);
  });
});
