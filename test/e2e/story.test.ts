// The story of every mass action, the same for an operation, a built-in kind and a plug-in's: look before, try the first hundred
// rows, look at the errors by cause, go on, and take it all back. Over the public API, with a real worker, endpoint and queue.
import { sql } from 'kysely';
import { backends } from '../support/engine';
import { startStockEndpoint, type StockEndpoint } from '../support/stockEndpoint';
import { makeStock } from '../support/testKinds';
import { until } from '../support/until';
import { startTestServer, type TestServer } from '../support/webServer';

jest.setTimeout(60_000);

const ROWS = 150;

interface Story {
  kind: string;
  csv: string;
  /** All that the job may change. */
  world(): Promise<unknown>;
}

describe.each(backends())('the three-step story on %s', (backend) => {
  let server: TestServer;
  let endpoint: StockEndpoint;
  const stories: Record<string, Story> = {};

  beforeAll(async () => {
    const redisUrl = backend === 'redis' ? process.env['GANTRY_TEST_REDIS'] : undefined;
    server = await startTestServer({ worker: true, redisUrl });
    endpoint = await startStockEndpoint(ROWS);
    const db = server.database.kysely;
    await makeStock(db, ROWS);
    await sql`
      insert into app_user (id, email, name, role)
      select gen_random_uuid(), 'p' || n || '@x.test', 'Person ' || n, 'user' from generate_series(0, ${ROWS - 1}::int) n`.execute(
      db,
    );
    const operation = { key: 'stock', title: 'Stock', menu: ['Tests'], endpoint: endpoint.url, chunkSize: 20 };
    const flags = { supportsDryRun: true, supportsUndo: true };
    expect((await call('POST', '/operations', { ...operation, ...flags })).status).toBe(201);

    // Rows 7, 17 and 120 are bad for each kind.
    const isBad = (n: number): boolean => [7, 17, 120].includes(n);
    const numbers = Array.from({ length: ROWS }, (_, n) => n);
    const skus = `sku,amount\n${numbers.map((n) => `${isBad(n) ? 'none' : `s${n}`},${100 + n}`).join('\n')}\n`;
    stories['an operation'] = {
      ...{ kind: 'operation.stock', csv: skus },
      world: () => Promise.resolve([...endpoint.stock]),
    };
    stories['a built-in kind'] = {
      kind: 'users.update',
      csv: `email,name,role\n${numbers.map((n) => `${isBad(n) ? 'none' : `p${n}`}@x.test,New ${n},power_user`).join('\n')}\n`,
      world: () => db.selectFrom('appUser').select(['id', 'email', 'name', 'role']).orderBy('email').execute(),
    };
    stories["a plug-in's kind"] = {
      kind: 'test.stock',
      // A CSV holds text alone.
      csv: numbers.map((n) => JSON.stringify({ sku: isBad(n) ? 'none' : `s${n}`, amount: 100 + n })).join('\n'),
      world: async () => (await sql`select * from stock order by sku`.execute(db)).rows,
    };
  });
  afterAll(async () => {
    await endpoint.stop();
    await server.stop();
  });

  const call = (method: string, path: string, body?: unknown) =>
    server.call('superadmin', method, `/api/v1${path}`, body);
  const send = (path: string, { kind, csv }: Story, more: object = {}) => {
    const form = new FormData();
    form.append('job', JSON.stringify({ kind, params: {}, notify: { email: false }, ...more }));
    const type = csv.startsWith('{') ? 'application/x-ndjson' : 'text/csv';
    form.append('rows', new Blob([csv], { type }), 'rows');
    return call('POST', path, form);
  };
  const jobWhen = async (id: string, ready: (job: { state: string; group: string }) => boolean, what: string) => {
    let job = (await call('GET', `/jobs/${id}`)).body;
    await until(async () => ready((job = (await call('GET', `/jobs/${id}`)).body)), what);
    return job;
  };
  const ended = (id: string) => jobWhen(id, (job) => job.group === 'processed', 'the end of the job');

  it.each(['an operation', 'a built-in kind', "a plug-in's kind"])('[G27] [G29] [G40] %s', async (name) => {
    const story = stories[name] as Story;
    const before = await story.world();

    const seen = await send('/jobs/preview', story);
    expect(seen.body).toMatchObject({ total: ROWS, judged: 100, judgedBy: 'kind', wouldSucceed: 98, wouldFail: 2 });
    expect(await story.world()).toEqual(before);

    const started = await send('/jobs', story, { trial: 100 });
    expect(started.status).toBe(202);
    const { id } = started.body;
    const tried = await jobWhen(id, (job) => job.state === 'paused', 'the end of the trial');
    expect(tried).toMatchObject({
      waitingFor: 'trial',
      errorCount: 2,
      progress: { total: ROWS, done: 100, failed: 2 },
    });
    expect(tried.allowedActions).toContain('resume');

    const groups = await call('GET', `/jobs/${id}/errors/groups`);
    expect(groups.body.items).toEqual([
      expect.objectContaining({
        code: story.kind === 'users.update' ? 'unknown_user' : 'no_such_sku',
        count: 2,
        firstRowIndex: 7,
      }),
    ]);

    expect((await call('POST', `/jobs/${id}/resume`, {})).status).toBe(200);
    const done = await ended(id);
    expect(done).toMatchObject({
      state: 'completed_with_errors',
      errorCount: 3,
      progress: { total: ROWS, done: ROWS, percent: 100 },
    });
    expect(done.allowedActions).toContain('undo');
    expect(await story.world()).not.toEqual(before);

    const undo = await call('POST', `/jobs/${id}/undo`, {});
    expect(undo.status).toBe(202);
    expect(undo.headers.get('location')).toBe(`/api/v1/jobs/${undo.body.id}`);
    expect(undo.body).toMatchObject({ undoOf: id, derivedFrom: id, kind: story.kind });
    expect(await ended(undo.body.id)).toMatchObject({ state: 'succeeded', progress: { total: ROWS - 3, failed: 0 } });
    expect(await story.world()).toEqual(before);
    const after = (await call('GET', `/jobs/${id}`)).body;
    expect(after).toMatchObject({ undoneBy: undo.body.id, state: 'completed_with_errors' });
    expect(after.allowedActions).not.toContain('undo');
  });

  it('[G56] names the job in every call of an operation, and in the audit of what its rows did', async () => {
    const jobs = (await call('GET', '/jobs?kind=operation.stock&sort=createdAt')).body.items as { id: string }[];
    const real = endpoint.calls.filter(({ body }) => !body.dryRun);
    expect(new Set(real.map(({ headers }) => headers['x-gantry-job']))).toEqual(new Set(jobs.map(({ id }) => id)));
    for (const { headers, body } of endpoint.calls) expect(headers['x-gantry-job']).toBe(body.jobId);
    const audits = (await call('GET', '/audit?limit=100')).body.items as { action: string; jobId: string | null }[];
    const [update, undo] = (await call('GET', '/jobs?kind=users.update&sort=createdAt')).body.items as { id: string }[];
    for (const { action, jobId } of audits) {
      if (action === 'user.change') expect([update?.id, undo?.id]).toContain(jobId);
      else expect(jobId).toBeNull();
    }
    expect(audits.some(({ action }) => action === 'user.change')).toBe(true);
  });

  it('[G28] calls an operation once for each chunk of rows, and undoes under the indexes they had', () => {
    const calls = endpoint.calls.filter(({ body }) => !body.dryRun);
    const first = calls.filter(({ body }) => !body.undo);
    // 150 rows in chunks of 20; the trial of 100 ends where a chunk does.
    expect(first).toHaveLength(Math.ceil(ROWS / 20));
    const undone = calls.filter(({ body }) => body.undo).flatMap(({ body }) => body.rows);
    expect(undone).toHaveLength(ROWS - 3);
    for (const { rowIndex, data, before } of undone) {
      expect(data).toEqual({ sku: `s${rowIndex}`, amount: String(100 + rowIndex) });
      expect(before).toEqual({ amount: 10 });
    }
    for (const { body } of calls) if (body.undo) expect(body.undoOf).toBe(first[0]?.body.jobId);
  });
});
