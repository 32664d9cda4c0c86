// Behind TLS: the cookie bears the host prefix, and answers demand TLS.
import { startTestServer, PASSWORD, type TestServer } from '../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { BASE_URL: 'https://gantry.example' } });
}, 60_000);
afterAll(() => server.stop());

it.each([
  ['that says so', { 'X-Forwarded-Proto': 'https' }],
  ['that says nothing', {}],
])('sets a __Host- cookie behind a proxy %s', async (_name, headers) => {
  const answer = await server.call(
    null,
    'POST',
    '/api/v1/session',
    { email: 'user@example.org', password: PASSWORD },
    { Origin: 'https://gantry.example', ...(headers as Record<string, string>) },
  );
  expect(answer.headers.getSetCookie()).toHaveLength(1);
  expect(answer.headers.getSetCookie()[0]).toMatch(/^__Host-gantry=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  expect((await server.call(null, 'GET', '/api/v1/me', undefined, { Cookie: cookie })).status).toBe(200);
});

it('sends HSTS for a year or more', async () => {
  const { headers } = await server.call(null, 'GET', '/healthz');
  expect(Number(/max-age=(\d+)/.exec(headers.get('strict-transport-security') ?? '')?.[1])).toBeGreaterThan(31_535_999);
});
