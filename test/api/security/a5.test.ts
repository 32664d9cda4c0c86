// A5: guesses from one address against many accounts. Guesses against one account, and their timing: signIn.test.ts.
import { sql } from 'kysely';
import { PASSWORD, startTestServer, type Answer, type TestServer } from '../../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

const ADDRESS = '127.0.0.1';
/** As text, so that it goes out by the one address of this machine. */
const post = (password: string, headers: Record<string, string> = {}): Promise<Answer> => {
  const body = JSON.stringify({ email: 'user@example.org', password });
  return server.call(null, 'POST', '/api/v1/session', body, {
    'Content-Type': 'application/json',
    'Sec-Fetch-Site': 'same-origin',
    ...headers,
  });
};
const fail = (count: number, age: string): Promise<unknown> =>
  sql`
  insert into sign_in_failure (account, address, at)
  select 'victim' || i || '@x.test', ${ADDRESS}, gantry_now() - ${age}::interval from generate_series(1, ${count}::int) i`.execute(
    server.database.kysely,
  );

it('lets an address try a hundred times in 15 minutes, whatever it calls itself, and the right one in afterwards', async () => {
  await fail(99, '14 minutes');
  expect((await post('wrong-wrong')).status).toBe(401);
  const spoofs: Record<string, string>[] = [
    {},
    { 'X-Forwarded-For': '192.0.2.7' },
    { Forwarded: 'for=192.0.2.8' },
    { 'X-Real-IP': '192.0.2.9' },
  ];
  for (const headers of spoofs) {
    const refused = await post(PASSWORD, headers);
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
      429,
      'too_many_requests',
      '900',
    ]);
  }
  // Another address is not held up by it.
  const body = { email: 'user@example.org', password: PASSWORD };
  expect((await server.call(null, 'POST', '/api/v1/session', body, { 'Sec-Fetch-Site': 'same-origin' })).status).toBe(
    200,
  );
  await sql`update sign_in_failure set at = at - interval '61 seconds'`.execute(server.database.kysely);
  expect((await post(PASSWORD)).status).toBe(200);
});
