// Resubmitting jobs with changes, what was changed, and requeues of jobs that have not ended.
import { sql } from 'kysely';
import { buildJob, buildOutcomes } from '../support/factories';
import { inputLines } from '../support/inputLines';
import { startTestServer, type TestServer } from '../support/webServer';
import { until } from '../support/until';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { CANCEL_GRACE_MS: '500' } });
}, 60_000);
afterAll(() => server.stop());

type Role = 'user' | 'power_user' | 'superadmin';
const db = () => server.database.kysely;
const owner = (role: Role) => ({ ...server.callers[role], name: `A ${role}` });
const resubmit = (as: Role, id: string, body: unknown, headers?: Record<string, string>) =>
  server.call(as, 'POST', `/api/v1/jobs/${id}/resubmit`, body, headers);
const difference = (as: Role, id: string) => server.call(as, 'GET', `/api/v1/jobs/${id}/difference`);

async function stored(jobId: string) {
  return db().selectFrom('job').selectAll().where('id', '=', jobId).executeTakeFirstOrThrow();
}

it('[G36] makes a new job with the same parameters, byte for byte, and the same rows', async () => {
  const params = '{ "chunkMs" :  0.0 }';
  const { body: made } = await server.call(
    'user',
    'POST',
    '/api/v1/jobs',
    `{"kind":"test.effects","title":"Mine","params":{"chunkMs":0},"rows":[{"n":1},{"n":2}],"trial":1,"limits":{"maxFailed":3,"then":"fail"},"priority":5}`,
    { 'Content-Type': 'application/json' },
  );
  await sql`update job set params = ${params}::json where id = ${made.id}`.execute(db());
  const again = await resubmit('user', made.id, {});
  expect(again.status).toBe(202);
  const job = await stored(again.body.id);
  expect(job.params).toBe(params);
  expect(again.body).toMatchObject({
    derivedFrom: made.id,
    title: 'Mine',
    priority: 5,
    run: 1,
    progress: { total: 2 },
  });
  expect(again.headers.get('location')).toBe(`/api/v1/jobs/${job.id}`);
  expect(job).toMatchObject({ trial: 1, maxFailed: 3, limitThen: 'fail' });
  expect(await inputLines(db(), job.id)).toEqual(['{"n":1}', '{"n":2}']);
  expect(await inputLines(db(), made.id)).toEqual(['{"n":1}', '{"n":2}']);
  const same = (await difference('user', job.id)).body;
  expect(same).toMatchObject({ derivedFrom: made.id, params: [], settings: [], rows: { isSame: true } });
  expect(same.rows.before.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(await db().selectFrom('upload').selectAll().execute()).toEqual([]);
});

it('[G36] shows what differs from the job it was made from', async () => {
  const job = await buildJob(db(), {
    state: 'failed',
    owner: owner('user'),
    kind: 'test.echo',
    params: '{"value":{"a":1,"b":[1,2],"c":0}}',
  });
  const answer = await resubmit('superadmin', job.id, {
    title: 'Again',
    params: { value: { a: 2, b: [1, 2, 3], d: null } },
    priority: 9,
  });
  expect(answer.status).toBe(202);
  expect(answer.body).toMatchObject({ owner: { id: server.callers.superadmin.id }, derivedFrom: job.id });
  expect((await difference('superadmin', answer.body.id)).body).toMatchObject({
    params: [
      { path: 'value.a', before: 1, after: 2 },
      { path: 'value.b.2', after: 3 },
      { path: 'value.c', before: 0 },
      { path: 'value.d', after: null },
    ],
    moreParams: false,
    rows: { isSame: true, before: { total: null }, after: { total: null } },
    settings: [
      { path: 'title', before: job.title, after: 'Again' },
      { path: 'notify.to', before: 'user@example.org', after: 'superadmin@example.org' },
      { path: 'priority', before: 0, after: 9 },
    ],
  });
  expect((await difference('superadmin', job.id)).body).toMatchObject({ derivedFrom: null, params: [] });
});

it('[G36] keeps the text of new parameters', async () => {
  const job = await buildJob(db(), { state: 'failed', owner: owner('user'), kind: 'test.echo', params: '{"value":1}' });
  const text = '{"value": [ 1.50, 12345678901234567890 ]}';
  const answer = await resubmit('user', job.id, `{"params": ${text} }`, { 'Content-Type': 'application/json' });
  expect((await stored(answer.body.id)).params).toBe(text);
});

it.each([
  ['failed', [9, 11, 30]],
  ['unfinished', [9, 10, 11, ...Array.from({ length: 23 }, (_, at) => at + 12)]],
] as const)('[G36] [G37] takes the rows that are %s, and numbers them anew', async (rows, wanted) => {
  const job = await buildJob(db(), { state: 'completed_with_errors', owner: owner('user'), rows: 35 });
  await buildOutcomes(db(), job, { good: [0, 1, 2, 3, 4, 5, 6, 7, 8], failed: [9, 11, 30] });
  const answer = await resubmit('user', job.id, { rows });
  expect(answer.body.progress.total).toBe(wanted.length);
  expect(await inputLines(db(), answer.body.id)).toEqual(wanted.map((n) => `{"n":${n}}`));
  const { rows: compared } = (await difference('user', answer.body.id)).body;
  expect(compared).toMatchObject({ isSame: false, before: { total: 35 }, after: { total: wanted.length } });
});

it('copies many input chunks in order, part by part', async () => {
  const job = await buildJob(db(), { state: 'failed', owner: owner('user'), rows: 1500 });
  const answer = await resubmit('user', job.id, { rows: 'same' });
  expect(await inputLines(db(), answer.body.id)).toEqual(await inputLines(db(), job.id));
  const rest = await resubmit('user', job.id, { rows: 'unfinished' });
  expect(await inputLines(db(), rest.body.id)).toEqual(await inputLines(db(), job.id));
});

it('refuses what a new job of the kind would be refused for, and leaves nothing', async () => {
  const echo = await buildJob(db(), {
    state: 'failed',
    owner: owner('user'),
    kind: 'test.echo',
    params: '{"value":1}',
  });
  const rows = await buildJob(db(), { state: 'failed', owner: owner('user'), rows: 10 });
  const running = await buildJob(db(), { state: 'running', owner: owner('user'), rows: 10 });
  const foreign = await buildJob(db(), { state: 'failed', owner: owner('superadmin') });
  const closed = await buildJob(db(), { state: 'failed', owner: owner('user'), kind: 'users.import' });
  const gone = await buildJob(db(), { state: 'failed', owner: owner('user'), kind: 'test.nothing' });
  const before = await db().selectFrom('job').select('id').execute();
  const refusals: [string, unknown, number, string][] = [
    [echo.id, { params: { other: 1 } }, 422, 'invalid'],
    [echo.id, { rows: 'failed' }, 422, 'invalid'],
    [echo.id, { trial: 3 }, 422, 'invalid'],
    [echo.id, { title: ' ' }, 422, 'invalid'],
    [echo.id, { kind: 'test.work' }, 422, 'invalid'],
    [echo.id, { notify: { email: true, to: 'a\u0000b@c.test' } }, 422, 'invalid'],
    [rows.id, { rows: 'failed' }, 409, 'nothing_to_requeue'],
    [running.id, { rows: 'unfinished' }, 409, 'state_forbids'],
    [rows.id, { notify: { email: true, to: 'somebody@elsewhere.test' } }, 403, 'forbidden'],
    [foreign.id, {}, 404, 'not_found'],
    [closed.id, {}, 403, 'forbidden'],
    [gone.id, {}, 422, 'invalid'],
  ];
  for (const [id, body, status, code] of refusals) {
    const answer = await resubmit('user', id, body);
    expect([id, body, answer.status, answer.body.code]).toEqual([id, body, status, code]);
  }
  expect((await resubmit('user', echo.id, '{', { 'Content-Type': 'application/json' })).status).toBe(400);
  expect((await resubmit('user', echo.id, 'x', { 'Content-Type': 'text/plain' })).status).toBe(415);
  expect(await db().selectFrom('job').select('id').execute()).toHaveLength(before.length);
  expect(await db().selectFrom('upload').selectAll().execute()).toEqual([]);
  const { rows: stray } =
    await sql`select 1 from job_input i where not exists (select 1 from job where id = i.job_id)`.execute(db());
  expect(stray).toEqual([]);
});

it('makes one job for one key', async () => {
  const job = await buildJob(db(), { state: 'failed', owner: owner('user'), rows: 10 });
  const key = { 'Idempotency-Key': `again-${job.id}` };
  const first = await resubmit('user', job.id, { title: 'Once' }, key);
  const second = await resubmit('user', job.id, { title: 'Once' }, key);
  expect([second.status, second.body.id, second.headers.get('idempotency-replayed')]).toEqual([
    202,
    first.body.id,
    'true',
  ]);
  expect((await resubmit('user', job.id, { title: 'Twice' }, key)).body.code).toBe('idempotency_mismatch');
});

it('[G34] requeues with the same parameters; earlier runs, logs, reports and errors stay, and both people are known', async () => {
  const params = '{ "chunkMs" :  0.0 }';
  const job = await buildJob(db(), { state: 'completed_with_errors', owner: owner('user'), rows: 10, params });
  await buildOutcomes(db(), job, { good: [0], failed: [3] });
  await db().updateTable('run').set({ report: '{"rows":10}' }).where('jobId', '=', job.id).execute();
  await db().insertInto('logLine').values({ jobId: job.id, run: 1, level: 'info', message: 'of run one' }).execute();
  const next = await server.call('superadmin', 'POST', `/api/v1/jobs/${job.id}/requeue`, {});
  expect(next.body).toMatchObject({ id: job.id, run: 2, owner: { id: server.callers.user.id } });
  expect((await stored(job.id)).params).toBe(params);
  const of = (rest: string) => server.call('user', 'GET', `/api/v1/jobs/${job.id}/${rest}`);
  expect((await of('log?run=1')).text).toContain('of run one');
  expect((await of('report?run=1')).body).toMatchObject({ result: { rows: 10 } });
  expect((await of('errors?run=1')).body.items).toMatchObject([{ rowIndex: 3 }]);
  const [second, first] = (await of('runs')).body.items;
  expect([second.requestedBy, first.run, first.outcome]).toEqual(['A superadmin', 1, 'completed_with_errors']);
  const { items } = (await server.call('superadmin', 'GET', `/api/v1/audit?subjectType=job&subjectId=${job.id}`)).body;
  expect(items).toMatchObject([{ action: 'job.requeue', actor: { id: server.callers.superadmin.id } }]);
});

describe('[G35] requeue of a job that has not ended', () => {
  const requeue = (id: string, body: object) => server.call('superadmin', 'POST', `/api/v1/jobs/${id}/requeue`, body);

  it.each(['queued', 'running', 'paused', 'scheduled'] as const)(
    'is refused while %s, with what to do',
    async (state) => {
      const job = await buildJob(db(), { state, owner: owner('user'), rows: 10 });
      const answer = await requeue(job.id, {});
      expect([answer.status, answer.body.code]).toEqual([409, 'job_state_forbids']);
      expect(answer.body.allowedActions).toContain('cancel');
      expect(answer.body.detail).toContain('cancel');
    },
  );

  it('cancels first, if asked, and runs it again under the same id', async () => {
    const job = await buildJob(db(), { state: 'running', owner: owner('user'), rows: 10 });
    const answer = await requeue(job.id, { cancelFirst: true });
    expect(answer.body).toMatchObject({ id: job.id, run: 2, state: 'queued' });
    const { items } = (await server.call('user', 'GET', `/api/v1/jobs/${job.id}/runs`)).body;
    expect(items).toMatchObject([
      { run: 2, requestedBy: 'A superadmin' },
      { run: 1, outcome: 'canceled' },
    ]);
  });

  it('cancels nothing for rows that can never be chosen', async () => {
    const rowless = await buildJob(db(), { state: 'queued', owner: owner('user') });
    const job = await buildJob(db(), { state: 'running', owner: owner('user'), rows: 10 });
    expect((await requeue(rowless.id, { cancelFirst: true, only: 'failed' })).status).toBe(422);
    expect((await requeue(job.id, { cancelFirst: true, code: 'gone' })).status).toBe(422);
    expect([(await stored(rowless.id)).state, (await stored(job.id)).state]).toEqual(['queued', 'running']);
  });

  it('waits for the end of work in hand', async () => {
    const job = await buildJob(db(), { state: 'running', owner: owner('user'), rows: 20, held: true });
    const asked = requeue(job.id, { cancelFirst: true });
    await until(async () => (await stored(job.id)).state === 'canceling', 'the job to be asked to stop');
    await db()
      .transaction()
      .execute(async (tx) => {
        const ended = { finishedAt: new Date(), purgeAt: new Date(Date.now() + 60_000) };
        await tx
          .updateTable('job')
          .set({ state: 'canceled', ...ended })
          .where('id', '=', job.id)
          .execute();
      });
    expect((await asked).body).toMatchObject({ run: 2, state: 'queued' });
  });

  it('says so when the work does not end in time, and cancels nothing that runs once', async () => {
    const deaf = await buildJob(db(), { state: 'running', owner: owner('user'), rows: 20, held: true });
    const runsOnce = await buildJob(db(), { state: 'paused', owner: owner('user'), kind: 'deployment' });
    const [late, never] = [requeue(deaf.id, { cancelFirst: true }), requeue(runsOnce.id, { cancelFirst: true })];
    expect((await never).status).toBe(409);
    expect((await stored(runsOnce.id)).state).toBe('paused');
    expect([(await late).status, (await stored(deaf.id)).run]).toEqual([409, 1]);
  });
});
