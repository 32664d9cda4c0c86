// POST /jobs/preview: what a job would do, over the real API: rows before and after, refusals, and nothing changed.
import { connect } from 'node:net';
import { sql } from 'kysely';
import { startStockEndpoint, type StockEndpoint } from '../../support/stockEndpoint';
import { makeStock } from '../../support/testKinds';
import { startTestServer, type Answer, type TestServer } from '../../support/webServer';

jest.setTimeout(30_000);

let server: TestServer;
let endpoint: StockEndpoint;
beforeAll(async () => {
  server = await startTestServer();
  endpoint = await startStockEndpoint(5);
  await makeStock(server.database.kysely, 5);
  for (const [key, more] of Object.entries({
    dry: { supportsDryRun: true, secret: 'a secret of some length', chunkSize: 40 },
    plain: { rowSchema: { type: 'object', required: ['sku'] } },
  })) {
    const operation = { key, title: key, menu: ['Tests'], endpoint: endpoint.url, ...more };
    expect((await server.call('superadmin', 'POST', '/api/v1/operations', operation)).status).toBe(201);
  }
});
afterAll(async () => {
  await endpoint.stop();
  await server.stop();
});

const preview = (body: unknown, as: 'user' | 'superadmin' | null = 'superadmin'): Promise<Answer> =>
  server.call(as, 'POST', '/api/v1/jobs/preview', body);

/** Everything a preview might have left behind. */
async function traces(): Promise<string> {
  const db = server.database.kysely;
  const { rows } = await sql<{ text: string }>`
    select (select json_agg(stock order by sku) from stock)::text || (select json_agg(u order by id) from app_user u)::text
      || (select count(*) from job) || ':' || (select count(*) from job_input) || ':' || (select count(*) from upload)
      || ':' || (select count(*) from audit) || ':' || (select count(*) from change) || ':' || (select count(*) from undo_value) as text`.execute(
    db,
  );
  return rows[0]?.text ?? '';
}

function upload(job: object, rows: string, type = 'text/csv'): FormData {
  const form = new FormData();
  form.append('job', JSON.stringify(job));
  form.append('rows', new Blob([rows], { type }), 'rows');
  return form;
}

it('judges rows by the kind and changes nothing at all', async () => {
  const before = await traces();
  const rows = [{ sku: 's0', amount: 7 }, { sku: 'none', amount: 1 }, { sku: 's1' }, { sku: 's0', amount: 8 }];
  const { status, body } = await preview({ kind: 'test.stock', params: {}, rows });
  expect(status).toBe(200);
  expect(body).toMatchObject({ total: 4, judged: 4, judgedBy: 'kind', wouldSucceed: 2, wouldSkip: 0, wouldFail: 2 });
  expect(body.rows).toEqual([
    { rowIndex: 0, before: { amount: 10 }, after: { amount: 7 }, skipped: false, refusal: null },
    {
      rowIndex: 1,
      before: { amount: null },
      after: { amount: 1 },
      skipped: false,
      refusal: expect.objectContaining({ code: 'no_such_sku' }),
    },
    {
      rowIndex: 2,
      before: null,
      after: null,
      skipped: false,
      refusal: expect.objectContaining({ code: 'invalid_row' }),
    },
    // As the row before it would leave it.
    { rowIndex: 3, before: { amount: 7 }, after: { amount: 8 }, skipped: false, refusal: null },
  ]);
  expect(body.refusals.map((group: { code: string; count: number }) => [group.code, group.count])).toEqual([
    ...[
      ['no_such_sku', 1],
      ['invalid_row', 1],
    ],
  ]);
  expect(await traces()).toBe(before);
});

it('judges users by their accounts, from a CSV, and changes none', async () => {
  const before = await traces();
  const csv = 'email,name,role\nuser@example.org,New name,\nsuperadmin@example.org,,user\nuser@example.org,New name,\n';
  const { status, body } = await preview(upload({ kind: 'users.update', params: {} }, csv));
  expect(status).toBe(200);
  expect(body).toMatchObject({ total: 3, wouldSucceed: 1, wouldSkip: 1, wouldFail: 1 });
  expect(body.rows[0]).toMatchObject({ before: { name: 'A user' }, after: { name: 'New name' } });
  expect(body.rows[1].refusal.code).toBe('own_role');
  expect(await traces()).toBe(before);
});

it('asks an operation by a signed dry run, chunk by chunk, and one that knows none not at all', async () => {
  const before = endpoint.calls.length;
  const rows = Array.from({ length: 120 }, (_, n) => ({ sku: n === 3 ? 'none' : 's1', amount: n }));
  const dry = await preview({ kind: 'operation.dry', params: { day: 1 }, rows });
  expect(dry.body).toMatchObject({ total: 120, judged: 100, judgedBy: 'kind', wouldSucceed: 99, wouldFail: 1 });
  expect(dry.body.rows[5]).toMatchObject({ before: { amount: 10 }, after: { amount: 5 } });
  const calls = endpoint.calls.slice(before);
  expect(calls.map((call) => [call.body.dryRun, call.body.rows.length])).toEqual([
    [true, 40],
    [true, 40],
    [true, 20],
  ]);
  expect(calls[0]?.headers['x-gantry-signature']).toMatch(/^v1=[0-9a-f]{64}$/);
  expect(endpoint.stock.get('s1')).toBe(10);
  const plain = await preview({ kind: 'operation.plain', params: {}, rows: [{ sku: 's1' }, {}] });
  expect(plain.body).toMatchObject({ judgedBy: 'schema', wouldSucceed: 1, wouldFail: 1 });
  expect(endpoint.calls).toHaveLength(before + 3);
});

it('says that an operation could not be asked', async () => {
  const operation = { key: 'away', title: 'away', menu: ['T'], endpoint: 'http://127.0.0.1:9/x', supportsDryRun: true };
  await server.call('superadmin', 'POST', '/api/v1/operations', operation);
  const answer = await preview({ kind: 'operation.away', params: {}, rows: [{}] });
  expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
});

it('refuses what would refuse the job', async () => {
  const rows = [{ email: 'user@example.org' }];
  expect((await preview({ kind: 'users.deactivate', params: {}, rows }, null)).status).toBe(401);
  expect((await preview({ kind: 'users.deactivate', params: {}, rows }, 'user')).status).toBe(403);
  expect((await preview({ kind: 'users.deactivate', params: { x: 1 }, rows })).body.code).toBe('invalid');
  expect((await preview({ kind: 'no.kind', params: {}, rows })).status).toBe(422);
  expect((await preview({ kind: 'users.deactivate', params: {} })).body.code).toBe('no_rows');
  expect((await preview(upload({ kind: 'users.deactivate', params: {} }, 'email\n'))).body.code).toBe('no_rows');
  const broken = await preview(upload({ kind: 'users.deactivate', params: {} }, 'email\na@x.test,b\n'));
  expect(broken).toMatchObject({ status: 422, body: { code: 'bad_upload' } });
  expect(
    (await server.call('superadmin', 'POST', '/api/v1/jobs/preview', 'x', { 'Content-Type': 'text/plain' })).status,
  ).toBe(415);
});

it('checks the parameters of kinds without rows', async () => {
  expect((await preview({ kind: 'test.work', params: { ms: 1 } })).body).toMatchObject({
    judgedBy: 'params',
    judged: 0,
    total: null,
  });
  expect((await preview({ kind: 'test.work', params: {} })).status).toBe(422);
});

it('answers an upload of any size early, well, and without storing it', async () => {
  const before = await traces();
  const line = `s0,5,${'x'.repeat(1000)}\n`;
  const answer = await preview(upload({ kind: 'operation.dry', params: {} }, `sku,amount,pad\n${line.repeat(8000)}`));
  expect(answer.body).toMatchObject({ judged: 100, total: null, wouldSucceed: 100 });
  // A sender that never ends gets its answer, too.
  const url = new URL(server.url);
  const socket = connect(Number(url.port), url.hostname);
  const head = ['--b', 'Content-Disposition: form-data; name="job"', '', '{"kind":"operation.dry","params":{}}', '--b'];
  const rowsHead = [
    'Content-Disposition: form-data; name="rows"; filename="r.csv"',
    'Content-Type: text/csv',
    '',
    'sku,amount,pad',
    '',
  ];
  socket.write(
    `POST /api/v1/jobs/preview HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.callers.superadmin.token}\r\n` +
      `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000000\r\n\r\n${[...head, ...rowsHead].join('\r\n')}`,
  );
  socket.write(line.repeat(1500));
  const text = await new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(bytes.toString())));
  expect(text).toMatch(/^HTTP\/1\.1 200/);
  socket.destroy();
  expect(await traces()).toBe(before);
});

it('stands back from work that holds what it would judge', async () => {
  const db = server.database.kysely;
  await db.transaction().execute(async (tx) => {
    await sql`select 1 from stock where sku = 's4' for update`.execute(tx);
    const answer = await preview({ kind: 'test.stock', params: {}, rows: [{ sku: 's4', amount: 1 }] });
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  });
});
