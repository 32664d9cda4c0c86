// A8: the headers of every answer there is: each route, with and without a caller, refusals, downloads, pages, and rubbish.
import { connect } from 'node:net';
import { fullPath } from '../../../src/api/router';
import { allRoutes } from '../../../src/api/routes/allRoutes';
import { newId } from '../../../src/lib/ids';
import { buildJob } from '../../support/factories';
import { startTestServer, type Answer, type TestServer } from '../../support/webServer';

let server: TestServer;
let jobId: string;
beforeAll(async () => {
  server = await startTestServer({ env: { BASE_URL: 'https://gantry.example' } });
  const owner = { ...server.callers.superadmin, name: 'The owner' };
  jobId = (await buildJob(server.database.kysely, { state: 'failed', owner, rows: 10 })).id;
}, 60_000);
afterAll(() => server.stop());

function expectHeaders(answer: Pick<Answer, 'headers' | 'text' | 'status'>, isApi: boolean): void {
  const { headers } = answer;
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe-(inline|eval)|\*/);
  expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d{8,}; includeSubDomains$/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('x-powered-by')).toBeNull();
  expect(headers.get('server')).toBeNull();
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  if (isApi) expect(headers.get('cache-control')).toBe('no-store');
  expect(answer.text).not.toMatch(/\n\s+at .+:\d+:\d+|node_modules/);
}

const addressOf = (path: string): string =>
  path.replace(/:(\w+)/g, (_all, name: string) =>
    name === 'jobId' || name === 'hash'
      ? jobId
      : /^(project|stage|scenario|artifact|deployment|history)Id$/.test(name)
        ? '9'
        : newId(),
  );
const routes = allRoutes
  .filter(({ endpoint }) => endpoint.path !== '/stream')
  .map(({ endpoint }) => [endpoint.method.toUpperCase(), fullPath({ endpoint })] as const);

it.each(routes)('%s %s', async (method, path) => {
  const isApi = /^\/(api\/v1|metrics|manage)/.test(path);
  const body = method === 'GET' || method === 'DELETE' ? undefined : {};
  for (const role of ['superadmin', 'user', null] as const)
    expectHeaders(await server.call(role, method, addressOf(path), body), isApi);
});

it('the stream of events', async () => {
  const end = new AbortController();
  const headers = { Authorization: `Bearer ${server.callers.user.token}` };
  const answer = await fetch(`${server.url}/api/v1/stream`, { headers, signal: end.signal });
  expectHeaders({ status: answer.status, headers: answer.headers, text: '' }, true);
  end.abort();
});

it.each([
  '/',
  '/admin',
  '/admin/',
  '/admin/jobs/x',
  '/admin/nothing.js',
  '/admin/queues/',
  '/admin/queues/nothing',
  '/api/docs',
  '/api/docs/',
  '/api/docs/nothing.css',
  '/api/openapi.json',
  '/nothing',
  '/api/v1/nothing',
  '/api/v1/jobs/%00',
  '/%',
])('GET %s', async (path) => {
  for (const role of ['superadmin', null] as const)
    expectHeaders(await server.call(role, 'GET', path), path.startsWith('/api/v1'));
});

it('what is refused before any route is looked for', async () => {
  const bad: [string, string, string, Record<string, string>][] = [
    ['POST', '/api/v1/tokens', '{', { 'Content-Type': 'application/json' }],
    ['POST', '/api/v1/tokens', `{"name":"${'x'.repeat(13_000_000)}"}`, { 'Content-Type': 'application/json' }],
    ['POST', '/api/v1/tokens', '{}', { 'Content-Type': 'text/plain' }],
    ['POST', '/api/v1/jobs', 'x', { 'Content-Type': 'multipart/form-data' }],
  ];
  for (const [method, path, body, headers] of bad)
    expectHeaders(await server.call('superadmin', method, path, body, headers), true);
  expectHeaders(await server.call(null, 'GET', '/api/v1/me', undefined, { Authorization: 'Bearer wrong' }), true);
  expectHeaders(await server.call('superadmin', 'OPTIONS', '/api/v1/jobs'), true);
  expectHeaders(await server.call('superadmin', 'HEAD', '/api/v1/jobs'), true);
});

it.each([
  ['no HTTP', 'rubbish\r\n\r\n', /^HTTP\/1\.1 400 /],
  ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
])('%s', async (_name, sent, status) => {
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(sent));
    socket.on('data', (part) => (text += part.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
  expect(answer).toMatch(status);
  for (const header of ['X-Content-Type-Options: nosniff', "frame-ancestors 'none'", 'no-referrer', 'no-store'])
    expect(answer).toContain(header);
});
