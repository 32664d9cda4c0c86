// The access matrix: every route of the contract x every role, and nothing served beyond the contract.
import type { Express } from 'express';
import { createWebApp } from '../../src/api/webApp';
import { fullPath } from '../../src/api/router';
import { allRoutes } from '../../src/api/routes/allRoutes';
import type { ApiDeps } from '../../src/api/apiDeps';
import type { UserRole } from '../../src/db/generated/database';
import { newId } from '../../src/lib/ids';
import { buildJob, snapshotOf } from '../support/factories';
import { startTestServer, type TestServer } from '../support/webServer';
import { ACCESS, JOB_ACCESS, type Callers, type Verdict } from './accessTable';

const ROLES = ['user', 'power_user', 'superadmin'] as const;

/** Served outside the contract: pages and files. A row here needs a reason. */
const BESIDE_THE_CONTRACT = new Set([
  'GET /',
  'GET /api/openapi.json',
  'USE /api/docs',
  'USE /admin/queues',
  'USE /admin',
]);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

/** Ids that name nothing: a caller who may call gets 404 or 422, one who may not gets 401 or 403 before that. */
function addressOf(path: string): string {
  return path.replace(/:(\w+)/g, (_all, name: string) =>
    /^(jobId|userId|tokenId|agentId|filterId)$/.test(name) ? newId() : name === 'key' ? 'nothing' : '999999',
  );
}

const nameOf = (route: (typeof allRoutes)[number]): string =>
  `${route.endpoint.method.toUpperCase()} ${fullPath(route)}`;

it('[G24] declares each route as the table says, and has a row for each', () => {
  const callersOf = (route: (typeof allRoutes)[number]): Callers => {
    const { access } = route.endpoint;
    if (access === 'anonymous') return 'anybody';
    if (access === 'signedIn') return 'signedIn';
    return access.includes('power_user') ? 'powerUser' : 'superadmin';
  };
  expect(Object.fromEntries(allRoutes.map((route) => [nameOf(route), callersOf(route)]))).toEqual(ACCESS);
  const ofOneJob = Object.keys(ACCESS).filter((name) => name.includes('/jobs/:jobId'));
  expect(Object.keys(JOB_ACCESS).sort()).toEqual(ofOneJob.sort());
});

describe('[G24] each route answers each role as its declaration says', () => {
  const rows = allRoutes.flatMap((route) => [null, ...ROLES].map((role) => ({ route, role })));
  it.each(
    rows.map(
      ({ route, role }) =>
        [`${route.endpoint.method.toUpperCase()} ${fullPath(route)} as ${role ?? 'nobody'}`, route, role] as const,
    ),
  )('%s', async (_name, route, role) => {
    const { access, method, path } = route.endpoint;
    if (path === '/stream' && role !== null) return expect(await openStream(role)).toBe(200);
    const answer = await server.call(
      role,
      method.toUpperCase(),
      addressOf(fullPath(route)),
      method === 'get' || method === 'delete' ? undefined : {},
    );
    expect(answer.status).toBeLessThan(500);
    if (access === 'anonymous') {
      // Agents prove themselves by their own signature, sign-in by a password.
      expect([200, 204, 400, 401, 404, 405, 415, 422, 403]).toContain(answer.status);
    } else if (role === null) {
      expect([answer.status, answer.body.code]).toEqual([401, 'not_signed_in']);
    } else if (access !== 'signedIn' && !(access as readonly UserRole[]).includes(role)) {
      expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    } else {
      expect(answer.status).not.toBe(401);
    }
  });
});

async function openStream(role: UserRole): Promise<number> {
  const end = new AbortController();
  const response = await fetch(`${server.url}/api/v1/stream`, {
    headers: { Authorization: `Bearer ${server.callers[role].token}` },
    signal: end.signal,
  });
  end.abort();
  return response.status;
}

it('serves nothing beyond the contract', () => {
  const deps = {
    config: server.config,
    db: server.database.kysely,
    queue: { boardQueues: () => [] },
    logger: { error: () => undefined },
    metrics: { observe: () => undefined },
  };
  const served = routesOf(createWebApp(deps as unknown as ApiDeps, 'ab'.repeat(32)));
  const declared = new Set(allRoutes.map((route) => `${route.endpoint.method.toUpperCase()} ${fullPath(route)}`));
  const beyond = served.filter((each) => !declared.has(each) && !BESIDE_THE_CONTRACT.has(each));
  expect(beyond).toEqual([]);
  expect([...declared].filter((each) => !served.includes(each))).toEqual([]);
});

interface Layer {
  route?: { path: string; methods: Record<string, boolean> };
  handle: { stack?: Layer[] };
  matchers?: ((path: string) => { path: string } | false)[];
}

/** Walks the Express router; routers that are mounted under a path of their own are told as USE. */
function routesOf(app: Express): string[] {
  const found: string[] = [];
  const walk = (stack: Layer[], isRoot: boolean): void => {
    for (const layer of stack) {
      if (layer.route)
        found.push(...Object.keys(layer.route.methods).map((method) => `${method.toUpperCase()} ${layer.route?.path}`));
      else if (layer.handle.stack && isRoot) {
        const mounted = ['/api/docs', '/admin/queues', '/admin'].find(
          (path) =>
            layer.matchers?.some((match) => match(path)) && !layer.matchers.some((match) => match('/elsewhere')),
        );
        if (mounted) found.push(`USE ${mounted}`);
        else walk(layer.handle.stack, false);
      }
    }
  };
  walk((app as unknown as { router: { stack: Layer[] } }).router.stack, true);
  return found;
}

/** The state in which the act is possible, so that only who asks can be in its way. */
const STATES: Record<string, Parameters<typeof buildJob>[1]['state']> = {
  'DELETE /api/v1/jobs/:jobId': 'failed',
  'POST /api/v1/jobs/:jobId/requeue': 'failed',
  'POST /api/v1/jobs/:jobId/resume': 'paused',
  'POST /api/v1/jobs/:jobId/approve': 'awaiting_approval',
  'POST /api/v1/jobs/:jobId/reject': 'awaiting_approval',
  'POST /api/v1/jobs/:jobId/withdraw': 'awaiting_approval',
  'GET /api/v1/jobs/:jobId/approval': 'awaiting_approval',
};
const BODIES: Record<string, unknown> = {
  'PATCH /api/v1/jobs/:jobId': { notify: { email: false } },
  'POST /api/v1/jobs/:jobId/prioritize': { priority: 1 },
  'POST /api/v1/jobs/:jobId/reject': { reason: 'too many' },
};

describe('[G22] one job, own and foreign', () => {
  const cases = Object.entries(JOB_ACCESS).flatMap(([name, row]) =>
    ROLES.flatMap((role) =>
      (['own', 'foreign'] as const).map((whose) => {
        const verdict: Verdict = role === 'superadmin' ? 'yes' : row[whose][role];
        return [`${name} on ${whose} as ${role}: ${verdict}`, name, role, whose, verdict] as const;
      }),
    ),
  );
  it.each(cases)('%s', async (_name, route, role, whose, verdict) => {
    const db = server.database.kysely;
    const other = role === 'power_user' ? server.callers.user : server.callers.power_user;
    const owner = { ...(whose === 'own' ? server.callers[role] : other), name: 'The owner' };
    const job = await buildJob(db, {
      state: STATES[route] ?? 'running',
      owner,
      rows: 10,
      waitingFor: STATES[route] === 'paused' ? 'trial' : null,
    });
    await db.insertInto('jobFile').values({ jobId: job.id, name: 'a.csv', type: 'text/csv', rows: 0 }).execute();
    await db.updateTable('run').set({ report: '{"rows":10}' }).where('jobId', '=', job.id).execute();
    const before = await snapshotOf(db, job.id);
    const [method = '', path = ''] = route.split(' ');
    const body = BODIES[route] ?? (method === 'POST' ? {} : undefined);
    const answer = await server.call(role, method, path.replace(':jobId', job.id), body);
    if (verdict === 'yes') {
      // Nobody decides on an own request; withdrawing it is the owner's.
      const isForOthers = /(approve|reject)$/.test(route) && whose === 'own';
      const isOwnersOnly = /withdraw$/.test(route) && whose === 'foreign';
      if (isForOthers || isOwnersOnly) return expect(answer.status).toBe(403);
      // Nothing of this job is kept that could be taken back.
      if (/undo$/.test(route)) return expect(answer.status).toBe(409);
      return expect([200, 202, 204]).toContain(answer.status);
    }
    expect([answer.status, answer.body.code]).toEqual([verdict, verdict === 403 ? 'forbidden' : 'not_found']);
    expect(await snapshotOf(db, job.id)).toBe(before);
  });

  it("gives a superadmin's pause back to superadmins only", async () => {
    const owner = { ...server.callers.user, name: 'The owner' };
    const job = await buildJob(server.database.kysely, { state: 'paused', owner, rows: 10 });
    expect((await server.call('user', 'POST', `/api/v1/jobs/${job.id}/resume`, {})).status).toBe(403);
  });
});

describe("somebody else's jobs", () => {
  it('[G21] [G22] are not in the lists of a power user, who may not ask for all jobs', async () => {
    for (const path of ['/api/v1/jobs?limit=100', '/api/v1/notifications?limit=100']) {
      const { body } = await server.call('power_user', 'GET', path);
      const owners = body.items.map((job: { owner: { email: string } }) => job.owner.email);
      expect(new Set(owners)).toEqual(new Set(['power_user@example.org']));
    }
    expect((await server.call('power_user', 'GET', '/api/v1/export/jobs.csv')).text).not.toContain(',user@example.org');
    expect((await server.call('power_user', 'GET', '/api/v1/jobs?scope=all')).status).toBe(403);
    expect((await server.call('power_user', 'GET', '/api/v1/jobs?owner=superadmin@example.org')).status).toBe(403);
  });
});

describe('the queue board', () => {
  it('opens for superadmins only and refuses every write', async () => {
    expect((await server.call('superadmin', 'GET', '/admin/queues/')).status).toBe(200);
    expect((await server.call('power_user', 'GET', '/admin/queues/')).status).toBe(403);
    expect((await server.call(null, 'GET', '/admin/queues/')).status).toBe(401);
    const writes = [
      '/api/queues/gantry-work/clean/completed',
      '/api/queues/gantry-work/pause',
      '/api/queues/gantry-work/empty',
      '/api/queues/gantry-work/x/retry',
    ];
    for (const at of writes) {
      expect((await server.call('superadmin', 'PUT', `/admin/queues${at}`)).status).toBe(405);
      expect((await server.call('superadmin', 'POST', `/admin/queues${at}`)).status).toBe(405);
    }
  });
});
