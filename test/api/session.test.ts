// Sessions and tokens: signing in and out, what ends a session, the cross-site check, the headers of every answer.
import { startTestServer, PASSWORD, type TestServer } from '../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

const OURS = { 'Sec-Fetch-Site': 'same-origin' };
const signIn = async (
  email = 'user@example.org',
  password = PASSWORD,
): Promise<{ status: number; cookie: string; code?: string }> => {
  const answer = await server.call(null, 'POST', '/api/v1/session', { email, password }, OURS);
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return { status: answer.status, cookie, code: answer.body?.code };
};
const me = async (cookie: string): Promise<number> =>
  (await server.call(null, 'GET', '/api/v1/me', undefined, { Cookie: cookie })).status;

it('signs in with a cookie that scripts cannot read, and out again', async () => {
  const answer = await server.call(
    null,
    'POST',
    '/api/v1/session',
    { email: 'USER@example.org', password: PASSWORD },
    OURS,
  );
  expect(answer.body.user).toMatchObject({ email: 'user@example.org', role: 'user' });
  expect(answer.headers.getSetCookie()[0]).toMatch(/HttpOnly; SameSite=Lax/);
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  expect(await me(cookie)).toBe(200);
  expect((await server.call(null, 'DELETE', '/api/v1/session', undefined, { ...OURS, Cookie: cookie })).status).toBe(
    204,
  );
  expect(await me(cookie)).toBe(401);
});

it('gives a new session id at each sign-in and stores none in clear', async () => {
  const [first, second] = [await signIn(), await signIn()];
  expect(first.cookie).not.toBe(second.cookie);
  const rows = await server.database.kysely.selectFrom('session').select('data').execute();
  const id =
    decodeURIComponent(first.cookie.split('=')[1] ?? '')
      .slice(2)
      .split('.')[0] ?? 'none';
  expect(rows.length).toBeGreaterThan(0);
  expect(JSON.stringify(rows)).not.toContain(id);
});

it('refuses a wrong password and an unknown account alike', async () => {
  expect(await signIn('power_user@example.org', 'wrong-wrong')).toMatchObject({ status: 401, code: 'bad_credentials' });
  expect(await signIn('nobody@example.org', 'wrong-wrong')).toMatchObject({ status: 401, code: 'bad_credentials' });
});

it('lets nobody guess on: the eleventh try of an account waits, another account does not', async () => {
  const tries = [];
  for (let i = 0; i < 11; i += 1) tries.push((await signIn('guessed@example.org', 'wrong-wrong')).status);
  expect(tries).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
  expect((await signIn()).status).toBe(200);
});

it('ends the sessions of a user who is disabled or gets a new password', async () => {
  const { body: made } = await server.call('superadmin', 'POST', '/api/v1/users', {
    email: 'gone@example.org',
    name: 'Gone',
    role: 'user',
    password: PASSWORD,
  });
  const before = await signIn('gone@example.org');
  expect(await me(before.cookie)).toBe(200);
  const changed = await server.call(
    'superadmin',
    'PATCH',
    `/api/v1/users/${made.id}`,
    { password: 'another password' },
    { 'If-Match': `"${made.version}"` },
  );
  expect(changed.status).toBe(200);
  expect(await me(before.cookie)).toBe(401);
  const after = await signIn('gone@example.org', 'another password');
  expect(await me(after.cookie)).toBe(200);
  await server.call(
    'superadmin',
    'PATCH',
    `/api/v1/users/${made.id}`,
    { disabled: true },
    { 'If-Match': String(changed.body.version) },
  );
  expect(await me(after.cookie)).toBe(401);
  expect((await signIn('gone@example.org', 'another password')).status).toBe(401);
});

it('refuses a change by cookie that comes from another site', async () => {
  const { cookie } = await signIn();
  const cross = [{ 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'https://evil.example' }, {}];
  for (const headers of cross) {
    const answer = await server.call(
      null,
      'POST',
      '/api/v1/notifications/read',
      {},
      { Cookie: cookie, ...(headers as Record<string, string>) },
    );
    expect([answer.status, answer.body.code]).toEqual([403, 'cross_site']);
  }
  expect((await server.call(null, 'POST', '/api/v1/notifications/read', {}, { Cookie: cookie, ...OURS })).status).toBe(
    200,
  );
});

it('refuses a stale version and keeps the last superadmin', async () => {
  const { id } = server.callers.superadmin;
  const { body } = await server.call('superadmin', 'GET', `/api/v1/users/${id}`);
  expect((await server.call('superadmin', 'PATCH', `/api/v1/users/${id}`, { name: 'X' })).status).toBe(422);
  expect(
    (await server.call('superadmin', 'PATCH', `/api/v1/users/${id}`, { name: 'X' }, { 'If-Match': '"99"' })).status,
  ).toBe(412);
  const demoted = await server.call(
    'superadmin',
    'PATCH',
    `/api/v1/users/${id}`,
    { role: 'user' },
    { 'If-Match': `"${body.version}"` },
  );
  expect([demoted.status, demoted.body.code]).toEqual([409, 'in_use']);
});

it('shows a token once, refuses it after its deletion, and makes none for others', async () => {
  const made = await server.call('user', 'POST', '/api/v1/tokens', { name: 'script' });
  const use = (): Promise<number> =>
    fetch(`${server.url}/api/v1/me`, { headers: { Authorization: `Bearer ${made.body.token}` } }).then(
      (response) => response.status,
    );
  expect(await use()).toBe(200);
  expect(JSON.stringify((await server.call('user', 'GET', '/api/v1/tokens')).body)).not.toContain(made.body.token);
  expect((await server.call('power_user', 'DELETE', `/api/v1/tokens/${made.body.id}`)).status).toBe(404);
  expect((await server.call('user', 'DELETE', `/api/v1/tokens/${made.body.id}`)).status).toBe(204);
  expect(await use()).toBe(401);
  const foreign = await server.call('user', 'POST', '/api/v1/tokens', {
    name: 'x',
    userId: server.callers.superadmin.id,
  });
  expect(foreign.status).toBe(403);
});

it.each(['/api/v1/me', '/api/v1/nothing', '/admin/', '/api/docs/', '/api/openapi.json', '/healthz', '/admin/queues/'])(
  'sends the security headers with %s',
  async (path) => {
    const { headers } = await server.call('superadmin', 'GET', path);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-powered-by')).toBeNull();
  },
);
