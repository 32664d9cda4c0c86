// A2: ids of others in every address that takes one. They are answered as ids of nothing are, in the same words and time.
import { fullPath } from '../../../src/api/router';
import { allRoutes } from '../../../src/api/routes/allRoutes';
import { newId } from '../../../src/lib/ids';
import { buildJob, snapshotOf } from '../../support/factories';
import { startTestServer, type Answer, type TestServer } from '../../support/webServer';

let server: TestServer;
/** What belongs to a superadmin, by the name it has in addresses. */
let foreign: Record<string, string>;
const NOTHING = 2_000_000_000;

beforeAll(async () => {
  server = await startTestServer();
  const post = async (path: string, body: unknown): Promise<string> => {
    const answer = await server.call('superadmin', 'POST', `/api/v1${path}`, body);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`);
    return String(answer.body.id);
  };
  const owner = { ...server.callers.superadmin, name: 'The owner' };
  const job = await buildJob(server.database.kysely, { state: 'failed', owner, rows: 10 });
  const projectId = await post('/projects', { name: 'theirs' });
  const at = `/projects/${projectId}`;
  const stageId = await post(`${at}/stages`, { name: 'live', type: 'server', target: { labels: { zone: 'x' } } });
  const config = { strategy: 'normal', deploy: [{ sourcePath: '/', deployPath: 'site' }] };
  const form = new FormData();
  form.set('file', new File(['hello'], 'hello.txt'));
  foreign = {
    jobId: job.id,
    hash: job.id,
    userId: owner.id,
    tokenId: await post('/tokens', { name: 'theirs' }),
    filterId: await post('/saved-filters', { name: 'theirs', filter: {} }),
    projectId,
    stageId,
    scenarioId: await post(`${at}/scenarios`, { name: 'publish', stageId: Number(stageId), config }),
    artifactId: await post(`${at}/artifacts`, form),
  };
}, 60_000);
afterAll(() => server.stop());

const routes = allRoutes
  .filter(({ endpoint }) => endpoint.access !== 'anonymous' && /:/.test(endpoint.path))
  .map(({ endpoint }) => [`${endpoint.method.toUpperCase()} ${fullPath({ endpoint })}`] as const);

/** Ids that the other user has nothing of yet are ids of nothing in both. */
function addressOf(path: string, isForeign: boolean): string {
  return path.replace(/:(\w+)/g, (_all, name: string) => {
    const isNumber = /^(project|stage|scenario|artifact|deployment|history)Id$/.test(name);
    const nothing = isNumber ? String(NOTHING) : newId();
    return isForeign ? (foreign[name] ?? nothing) : nothing;
  });
}

const BODIES: Record<string, unknown> = {
  'PATCH /api/v1/jobs/:jobId': { notify: { email: false } },
  'POST /api/v1/jobs/:jobId/prioritize': { priority: 1 },
};

function ask(role: 'user' | 'power_user', name: string, isForeign: boolean): Promise<Answer> {
  const [method = '', path = ''] = name.split(' ');
  const body = method === 'GET' || method === 'DELETE' ? undefined : (BODIES[name] ?? {});
  return server.call(role, method, addressOf(path, isForeign), body, { 'If-Match': '"1"' });
}

/** All that an answer tells, but for the number of the request. */
const told = ({ status, body }: Answer): unknown => [status, { ...body, requestId: null }];

it.each(routes)('[G22] %s tells nothing of what is foreign', async (name) => {
  const before = await snapshotOf(server.database.kysely, foreign['jobId'] ?? '');
  for (const role of ['user', 'power_user'] as const) {
    const answer = await ask(role, name, true);
    expect(told(answer)).toEqual(told(await ask(role, name, false)));
    expect([403, 404, 409, 415, 422]).toContain(answer.status);
  }
  expect(await snapshotOf(server.database.kysely, foreign['jobId'] ?? '')).toBe(before);
});

it('takes no longer to hide a foreign job than to find none', async () => {
  const times = { foreign: [] as number[], none: [] as number[] };
  for (let round = 0; round < 41; round += 1) {
    for (const [which, id] of [
      ['foreign', foreign['jobId']],
      ['none', newId()],
    ] as const) {
      const start = performance.now();
      await server.call('user', 'GET', `/api/v1/jobs/${id}`);
      times[which].push(performance.now() - start);
    }
  }
  const median = (all: number[]): number => all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
  expect(Math.abs(median(times.foreign) - median(times.none))).toBeLessThan(10);
});
