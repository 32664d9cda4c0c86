// Bodies that are no documents, sent byte for byte (reliability B2): refused in words, no prototype changed, nothing kept of
// what was refused.
import { gzipSync } from 'node:zlib';
import { expectContract } from '../support/expectContract';
import { startTestServer, type Answer, type TestServer } from '../support/webServer';
import { SHAPES } from './stories/shapes';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

async function post(path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    body: body as never,
    headers: {
      Authorization: `Bearer ${server.callers.superadmin.token}`,
      'Content-Type': 'application/json',
      ...headers,
    },
  });
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  const answer = { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null };
  expectContract('POST', path, answer);
  return answer;
}

const countJobs = async (): Promise<number> => {
  const { count } = await server.database.kysely
    .selectFrom('job')
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
};

it.each(SHAPES.map((story) => [story.name, story] as const))('%s', async (_name, { path, body, headers, answer }) => {
  const before = await countJobs();
  const given = await post(path, body, headers);
  expect(answer.length === 1 ? [given.status] : [given.status, given.body?.code]).toEqual(answer);
  expect(await countJobs()).toBe(before + (answer[0] === 202 ? 1 : 0));
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

it('unpacks no more of a gzip bomb than the limit', async () => {
  const bomb = gzipSync(Buffer.alloc(200_000_000, 0x20));
  expect(bomb.length).toBeLessThan(300_000);
  const answer = await post('/api/v1/jobs', bomb, { 'Content-Encoding': 'gzip' });
  expect([answer.status, answer.body.code]).toEqual([413, 'too_large']);
});
