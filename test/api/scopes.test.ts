// Tokens with scopes: every route x every scope, and no token that hands on more than it has.
import { createToken } from '../../src/api/auth/accounts';
import { SCOPE_NAMES, type Scope } from '../../src/api/contract/scopes';
import { fullPath } from '../../src/api/router';
import { allRoutes } from '../../src/api/routes/allRoutes';
import { SYSTEM_ACTOR } from '../../src/jobs/actor';
import { newId } from '../../src/lib/ids';
import { startTestServer, type Answer, type TestServer } from '../support/webServer';

let server: TestServer;
const tokens = new Map<string, string>();
beforeAll(async () => {
  server = await startTestServer();
  for (const scope of SCOPE_NAMES) tokens.set(scope, await tokenWith([scope]));
}, 60_000);
afterAll(() => server.stop());

async function tokenWith(scopes: Scope[] | null, userId = server.callers.superadmin.id): Promise<string> {
  const input = { userId, name: 'scoped', expiresAt: null, scopes };
  return (await createToken(server.database.kysely, SYSTEM_ACTOR, input)).token;
}

const call = (token: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  server.call(null, method, path, body, { Authorization: `Bearer ${token}` });

/** By hand, from what the scopes are for: the first that fits. All else is administration. */
const RULES: [RegExp, Scope | null | 'by method'][] = [
  [/^GET \/api\/v1\/me$/, null],
  [/^POST \/api\/v1\/jobs\/:jobId\/(approve|reject)$/, 'jobs:approve'],
  [/^GET \/manage\/v1\/job/, 'jobs:read'],
  [
    / \/api\/v1\/(jobs|job-kinds|notifications|export|saved-filters|me\/hidden-kinds|bulk-actions|approvals|stream)\b/,
    'by method',
  ],
  [/ \/api\/v1\/(projects?|deployments|deployment-history)\b/, 'by method'],
];

function expected(name: string): Scope | null {
  const rule = RULES.find(([pattern]) => pattern.test(name))?.[1];
  if (rule !== 'by method') return rule === undefined ? 'admin' : rule;
  const subject = /\/(projects?|deployments?)\b/.test(name) ? 'deployments' : 'jobs';
  return `${subject}:${name.startsWith('GET ') ? 'read' : 'write'}`;
}

const addressOf = (path: string): string =>
  path.replace(/:(\w+)/g, (_all, name: string) =>
    /^(project|stage|scenario|artifact|deployment)Id$/.test(name) ? '9' : newId(),
  );

const guarded = allRoutes
  .filter(({ endpoint }) => endpoint.access !== 'anonymous' && endpoint.path !== '/stream')
  .map(({ endpoint }) => [`${endpoint.method.toUpperCase()} ${fullPath({ endpoint })}`, endpoint] as const);

it.each(guarded)('[G23] [G24] %s opens to its scope and to no other', async (name, endpoint) => {
  for (const scope of SCOPE_NAMES) {
    const method = endpoint.method.toUpperCase();
    const body = method === 'GET' || method === 'DELETE' ? undefined : {};
    const answer = await call(tokens.get(scope) ?? '', method, addressOf(fullPath({ endpoint })), body);
    const wanted = expected(name);
    if (wanted === null || wanted === scope) expect(answer.body?.code).not.toBe('scope_missing');
    else expect([answer.status, answer.body.code, answer.body.scope]).toEqual([403, 'scope_missing', wanted]);
  }
});

it('[G23] a scope never gives what the role does not', async () => {
  const token = await tokenWith(['admin', 'jobs:read', 'jobs:approve'], server.callers.user.id);
  expect((await call(token, 'GET', '/api/v1/users')).body.code).toBe('forbidden');
  expect((await call(token, 'POST', '/api/v1/operations', {})).body.code).toBe('forbidden');
  expect((await call(token, 'GET', '/api/v1/jobs?scope=all')).body.code).toBe('forbidden');
});

it('opens figures and the queue board to their scopes alone', async () => {
  for (const scope of SCOPE_NAMES) {
    const token = tokens.get(scope) ?? '';
    expect((await call(token, 'GET', '/metrics')).status).toBe(scope === 'metrics:read' ? 200 : 403);
    expect((await call(token, 'GET', '/admin/queues/')).status).toBe(scope === 'admin' ? 200 : 403);
  }
});

it('a token for jobs changes no accounts by a job: that is administration', async () => {
  const body = { kind: 'users.import', rows: [{ email: 'mole@example.org', name: 'Mole', role: 'superadmin' }] };
  const start = (token: string, path = '/api/v1/jobs'): Promise<Answer> => call(token, 'POST', path, body);
  const narrow = tokens.get('jobs:write') ?? '';
  for (const path of ['/api/v1/jobs', '/api/v1/jobs/preview']) {
    expect((await start(narrow, path)).body).toMatchObject({ code: 'scope_missing', scope: 'admin' });
  }
  const made = await start(await tokenWith(['jobs:write', 'admin']));
  expect(made.status).toBe(202);
  expect((await call(narrow, 'POST', `/api/v1/jobs/${made.body.id}/resubmit`, {})).body.code).toBe('scope_missing');
  expect((await start(await tokenWith(null))).status).toBe(202);
});

describe('a token made by a token', () => {
  const make = (token: string, more: object): Promise<Answer> =>
    call(token, 'POST', '/api/v1/tokens', { name: 'child', ...more });

  it('has all rights of its user when neither names scopes, and shows what it has', async () => {
    const made = await make(server.callers.user.token, {});
    expect(made.body.scopes).toBeNull();
    const narrow = await make(server.callers.user.token, { scopes: ['jobs:read'] });
    const list = await server.call('user', 'GET', '/api/v1/tokens');
    const shown = list.body.items.find((each: { id: string }) => each.id === narrow.body.id);
    expect(shown.scopes).toEqual(['jobs:read']);
    expect(shown.token).toBeUndefined();
  });

  it('has no more than the one that made it', async () => {
    const parent = await tokenWith(['admin', 'jobs:read']);
    const refused = await make(parent, { scopes: ['jobs:read', 'jobs:write'] });
    expect([refused.status, refused.body.code, refused.body.scope]).toEqual([403, 'scope_missing', 'jobs:write']);
    expect((await make(parent, {})).body.scopes).toEqual(['admin', 'jobs:read']);
    expect((await make(parent, { scopes: ['jobs:read'] })).body.scopes).toEqual(['jobs:read']);
    // For another user, too.
    const other = await make(parent, { userId: server.callers.user.id });
    expect(other.body.scopes).toEqual(['admin', 'jobs:read']);
    expect((await make(tokens.get('jobs:write') ?? '', { scopes: ['jobs:write'] })).body.scope).toBe('admin');
  });

  it.each([[[]], [['jobs:everything']], ['jobs:read']])('refuses the scopes %j', async (scopes) => {
    const refused = await make(server.callers.user.token, { scopes });
    expect([refused.status, refused.body.fields[0].path.split('.')[0]]).toEqual([422, 'scopes']);
  });
});

it('names the scope of each operation in openapi.json', async () => {
  const { body } = await server.call(null, 'GET', '/api/openapi.json');
  expect(body.paths['/api/v1/jobs'].post.security).toEqual([{ session: [] }, { token: ['jobs:write'] }]);
  expect(body.paths['/api/v1/me'].get.security).toBeUndefined();
  expect(body.components.securitySchemes.token.description).toContain('jobs:approve');
});
