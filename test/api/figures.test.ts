// Figures of the queue, counters for charts, and the workers that stand behind them.
import { sql } from 'kysely';
import { coarsenStatistics, readDurations, readTotals, rollTallies } from '../../src/db/queries/statistics';
import { newId } from '../../src/lib/ids';
import { startTestServer, type TestServer } from '../support/webServer';
import { until } from '../support/until';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ worker: true, env: { WORKER_CONCURRENCY: '3' } });
}, 60_000);
afterAll(() => server.stop());

const get = (path: string) => server.call('superadmin', 'GET', `/api/v1${path}`);
async function start(kind: string, params: object, more: object = {}): Promise<string> {
  return (await server.call('superadmin', 'POST', '/api/v1/jobs', { kind, params, ...more })).body.id;
}
const untilEnded = (id: string) =>
  until(async () => (await get(`/jobs/${id}`)).body.group === 'processed', 'the job to end', 20_000);

it('counts runs made, started and ended, by outcome, rows and time, each once', async () => {
  const rows = Array.from({ length: 5 }, () => ({}));
  for (const id of [
    await start('test.teller', {}),
    await start('test.teller', { fail: 'no' }),
    await start('test.chatty', { lines: 1 }, { rows }),
  ])
    await untilEnded(id);
  await until(
    async () => (await get('/statistics?kind=test.teller')).body.items[0]?.ended.failed === 1,
    'the counters to be added up',
    15_000,
  );
  const [teller] = (await get('/statistics?kind=test.teller&step=day')).body.items;
  expect(teller).toMatchObject({ kind: 'test.teller', created: 2, started: 2, rows: { good: 0, failed: 0 } });
  expect(teller.ended).toMatchObject({ succeeded: 1, failed: 1, canceled: 0 });
  expect(teller.at).toMatch(/T00:00:00.000Z$/);
  const [chatty] = (await get('/statistics?kind=test.chatty&step=minute')).body.items;
  expect(chatty).toMatchObject({ created: 1, started: 1, rows: { good: 5, failed: 0 } });
  expect(chatty.waitMs).toBeGreaterThan(0);

  const { body } = await get('/queue-figures');
  expect(body.rates.last5Minutes).toEqual({ inPerMinute: 0.6, outPerMinute: 0.6 });
  expect(body.rates.last60Minutes).toEqual({ inPerMinute: 0.05, outPerMinute: 0.05 });
  expect(body.workers).toMatchObject({ connected: 1, slots: 3, stuck: 0 });
});

it('pages charts by time and kind, and refuses what it does not know', async () => {
  const first = (await get('/statistics?limit=1')).body;
  expect(first.items).toHaveLength(1);
  const second = (await get(`/statistics?limit=1&cursor=${first.nextCursor}`)).body;
  expect([first.items[0].kind, second.items[0].kind]).toEqual(['test.chatty', 'test.teller']);
  expect((await get('/statistics?until=-1h')).body).toEqual({ items: [], nextCursor: null });
  for (const query of ['step=week', 'since=yesterday', 'cursor=xx', 'owner=me'])
    expect([query, (await get(`/statistics?${query}`)).status]).toEqual([query, 422]);
});

it('keeps minutes for two days, hours for ninety, and never loses a count', async () => {
  const { kysely: db } = server.database;
  const ages = ['1 minute', '1 day', '3 days', '3 days', '30 days', '100 days', '101 days'];
  for (const age of ages)
    await sql`insert into run_tally (at, kind, what, process_ms) values (gantry_now() - ${age}::interval, 'test.old', 'failed', 700)`.execute(
      db,
    );
  await until(async () => (await rollTallies(db, 100)) === 0, 'all to be added up');
  await until(async () => (await coarsenStatistics(db, 100)) === 0, 'all to be coarse');
  const { rows } = await sql<{ step: string; failed: number }>`
    select step, sum(failed)::int as failed from statistic where kind = 'test.old' group by step order by step`.execute(
    db,
  );
  expect(rows).toEqual([
    { step: 'ever', failed: 2 },
    { step: 'hour', failed: 3 },
    { step: 'minute', failed: 2 },
  ]);
  expect((await readTotals(db, 10)).find(({ kind }) => kind === 'test.old')).toMatchObject({
    failed: 7,
    processMs: 4900,
  });
  expect(await readDurations(db, ['test.old'])).toEqual([{ kind: 'test.old', measure: 'process', atMost: 1, runs: 7 }]);
});

it('tells how deep and how old the queue is, and each job why it waits [G95]', async () => {
  const holders = [];
  for (let slot = 0; slot < 3; slot += 1) holders.push(await start('test.deaf', { ms: 3000 }));
  await until(async () => (await get('/queue-figures')).body.workers.busy === 3, 'all slots to be busy');
  const waiting = [await start('test.teller', {}), await start('test.teller', {})];
  const { body } = await get('/queue-figures');
  expect(body.depths).toContainEqual({ state: 'running', kind: 'test.deaf', count: 3 });
  expect(body.oldest).toMatchObject({ jobId: waiting[0] });
  expect(body.oldest.ageMs).toBeGreaterThanOrEqual(0);
  expect((await get(`/jobs/${waiting[1]}`)).body.waitingText).toMatch(
    /^(Next in turn|Queued behind \d+ other jobs?); all 3 slots of the workers are busy\.$/,
  );
  const worker = (await get('/workers')).body.items[0];
  expect(worker).toMatchObject({ state: 'connected', busy: 3, slots: 3 });
  expect(worker.current.map((held: { jobId: string }) => held.jobId).sort()).toEqual([...holders].sort());
  expect(worker.current[0]).toMatchObject({ kind: 'test.deaf', run: 1, chunk: null });
  for (const id of [...holders, ...waiting]) await untilEnded(id);
  expect((await get(`/jobs/${waiting[0]}`)).body.waitingText).toBeNull();
});

describe('without a worker', () => {
  let idle: TestServer;
  beforeAll(async () => {
    idle = await startTestServer();
  }, 60_000);
  afterAll(() => idle.stop());
  const ask = (path: string) => idle.call('superadmin', 'GET', `/api/v1${path}`);
  const begin = async (more: object = {}): Promise<string> =>
    (await idle.call('superadmin', 'POST', '/api/v1/jobs', { kind: 'test.effects', params: {}, rows: [{}], ...more }))
      .body.id;
  const text = async (id: string): Promise<string> => (await ask(`/jobs/${id}`)).body.waitingText;

  it('says that none is there, since when, or what else a job waits for', async () => {
    const queued = await begin();
    expect(await text(queued)).toBe('No worker has ever connected. Start one: npx gantry worker.');
    const { kysely: db } = idle.database;
    const worker = { host: 'elsewhere', pid: 7, version: '1', slots: 2 };
    await db
      .insertInto('worker')
      .values({ ...worker, id: newId(), heartbeatAt: new Date('2026-01-02T03:04:05Z') })
      .execute();
    expect(await text(queued)).toContain('No worker is connected since 2026-01-02 03:04:05 UTC.');

    const id = newId();
    await db
      .insertInto('worker')
      .values({ ...worker, id })
      .execute();
    expect(await text(queued)).toBe('Next in turn.');
    const behind = await begin({ priority: -1 });
    expect(await text(behind)).toBe('Queued behind 1 other job.');
    await db.updateTable('worker').set({ busy: 2 }).where('id', '=', id).execute();
    expect(await text(behind)).toBe('Queued behind 1 other job; all 2 slots of the workers are busy.');

    expect(await text(await begin({ runAt: '2099-05-06T07:08:09Z' }))).toBe('Scheduled for 2099-05-06 07:08:09 UTC.');
    await idle.call('superadmin', 'POST', `/api/v1/jobs/${queued}/pause`, {});
    expect(await text(queued)).toBe('Paused by A superadmin.');
    await db.updateTable('job').set({ waitingFor: 'trial', trial: 5 }).where('id', '=', queued).execute();
    expect(await text(queued)).toContain('Its trial of 5 rows is done.');
    await db.updateTable('job').set({ waitingFor: 'limit' }).where('id', '=', queued).execute();
    expect(await text(queued)).toContain('more than its limit allows');
  });

  it('says when rows are tried again and why, or that they are held to a rate', async () => {
    const { kysely: db } = idle.database;
    const id = await begin();
    await db.updateTable('job').set({ state: 'running' }).where('id', '=', id).execute();
    await sql`update chunk set due_at = gantry_now() + interval '40 seconds' where job_id = ${id}`.execute(db);
    expect(await text(id)).toMatch(/^Held to the rate of its kind; goes on in (39|40) s\.$/);
    await db.updateTable('chunk').set({ errorMessage: 'The endpoint answered 503.' }).where('jobId', '=', id).execute();
    expect(await text(id)).toMatch(/^Its next rows are tried again in (39|40) s: The endpoint answered 503\.$/);
  });

  it('counts the time of an approval apart from the wait for a worker [G7]', async () => {
    await idle.call('superadmin', 'POST', '/api/v1/operations', {
      key: 'careful',
      title: 'Careful',
      menu: ['Tests'],
      endpoint: 'http://127.0.0.1:9/rows',
      needsApproval: true,
      roles: ['user'],
    });
    const body = { kind: 'operation.careful', params: {}, rows: [{}] };
    const { id } = (await idle.call('user', 'POST', '/api/v1/jobs', body)).body;
    await sql`update approval set requested_at = requested_at - interval '1 hour' where job_id = ${id}`.execute(
      idle.database.kysely,
    );
    const asked = (await ask(`/jobs/${id}`)).body;
    expect(asked).toMatchObject({ state: 'awaiting_approval', waitMs: null });
    expect(asked.approvalMs).toBeGreaterThanOrEqual(3_600_000);
    expect(asked.waitingText).toMatch(/^Waits for one approval by a superadmin, until /);
    expect((await idle.call('superadmin', 'POST', `/api/v1/jobs/${id}/approve`, {})).status).toBe(200);
    const queued = (await ask(`/jobs/${id}`)).body;
    expect(queued).toMatchObject({ state: 'queued', processMs: null });
    expect(queued.waitMs).toBeLessThan(60_000);
    expect(queued.approvalMs).toBeGreaterThanOrEqual(asked.approvalMs);
    expect(queued.approvalMs + queued.waitMs).toBeLessThan(3_660_000);
  });

  it('shows workers by the age of their heartbeat', async () => {
    const { kysely: db } = idle.database;
    await sql`delete from worker`.execute(db);
    const insert = (state: string, age: string) =>
      sql`insert into worker (id, host, pid, version, slots, state, heartbeat_at)
        values (${newId()}, ${state + age}, 1, '1', 1, ${state}, gantry_now() - ${age}::interval)`.execute(db);
    await insert('connected', '1 second');
    await insert('draining', '2 seconds');
    await insert('connected', '1 minute');
    await insert('connected', '20 minutes');
    await insert('stopped', '1 hour');
    const states = (await ask('/workers')).body.items.map((worker: { state: string }) => worker.state);
    expect(states).toEqual(['connected', 'draining', 'unreachable', 'unknown', 'stopped']);
  });
});
