// A9: every write that a role may not do leaves a row that says who tried what, when, and in which request. The rest of the
// audit's promises: audit.test.ts.
import { fullPath } from '../../../src/api/router';
import { allRoutes } from '../../../src/api/routes/allRoutes';
import { newId } from '../../../src/lib/ids';
import { until } from '../../support/until';
import { startTestServer, type TestServer } from '../../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

const barred = allRoutes
  .filter(({ endpoint: { access, method } }) => method !== 'get' && Array.isArray(access) && !access.includes('user'))
  .map(({ endpoint }) => [endpoint.method.toUpperCase(), fullPath({ endpoint })] as const);

it('audits each write that a user may not do', async () => {
  const sent = new Map<string, string>();
  for (const [method, path] of barred) {
    const address = path.replace(/:\w+/g, () => newId());
    const answer = await server.call('user', method, address, method === 'DELETE' ? undefined : {});
    expect([path, answer.status]).toEqual([path, 403]);
    sent.set(`${method} ${address}`, answer.headers.get('x-request-id') ?? '');
  }
  expect(sent.size).toBeGreaterThan(15);
  const rows = () => server.database.kysely.selectFrom('audit').selectAll().where('action', '=', 'denied').execute();
  await until(async () => (await rows()).length >= sent.size, 'a row for each');
  const told = new Map((await rows()).map((row) => [row.subjectId, row]));
  for (const [subject, requestId] of sent) {
    expect(told.get(subject)).toMatchObject({ actorId: server.callers.user.id, actorName: 'A user', requestId });
    expect(JSON.parse(told.get(subject)?.after ?? '{}')).toMatchObject({ status: 403, code: 'forbidden' });
  }
});
