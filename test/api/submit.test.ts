// What a submit gives back, however much waits already, and what a row of the list tells.
import { sql } from 'kysely';
import { startTestServer, type TestServer } from '../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

/** The bar of the promise; an answer takes a few ms, so that only something of the size of the queue reaches it. */
const ANSWER_WITHIN_MS = 500;

it('[G2] gives the id at once while 10,000 jobs wait', async () => {
  const { id: owner } = server.callers.user;
  const db = server.database.kysely;
  await sql`
    with made as (
      insert into job (id, kind, title, state, owner_id, owner_name, owner_email, params, queued_at)
      select gen_random_uuid(), 'test.echo', 'waits', 'queued', ${owner}, 'A', 'a@example.org', '{"value":1}', gantry_now()
      from generate_series(1, 10000) returning id, owner_id),
    runs as (insert into run (job_id, run) select id, 1 from made)
    insert into outbox (job_id, run, owner_id, shape) select id, 1, owner_id, 'run' from made`.execute(db);
  const times: number[] = [];
  for (let count = 0; count < 11; count += 1) {
    const startedAt = performance.now();
    const answer = await server.call('user', 'POST', '/api/v1/jobs', { kind: 'test.echo', params: { value: count } });
    times.push(performance.now() - startedAt);
    expect(answer.status).toBe(202);
    expect(answer.body.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  }
  const median = times.sort((a, b) => a - b)[5];
  expect(median).toBeLessThan(ANSWER_WITHIN_MS);
  const { body } = await server.call('user', 'GET', '/api/v1/jobs/counts');
  expect(body.counts.queued).toEqual({ count: 10_000, more: true });
});

it('[G6] tells of each job in the list all that the columns show', async () => {
  await server.call('power_user', 'POST', '/api/v1/jobs', { kind: 'test.echo', params: { value: 1 }, title: 'told' });
  const { body } = await server.call('power_user', 'GET', '/api/v1/jobs');
  const { id, email } = server.callers.power_user;
  expect(body.items[0]).toMatchObject({
    id: expect.any(String),
    title: 'told',
    kind: 'test.echo',
    state: 'queued',
    group: 'unprocessed',
    owner: { id, name: 'A power_user', email },
    queuedAt: expect.any(String),
    startedAt: null,
    finishedAt: null,
    processMs: null,
    host: null,
    progress: { total: null, done: 0, failed: 0, skipped: 0, percent: null },
    errorCount: 0,
    notify: { email: true, to: email },
    reportUrl: null,
  });
  expect(body.items[0]).toHaveProperty('waitMs');
});
