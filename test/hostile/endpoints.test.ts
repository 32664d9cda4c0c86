// Endpoints that lead inside (reliability B6), from the request that makes the operation over previews to a job's calls: a canary
// listens where they lead and meets nobody.
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { createCallOperation } from '../../src/jobs/massActions/callOperation';
import type { Resolve } from '../../src/jobs/massActions/hostGuard';
import { buildOperation } from '../support/factories';
import { until } from '../support/until';
import { startTestServer, type TestServer } from '../support/webServer';
import { ENDPOINTS, type EndpointStory } from './stories/endpoints';

let server: TestServer;
let port = 0;
const canaries: Server[] = [];
let reached: string[] = [];
let allowed: HttpServer;
const jobs = new Map<string, string>();

const keyOf = (story: EndpointStory): string => `story_${ENDPOINTS.indexOf(story)}`;
const endpointOf = ({ endpoint }: EndpointStory): string => endpoint.replaceAll('{port}', String(port));

const jobOf = (story: EndpointStory) => ({ kind: `operation.${keyOf(story)}`, params: {}, rows: [{ id: 1 }] });

/** A canary at one address; the first takes any port and the others the same. */
async function listen(host: string): Promise<void> {
  const canary = createServer((socket) => {
    reached.push(host);
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => canary.once('error', reject).listen(port, host, resolve));
  port = (canary.address() as AddressInfo).port;
  canaries.push(canary);
}

const questions = new Map<string, number>();
const resolve = ((name: string, _options: unknown, callback: (...found: unknown[]) => void) => {
  const story = ENDPOINTS.find(({ dns, endpoint }) => dns && endpoint.startsWith(`http://${name}:`));
  if (!story?.dns) return callback(Object.assign(new Error(`no name ${name}`), { code: 'ENOTFOUND' }));
  const asked = questions.get(name) ?? 0;
  questions.set(name, asked + 1);
  const answer = story.dns[Math.min(asked, story.dns.length - 1)] ?? [];
  callback(
    null,
    answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
  );
}) as unknown as Resolve;

/** Allowed by the operator; its answers send the caller on to the canary. */
function startAllowed(): Promise<HttpServer> {
  const inside = `http://127.0.0.1:${port}/`;
  const http = createHttpServer((request, response) => {
    const how = request.url?.slice(1) ?? '';
    const status = Number.parseInt(how, 10);
    const headers = { location: inside, refresh: `0; url=${inside}`, connection: 'close' };
    if (Number.isNaN(status)) return void response.writeHead(200, { connection: 'close' }).end('{"results":[]}');
    response
      .writeHead(status, headers)
      .end(status === 304 ? undefined : `<meta http-equiv="refresh" content="0; ${inside}">`);
  });
  return new Promise((done) => void http.listen(port, '127.0.0.2', () => done(http)));
}

beforeAll(async () => {
  await listen('127.0.0.1');
  await listen('::1');
  allowed = await startAllowed();
  server = await startTestServer({
    worker: true,
    resolve,
    env: { OPERATIONS_ALLOW_HOSTS: '127.0.0.2', RATE_LIMIT_PER_MINUTE: '100000' },
  });
  // As if each had been stored before anything looked at it.
  for (const story of ENDPOINTS) {
    await buildOperation(server.database.kysely, {
      key: keyOf(story),
      endpoint: endpointOf(story),
      supportsDryRun: true,
    });
    const started = await server.call('superadmin', 'POST', '/api/v1/jobs', jobOf(story));
    jobs.set(keyOf(story), started.body.id);
  }
}, 60_000);
afterAll(async () => {
  await server?.stop();
  allowed?.close();
  for (const canary of canaries) canary.close();
});
afterEach(() => expect(reached).toEqual([]));

const shown = (story: EndpointStory) => [JSON.stringify(story.endpoint), story] as const;

it.each(ENDPOINTS.filter(({ atOnce }) => atOnce).map(shown))('makes no operation of %s', async (_name, story) => {
  const operation = {
    key: 'another',
    title: 'Another',
    menu: ['Tests'],
    roles: ['superadmin'],
    endpoint: endpointOf(story),
  };
  const made = await server.call('superadmin', 'POST', '/api/v1/operations', operation);
  expect([made.status, made.body.fields]).toEqual([422, [expect.objectContaining({ path: 'endpoint' })]]);
  const changed = await server.call(
    'superadmin',
    'PATCH',
    '/api/v1/operations/story_0',
    { endpoint: endpointOf(story) },
    { 'If-Match': '1' },
  );
  expect([changed.status, changed.body.fields]).toEqual([422, [expect.objectContaining({ path: 'endpoint' })]]);
});

/** What an allowed host answered may be read, but it is no result. */
const codesOf = ({ endpoint, dns }: EndpointStory): string[] =>
  endpoint.includes('//127.0.0.2') || dns?.flat().includes('127.0.0.2')
    ? ['endpoint_refused', 'bad_answer', 'no_result']
    : ['endpoint_refused'];

it.each(ENDPOINTS.map(shown))('does no work by %s', async (_name, story) => {
  const id = jobs.get(keyOf(story));
  const job = async () => (await server.call('superadmin', 'GET', `/api/v1/jobs/${id}`)).body;
  await until(async () => (await job()).group === 'processed', 'the end of the job');
  expect((await job()).progress).toMatchObject({ total: 1, failed: 1 });
  const { body } = await server.call('superadmin', 'GET', `/api/v1/jobs/${id}/errors`);
  expect(codesOf(story)).toContain(body.items[0].code);
});

it.each(ENDPOINTS.map(shown))('judges no row by %s', async (_name, story) => {
  const preview = await server.call('superadmin', 'POST', '/api/v1/jobs/preview', jobOf(story));
  expect(preview.status).toBe(200);
  expect(codesOf(story)).toContain(preview.body.rows[0].refusal.code);
});

it('has a canary that sings', async () => {
  const open = createCallOperation({ allowHosts: ['127.0.0.1', '::1'] });
  for (const host of ['127.0.0.1', '[::1]']) {
    const call = {
      endpoint: `http://${host}:${port}/`,
      body: '{}',
      idempotencyKey: 'k',
      jobId: 'j',
      secret: null,
      timeoutMs: 2000,
    };
    await open(call, new AbortController().signal);
  }
  await open.close();
  expect(new Set(reached)).toEqual(new Set(['127.0.0.1', '::1']));
  reached = [];
});
