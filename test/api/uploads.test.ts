// Uploads that are not what they should be: told what was wrong, and nothing of them is kept.
import { connect } from 'node:net';
import { discardStaged } from '../../src/jobs/commands/stageRows';
import { until } from '../support/until';
import { startTestServer, type Answer, type TestServer } from '../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { MAX_UPLOAD_MB: '1' } });
}, 60_000);
afterAll(() => server.stop());

const JOB = '{"kind":"test.effects","params":{}}';
type Part = [name: string, content: string, type?: string, fileName?: string];
const send = (parts: Part[]): Promise<Answer> => {
  const form = new FormData();
  for (const [name, content, type, fileName] of parts) {
    if (type === undefined) form.append(name, content);
    else form.append(name, new Blob([content], { type }), fileName ?? 'rows.csv');
  }
  return server.call('superadmin', 'POST', '/api/v1/jobs', form);
};
/** Everything that an upload or a job could have left. */
const traces = async (): Promise<number[]> => {
  const tables = ['upload', 'jobInput', 'job', 'run', 'chunk', 'outbox', 'idempotency'] as const;
  return Promise.all(
    tables.map(async (table) => {
      const row = await server.database.kysely
        .selectFrom(table)
        .select((select) => select.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return row.count;
    }),
  );
};

const CSV = 'text/csv';
const ROWS: Part = ['rows', 'a,b\n1,2\n', CSV];
it.each<[string, Part[], number, string, RegExp]>([
  ['rows before the job', [ROWS, ['job', JOB]], 400, 'bad_request', /`job` comes first/],
  ['an unknown part', [['job', JOB], ROWS, ['extra', 'x']], 400, 'bad_request', /"extra"/],
  ['rows twice', [['job', JOB], ROWS, ROWS], 400, 'bad_request', /"rows".*twice/],
  ['the job twice', [['job', JOB], ['job', JOB], ROWS], 400, 'bad_request', /`job` came twice/],
  ['a job that is no JSON', [['job', '{"kind'], ROWS], 400, 'bad_request', /no readable JSON/],
  ['a job nested too deep', [['job', `{"kind":${'['.repeat(40)}`], ROWS], 400, 'bad_request', /deeper/],
  ['a job too large', [['job', `{"kind":"${'x'.repeat(1_100_000)}"}`], ROWS], 413, 'too_large', /`job`/],
  [
    'rows inside the job, too',
    [['job', '{"kind":"test.effects","params":{},"rows":[]}'], ROWS],
    422,
    'invalid',
    /fields/,
  ],
  ['a kind that is not there', [['job', '{"kind":"nothing"}'], ROWS], 422, 'invalid', /fields/],
  ['a kind that takes no rows', [['job', '{"kind":"test.echo","params":{"value":1}}'], ROWS], 422, 'invalid', /fields/],
  [
    'rows of another type',
    [
      ['job', JOB],
      ['rows', 'x', 'image/png'],
    ],
    415,
    'wrong_type',
    /image\/png/,
  ],
  [
    'rows of no known type',
    [
      ['job', JOB],
      ['rows', 'x', 'application/octet-stream', 'x.bin'],
    ],
    415,
    'wrong_type',
    /csv/,
  ],
  [
    'more than the limit',
    [
      ['job', JOB],
      ['rows', 'a,b\n' + '1,2\n'.repeat(270_000), CSV],
    ],
    413,
    'too_large',
    /MAX_UPLOAD_MB/,
  ],
  [
    'much more than the limit',
    [
      ['job', JOB],
      ['rows', 'a,b\n' + '1,2\n'.repeat(1_000_000), CSV],
    ],
    413,
    'too_large',
    /MAX_UPLOAD_MB/,
  ],
  [
    'NDJSON with a broken line',
    [
      ['job', JOB],
      ['rows', '{"a":1}\n{"a":\n', 'application/x-ndjson'],
    ],
    422,
    'bad_upload',
    /./,
  ],
  [
    'NDJSON with a row nested too deep',
    [
      ['job', JOB],
      ['rows', `{"a":${'['.repeat(40)}1${']'.repeat(40)}}\n`, 'application/x-ndjson'],
    ],
    422,
    'bad_upload',
    /./,
  ],
  [
    'a header only',
    [
      ['job', JOB],
      ['rows', 'a,b\n', CSV],
    ],
    422,
    'no_rows',
    /./,
  ],
])('%s', async (_name, parts, status, code, detail) => {
  const before = await traces();
  const answer = await send(parts);
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(answer.body.detail).toMatch(detail);
  expect(await traces()).toEqual(before);
});

it.each([
  ['application/octet-stream', 'Rows.CSV'],
  ['application/vnd.ms-excel', 'rows.csv'],
])('takes a file of type %s by its name %s', async (type, fileName) => {
  expect(
    (
      await send([
        ['job', JOB],
        ['rows', 'a,b\n1,2\n', type, fileName],
      ])
    ).status,
  ).toBe(202);
});

it('takes NDJSON by its name', async () => {
  const rows: Part = ['rows', '{"a":1}\n{"a":2}\n', 'application/octet-stream', 'rows.jsonl'];
  expect((await send([['job', JOB], rows])).body.progress.total).toBe(2);
});

it('names the first hundred faults with row, line and column', async () => {
  const answer = await send([
    ['job', JOB],
    ['rows', 'a,b\n' + '1\n'.repeat(150), CSV],
  ]);
  expect([answer.status, answer.body.code, answer.body.faults.length]).toEqual([422, 'bad_upload', 100]);
  expect(answer.body.faults[0]).toMatchObject({ rowIndex: 0, line: 2 });
  expect(answer.body.faults[99]).toMatchObject({ rowIndex: 99, line: 101 });
});

/** A raw request that ends in the middle, as when a browser tab is closed. */
async function sendHalf(half: string, contentLength: number): Promise<void> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const head = [
    'POST /api/v1/jobs HTTP/1.1',
    `Host: ${hostname}`,
    `Authorization: Bearer ${server.callers.superadmin.token}`,
    'Content-Type: multipart/form-data; boundary=x',
    `Content-Length: ${contentLength}`,
    'Idempotency-Key: broken-off',
  ];
  await new Promise<void>((resolve) => socket.write(`${head.join('\r\n')}\r\n\r\n${half}`, () => resolve()));
  await until(async () => (await traces())[6] === 1, 'the upload to be under way');
  socket.destroy();
}

it('leaves nothing of an upload that broke off, its Idempotency-Key included', async () => {
  const before = await traces();
  const begin =
    `--x\r\nContent-Disposition: form-data; name="job"\r\n\r\n${JOB}\r\n` +
    `--x\r\nContent-Disposition: form-data; name="rows"; filename="r.csv"\r\nContent-Type: text/csv\r\n\r\na,b\n`;
  for (const rows of ['', '1,2\n'.repeat(20_000), `1,2\n\r\n--x\r\n`]) {
    await sendHalf(begin + rows, 900_000);
    await until(async () => JSON.stringify(await traces()) === JSON.stringify(before), 'nothing to be left');
  }
  const form = new FormData();
  form.append('job', JOB);
  form.append('rows', new Blob(['a,b\n1,2\n'], { type: CSV }), 'r.csv');
  const whole = await server.call('superadmin', 'POST', '/api/v1/jobs', form, { 'Idempotency-Key': 'broken-off' });
  expect([whole.status, whole.headers.get('idempotency-replayed')]).toEqual([202, null]);
});

it('never takes back the rows of a job that was published', async () => {
  const { body: job } = await send([['job', JOB], ROWS]);
  const before = await traces();
  await discardStaged(server.database.kysely, job.id);
  expect(await traces()).toEqual(before);
});
