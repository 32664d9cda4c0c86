// The queue board: every page of it loads by itself, from us alone, under the policy of all other pages, and only shows.
import { createQueue } from '../../src/queue/createQueue';
import { createLogger } from '../../src/lib/logger';
import { startTestServer, type TestServer } from '../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const look = (path: string) => server.call('superadmin', 'GET', path);

it.each([
  '/admin/queues',
  '/admin/queues/',
  '/admin/queues/queue/gantry-work',
  '/admin/queues/queue/gantry-work/some-id',
])('loads %s with its files, all from us', async (path) => {
  const page = await look(path);
  expect(page.status).toBe(200);
  expect(page.text).not.toMatch(/https?:\/\//);
  expect(page.text).not.toMatch(/<style| style=/);
  const base = /<base href="([^"]+)"/.exec(page.text)?.[1] ?? '';
  expect(base).toBe('/admin/queues/');
  const files = [...page.text.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map((match) => match[1] ?? '');
  expect(files.filter((file) => file.endsWith('.js')).length).toBeGreaterThan(0);
  expect(files.filter((file) => file.endsWith('.css')).length).toBeGreaterThan(0);
  for (const file of files) {
    const answer = await look(base + file);
    expect([file, answer.status, answer.headers.get('content-type')]).toEqual([
      file,
      200,
      expect.stringMatching(/javascript|css|svg|png/),
    ]);
  }
});

it('lets the board have a base of our own origin, and is no laxer in anything else', async () => {
  const policyOf = async (path: string): Promise<string[]> => {
    const policy = (await look(path)).headers.get('content-security-policy') ?? '';
    return policy
      .replace(/'nonce-[^']+'/, 'nonce')
      .replace(/'sha256-[^']+' /, '')
      .split(';');
  };
  const board = await policyOf('/admin/queues/');
  expect(board).toContain("base-uri 'self'");
  expect(board.join()).not.toContain('unsafe');
  const others = await policyOf('/healthz');
  expect(others).toContain("base-uri 'none'");
  expect(board.filter((each) => !others.includes(each))).toEqual(["base-uri 'self'"]);
});

it('shows both queues and the messages that wait, read-only', async () => {
  const queue = await createQueue({
    databaseUrl: server.database.url,
    logger: createLogger({ level: 'silent' }),
    databaseNow: () => Promise.resolve(new Date()),
  });
  await queue.publish([{ jobId: 'a<b>', run: 2, send: 3 }]);
  await queue.close();
  const answer = await look('/admin/queues/api/queues?activeQueue=gantry-work&status=waiting&page=1&jobsPerPage=10');
  expect(answer.status).toBe(200);
  const queues = answer.body.queues as { name: string; readOnlyMode: boolean; jobs: { data: unknown }[] }[];
  expect(queues.map((each) => [each.name, each.readOnlyMode]).sort()).toEqual([
    ['gantry-wake', true],
    ['gantry-work', true],
  ]);
  const work = queues.find((each) => each.name === 'gantry-work');
  expect(work?.jobs.map((job) => job.data)).toEqual([{ jobId: 'a<b>', run: 2, send: 3 }]);
});

it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('refuses %s and names where to act instead', async (method) => {
  const answer = await server.call('superadmin', method, '/admin/queues/api/queues/gantry-work/pause');
  expect(answer.status).toBe(405);
  expect(answer.body.code).toBe('method_not_allowed');
  expect(answer.body.detail).toContain('nothing was changed');
});
