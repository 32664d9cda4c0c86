// A4: every unsafe route by cookie, asked for from elsewhere: refused, and the state is as it was.
import { sql } from 'kysely';
import { fullPath } from '../../../src/api/router';
import { allRoutes } from '../../../src/api/routes/allRoutes';
import { newId } from '../../../src/lib/ids';
import { PASSWORD, startTestServer, type TestServer } from '../../support/webServer';

let server: TestServer;
let cookie: string;
beforeAll(async () => {
  server = await startTestServer();
  const body = { email: 'superadmin@example.org', password: PASSWORD };
  const answer = await server.call(null, 'POST', '/api/v1/session', body, { 'Sec-Fetch-Site': 'same-origin' });
  cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}, 60_000);
afterAll(() => server.stop());

const unsafe = allRoutes
  .filter(({ endpoint }) => endpoint.method !== 'get')
  .map(({ endpoint }) => [endpoint.method.toUpperCase(), fullPath({ endpoint })] as const);

const FROM_ELSEWHERE: Record<string, string>[] = [
  {},
  { 'Sec-Fetch-Site': 'cross-site' },
  { 'Sec-Fetch-Site': 'same-site' },
  { 'Sec-Fetch-Site': 'none' },
  { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://127.0.0.1' },
  { Origin: 'https://evil.example' },
  { Origin: 'null' },
  { Referer: 'https://evil.example/' },
];
const addressOf = (path: string): string =>
  path.replace(/:(\w+)/g, (_all, name: string) =>
    /Id$/.test(name) && !/^(job|user|token|agent|filter|bulk|notice)Id$/.test(name) ? '9' : newId(),
  );

const stateOf = async (): Promise<unknown> => {
  const { rows } = await sql`
    select (select count(*) from audit where action <> 'denied') as acts, (select count(*) from session) as sessions,
      (select count(*) from job) as jobs, (select count(*) from api_token) as tokens`.execute(server.database.kysely);
  return rows;
};

it.each(unsafe)('%s %s by cookie is refused from elsewhere', async (method, path) => {
  const before = await stateOf();
  for (const headers of FROM_ELSEWHERE) {
    const body = method === 'DELETE' ? undefined : '{}';
    const type: Record<string, string> = body ? { 'Content-Type': 'application/json' } : {};
    const answer = await server.call(null, method, addressOf(path), body, { Cookie: cookie, ...type, ...headers });
    expect([answer.status, answer.body?.code]).toEqual([403, 'cross_site']);
  }
  expect(await stateOf()).toEqual(before);
});

it('takes JSON that calls itself text from nobody, not even from our own pages', async () => {
  const headers = { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' };
  for (const type of ['text/plain', 'text/plain;application/json', 'application/x-www-form-urlencoded']) {
    const answer = await server.call(null, 'POST', '/api/v1/tokens', '{"name":"x"}', {
      ...headers,
      'Content-Type': type,
    });
    expect([type, answer.status]).toEqual([type, 415]);
  }
});

it('knows no method but the one that was sent', async () => {
  const before = await stateOf();
  const { id } = server.callers.user;
  const overrides = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'];
  for (const name of overrides) {
    const answer = await server.call('superadmin', 'GET', `/api/v1/users/${id}?`, undefined, { [name]: 'DELETE' });
    expect(answer.status).toBe(200);
  }
  expect((await server.call('superadmin', 'GET', `/api/v1/users/${id}?_method=DELETE`)).status).not.toBe(204);
  expect(await stateOf()).toEqual(before);
});

it('lets our own pages through, and tokens from anywhere', async () => {
  const own: Record<string, string>[] = [{ 'Sec-Fetch-Site': 'same-origin' }, { Origin: server.url }];
  for (const headers of own) {
    const answer = await server.call(null, 'POST', '/api/v1/notifications/read', {}, { Cookie: cookie, ...headers });
    expect(answer.status).toBe(200);
  }
  const foreign = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' };
  expect((await server.call('user', 'POST', '/api/v1/notifications/read', {}, foreign)).status).toBe(200);
});
