// Multipart bodies against the real web service (reliability B9): refused ones leave neither rows nor files, and the process
// goes on as before.
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { expectContract } from '../support/expectContract';
import { until } from '../support/until';
import { startTestServer, type Answer, type TestServer } from '../support/webServer';
import { ARTIFACTS, TYPE, UPLOADS } from './stories/multiparts';

jest.setTimeout(30_000);

let server: TestServer;
let projectId: number;
beforeAll(async () => {
  server = await startTestServer({ env: { MAX_UPLOAD_MB: '1' } });
  projectId = (await server.call('superadmin', 'POST', '/api/v1/projects', { name: 'p' })).body.id;
}, 60_000);
afterAll(() => server.stop());

async function post(at: string, body: string, contentType: string): Promise<Answer> {
  const response = await fetch(server.url + at, {
    method: 'POST',
    body: Buffer.from(body, 'latin1'),
    headers: { Authorization: `Bearer ${server.callers.superadmin.token}`, 'Content-Type': contentType },
  });
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  const answer = { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null };
  expectContract('POST', at, answer);
  return answer;
}

/** Everything that an upload could have left: rows of tables, and files. */
async function traces(): Promise<number[]> {
  const tables = ['upload', 'jobInput', 'job', 'artifact'] as const;
  const counts = tables.map(async (table) => {
    const { count } = await server.database.kysely
      .selectFrom(table)
      .select((select) => select.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return Number(count);
  });
  const folder = path.join(server.config.dataDir, 'artifacts');
  return [...(await Promise.all(counts)), existsSync(folder) ? readdirSync(folder).length : 0];
}

it.each(UPLOADS.map((story) => [story.name, story] as const))('rows: %s', async (_name, story) => {
  const before = await traces();
  const answer = await post('/api/v1/jobs', story.body, story.contentType ?? TYPE);
  expect(story.answer).toContain(answer.status);
  if (answer.status === 202) {
    expect(answer.body.progress.total).toBe(story.rows ?? 1);
    return;
  }
  expect(await traces()).toEqual(before);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

it.each(ARTIFACTS.map((story) => [story.name, story] as const))('artifact: %s', async (_name, story) => {
  const before = await traces();
  const answer = await post(`/api/v1/projects/${projectId}/artifacts`, story.body, story.contentType ?? TYPE);
  expect(story.answer).toContain(answer.status);
  if (answer.status === 201) {
    expect(answer.body.name).not.toMatch(/[/\\\u0000]/);
    return;
  }
  expect(await traces()).toEqual(before);
});

it('keeps no artifact when what comes long after it is refused', async () => {
  const before = await traces();
  const [whole = '', late = ''] = [
    ARTIFACTS[0]?.body ?? '',
    '--x\r\nContent-Disposition: form-data; name="more"\r\n\r\nx\r\n--x--\r\n',
  ];
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.from(whole.replace('--x--\r\n', '--x\r\n'));
    await until(async () => (await traces())[4] === (before[4] ?? 0) + 1, 'the file to be written');
    yield Buffer.from(late.slice('--x\r\n'.length));
  }
  const response = await fetch(`${server.url}/api/v1/projects/${projectId}/artifacts`, {
    method: 'POST',
    body: body() as never,
    duplex: 'half',
    headers: { Authorization: `Bearer ${server.callers.superadmin.token}`, 'Content-Type': TYPE },
  } as RequestInit);
  expect(response.status).toBe(422);
  expect(await traces()).toEqual(before);
});

it('lives through uploads that break off anywhere, and keeps nothing of them', async () => {
  const before = await traces();
  const whole = UPLOADS[0]?.body ?? '';
  const artifact = ARTIFACTS[0]?.body ?? '';
  const { hostname, port } = new URL(server.url);
  const breakOff = (at: string, body: string): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(Number(port), hostname);
      const head = [
        `POST ${at} HTTP/1.1`,
        `Host: ${hostname}`,
        `Authorization: Bearer ${server.callers.superadmin.token}`,
        `Content-Type: ${TYPE}`,
        'Content-Length: 100000',
      ].join('\r\n');
      socket.on('error', () => undefined);
      socket.once('close', () => resolve());
      socket.write(`${head}\r\n\r\n${body}`, () => socket.destroy());
    });
  for (let cut = 0; cut < 100; cut += 1) {
    await breakOff('/api/v1/jobs', whole.slice(0, Math.floor((whole.length * cut) / 100)));
    await breakOff(
      `/api/v1/projects/${projectId}/artifacts`,
      artifact.slice(0, Math.floor((artifact.length * cut) / 100)),
    );
  }
  await until(async () => JSON.stringify(await traces()) === JSON.stringify(before), 'nothing to be left', 20_000);
  expect((await post('/api/v1/jobs', whole, TYPE)).status).toBe(202);
});
