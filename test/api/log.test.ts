// The log of a job over HTTP: the whole as a text file, and by lines for whoever follows it.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sql } from 'kysely';
import { newId } from '../../src/lib/ids';
import { startTestServer, type TestServer } from '../support/webServer';
import { until } from '../support/until';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ worker: true });
}, 60_000);
afterAll(() => server.stop());

async function ended(body: object): Promise<string> {
  const { id } = (await server.call('superadmin', 'POST', '/api/v1/jobs', body)).body;
  const at = `/api/v1/jobs/${id}`;
  await until(
    async () => (await server.call('superadmin', 'GET', at)).body.group === 'processed',
    'the job to end',
    20_000,
  );
  return id;
}
const log = (id: string, query = '') => server.call('superadmin', 'GET', `/api/v1/jobs/${id}/log${query}`);

beforeAll(async () => {
  await sql`create table effect (job_id uuid not null, row_index bigint not null)`.execute(server.database.kysely);
});

it('tells the timeline, every chunk and every failed row by its index in the input, of each run [G30]', async () => {
  const rows = Array.from({ length: 250 }, (_, index) => ({ bad: index % 100 === 42 }));
  const id = await ended({ kind: 'test.effects', params: {}, rows });
  const { text, headers } = await log(id);
  expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
  const lines = text.trimEnd().split('\n');
  expect(lines.filter((line) => / job INFO {2}/.test(line)).map((line) => line.split(' ')[5])).toEqual([
    'requested',
    'started',
    'ended',
  ]);
  const places = lines.flatMap((line) => / run=1 (rows? [\d-]+) /.exec(line)?.[1] ?? []);
  expect(places).toEqual(['rows 0-99', 'row 42', 'rows 100-199', 'row 142', 'rows 200-249', 'row 242']);
  expect(text).toMatch(/ row 142 ERROR bad: This row is bad\. \(try 1\)\n/);

  expect((await server.call('superadmin', 'POST', `/api/v1/jobs/${id}/requeue`, { only: 'failed' })).status).toBe(200);
  await until(async () => (await log(id, '?run=2')).text.includes(' ended '), 'the second run to end');
  const second = (await log(id, '?run=2')).text;
  expect(second.match(/ rows? [\d-]+ /g)).toEqual([
    ' rows 42-42 ',
    ' row 42 ',
    ' rows 142-142 ',
    ' row 142 ',
    ' rows 242-242 ',
    ' row 242 ',
  ]);
  expect((await log(id)).text.startsWith(text)).toBe(true);
  expect((await log(id, '?run=3')).text).toBe('');
});

it('shows a level and those above it, so that errors are never hidden [G31]', async () => {
  const levels = ['debug', 'info', 'warn', 'error'] as const;
  const id = await ended({ kind: 'test.teller', params: { log: levels.map((level) => [level, `a ${level}`]) } });
  for (const [index, level] of levels.entries()) {
    const own = (await log(id, `?level=${level}`)).text.match(/ #\d+ (\w+)/g);
    expect(own?.map((text) => text.split(' ')[2]?.toLowerCase())).toEqual(levels.slice(index));
    const { body } = await server.call('superadmin', 'GET', `/api/v1/jobs/${id}/log/lines?level=${level}`);
    expect(body.items.map((line: { level: string }) => line.level)).toEqual(levels.slice(index));
  }
  expect((await log(id, '?level=fatal')).status).toBe(422);
});

it('is paged by number', async () => {
  const id = await ended({
    kind: 'test.teller',
    params: { log: Array.from({ length: 5 }, (_, n) => ['info', `${n}`]) },
  });
  const page = (query: string) => server.call('superadmin', 'GET', `/api/v1/jobs/${id}/log/lines${query}`);
  const first = await page('?limit=2&after=1');
  expect(first.body.items.map((line: { seq: number }) => line.seq)).toEqual([2, 3]);
  const second = await page(`?limit=2&cursor=${first.body.nextCursor}`);
  expect(second.body).toMatchObject({ items: [{ seq: 4 }, { seq: 5 }], nextCursor: null });
  expect((await page('?after=5')).body).toEqual({ items: [], nextCursor: null });
  expect((await page('?after=-1')).status).toBe(422);
  expect((await page('?limit=1001')).status).toBe(422);
});

it('keeps one line for each event, whatever a message holds', async () => {
  const forged = 'done\r\n2026-01-01T00:00:00.000Z run=1 #9 ERROR forged\u001b[2J\u202e\u2028end';
  const id = await ended({ kind: 'test.teller', params: { log: [['info', forged]] } });
  const { text } = await log(id, '?level=debug');
  expect(text.split('\n').filter((line) => line.includes('forged'))).toEqual([
    expect.stringMatching(
      / #1 INFO {2}done\\r\\n2026-01-01T00:00:00.000Z run=1 #9 ERROR forged\\u001b\[2J\\u202e\\u2028end$/,
    ),
  ]);
  const { body } = await server.call('superadmin', 'GET', `/api/v1/jobs/${id}/log/lines`);
  expect(body.items[0].message).toBe(forged);
});

it('is there for its owner and for nobody else', async () => {
  const own = (await server.call('user', 'POST', '/api/v1/jobs', { kind: 'test.teller', params: {} })).body.id;
  for (const path of ['log', 'log/lines']) {
    expect((await server.call('user', 'GET', `/api/v1/jobs/${own}/${path}`)).status).toBe(200);
    expect((await server.call('power_user', 'GET', `/api/v1/jobs/${own}/${path}`)).status).toBe(404);
  }
});

const LINES = 200_000;
const WIDTH = 300;

it('streams two hundred thousand lines without holding them in memory [G30]', async () => {
  const id = await ended({ kind: 'test.teller', params: {} });
  await sql`insert into log_line (job_id, run, line, level, message)
    select ${id}, 1, line, 'info', rpad(line || ' ', ${WIDTH}, ${newId()}) from generate_series(1, ${LINES}) line`.execute(
    server.database.kysely,
  );
  const response = await fetch(`${server.url}/api/v1/jobs/${id}/log`, {
    headers: { Authorization: `Bearer ${server.callers.superadmin.token}` },
  });
  // What is still alive after a collection, in the process that both sends and receives.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const alive = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = alive();
  let highest = 0;
  let measuredAt = 0;
  let bytes = 0;
  let lines = 0;
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    for (let at = part.indexOf(10); at !== -1; at = part.indexOf(10, at + 1)) lines += 1;
    if (bytes - measuredAt < 10_000_000) continue;
    measuredAt = bytes;
    highest = Math.max(highest, alive());
  }
  expect(lines).toBeGreaterThanOrEqual(LINES + 3);
  expect(bytes).toBeGreaterThan(LINES * WIDTH);
  expect(highest - before).toBeLessThan(20_000_000);
}, 60_000);
