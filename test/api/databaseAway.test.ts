// While the database is away: 503 with Retry-After in words, for every kind of call; the process lives and goes on afterwards.
import { openTcpProxy, through, type TcpProxy } from '../support/tcpProxy';
import { until } from '../support/until';
import { startTestServer, PASSWORD, type TestServer } from '../support/webServer';

let proxy: TcpProxy;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    route: async (url) => {
      proxy = await openTcpProxy(Number(new URL(url).port));
      return through(url, proxy);
    },
  });
}, 60_000);
afterAll(async () => {
  await server.stop();
  await proxy.close();
});

it('answers 503 while it is away, and everything as before when it is back', async () => {
  const signIn = await server.call(
    null,
    'POST',
    '/api/v1/session',
    { email: 'user@example.org', password: PASSWORD },
    { 'Sec-Fetch-Site': 'same-origin' },
  );
  const cookie = signIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  await proxy.refuse();
  const form = new FormData();
  form.append('job', '{"kind":"test.effects","params":{}}');
  form.append('rows', new Blob(['a,b\n1,2\n'], { type: 'text/csv' }), 'r.csv');
  const away = [
    await server.call('superadmin', 'GET', '/api/v1/jobs'),
    await server.call('superadmin', 'POST', '/api/v1/jobs', { kind: 'test.echo', params: { value: 1 } }),
    await server.call('superadmin', 'POST', '/api/v1/jobs', form),
    await server.call(null, 'GET', '/api/v1/me', undefined, { Cookie: cookie }),
  ];
  for (const answer of away) {
    expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  expect((await server.call(null, 'GET', '/healthz')).status).toBe(200);
  const ready = await server.call(null, 'GET', '/readyz');
  expect([ready.status, ready.body.status]).toEqual([503, 'unavailable']);
  expect(ready.headers.get('retry-after')).not.toBeNull();

  await proxy.accept();
  await until(async () => (await server.call(null, 'GET', '/readyz')).status === 200, 'the service to be ready again');
  expect((await server.call(null, 'GET', '/api/v1/me', undefined, { Cookie: cookie })).status).toBe(200);
  const { body } = await server.call('superadmin', 'GET', '/api/v1/jobs');
  expect(body.items).toEqual([]);
});
