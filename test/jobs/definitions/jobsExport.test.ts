// jobs.export over the real API: the caller's visible jobs of a filter, as a file that goes with its job.
import { sql } from 'kysely';
import { parse } from 'csv-parse/sync';
import type { UserRole } from '../../../src/db/generated/database';
import { buildJob } from '../../support/factories';
import { until } from '../../support/until';
import { startTestServer, type TestServer } from '../../support/webServer';

jest.setTimeout(30_000);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ worker: true });
  const db = server.database.kysely;
  const owner = (role: UserRole) => ({ ...server.callers[role], name: `A ${role}` });
  await buildJob(db, { state: 'failed', owner: owner('superadmin'), title: '=cmd|calc', kind: 'test.old' });
  await buildJob(db, { state: 'succeeded', owner: owner('superadmin'), title: 'one, "two"\nthree', kind: 'test.old' });
  await buildJob(db, { state: 'succeeded', owner: owner('power_user'), title: 'mine', kind: 'test.old', rows: 3 });
});
afterAll(() => server.stop());

async function exported(as: UserRole, params: object) {
  const started = await server.call(as, 'POST', '/api/v1/jobs', {
    kind: 'jobs.export',
    params,
    notify: { email: false },
  });
  expect(started.status).toBe(202);
  let job = started.body;
  await until(async () => {
    job = (await server.call(as, 'GET', `/api/v1/jobs/${job.id}`)).body;
    return job.group === 'processed';
  }, 'the end of the export');
  return job;
}
const fileOf = (as: UserRole, job: { id: string }) => server.call(as, 'GET', `/api/v1/jobs/${job.id}/file`);

it('[G19] writes the filtered list with all columns, formulas neutralised, as a download', async () => {
  const job = await exported('superadmin', { kind: 'test.old', scope: 'mine' });
  expect(job).toMatchObject({
    state: 'succeeded',
    fileUrl: `/api/v1/jobs/${job.id}/file`,
    progress: { total: 2, done: 2, percent: 100 },
  });
  const file = await fileOf('superadmin', job);
  expect(file.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(file.headers.get('content-disposition')).toBe(`attachment; filename=jobs-${job.id}.csv`);
  const rows = parse(file.text, { columns: true }) as Record<string, string>[];
  expect(rows.map((row) => row['title'])).toEqual(['one, "two"\nthree', "'=cmd|calc"]);
  expect(rows[1]).toMatchObject({
    state: 'failed',
    owner: 'superadmin@example.org',
    run: '1',
    priority: '0',
    params: '{"ms":1}',
  });
  const direct = await server.call('superadmin', 'GET', '/api/v1/export/jobs.csv?kind=test.old&scope=mine');
  expect(direct.text).toBe(file.text);
});

it('writes NDJSON with its types', async () => {
  const job = await exported('superadmin', { kind: 'test.old', owner: 'power_user@example.org', format: 'ndjson' });
  const { text } = await fileOf('superadmin', job);
  expect(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object),
  ).toMatchObject([{ title: 'mine', total: 3, startedAt: expect.stringMatching(/Z$/), errorCode: null, params: {} }]);
});

it('[G19] shows a power user the own jobs alone, and nobody else the file', async () => {
  const job = await exported('power_user', { kind: 'test.old' });
  const file = await fileOf('power_user', job);
  expect(parse(file.text, { columns: true })).toMatchObject([{ title: 'mine' }]);
  expect((await fileOf('user', job)).status).toBe(404);
  expect((await fileOf('superadmin', job)).status).toBe(200);
  expect(await exported('power_user', { scope: 'all' })).toMatchObject({
    state: 'failed',
    error: { code: 'forbidden' },
  });
  const asUser = await server.call('user', 'POST', '/api/v1/jobs', { kind: 'jobs.export', params: {} });
  expect(asUser.status).toBe(403);
});

it('[G19] says that an export is empty', async () => {
  const job = await exported('superadmin', { kind: 'no.such' });
  expect(job).toMatchObject({ state: 'succeeded', progress: { done: 0 } });
  expect((await fileOf('superadmin', job)).text.split('\n')).toHaveLength(2);
  const report = await server.call('superadmin', 'GET', `/api/v1/jobs/${job.id}/report`);
  expect(report.text).toContain('No job matches the filter');
});

it('refuses a filter that nobody could mean, and goes with its job', async () => {
  for (const params of [{ state: 'nope' }, { since: 'soon' }, { timeZone: 'Mars/X' }, { x: 1 }]) {
    const answer = await server.call('superadmin', 'POST', '/api/v1/jobs', { kind: 'jobs.export', params });
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid' } });
  }
  const job = await exported('superadmin', { kind: 'test.old' });
  expect((await server.call('superadmin', 'DELETE', `/api/v1/jobs/${job.id}`)).status).toBe(204);
  expect((await fileOf('superadmin', job)).status).toBe(404);
  const left = async (): Promise<number> => {
    const { rows } = await sql<{ n: number }>`
      select (select count(*) from job_file where job_id = ${job.id}) + (select count(*) from job_file_part where job_id = ${job.id}) as n`.execute(
      server.database.kysely,
    );
    return Number(rows[0]?.n);
  };
  await until(async () => (await left()) === 0, 'the file to go with its job');
});

it('[G27] leaves the total open while a job does not know it', async () => {
  const started = await server.call('superadmin', 'POST', '/api/v1/jobs', { kind: 'test.echo', params: { value: 1 } });
  expect(started.body.progress).toMatchObject({ total: null, percent: null, done: 0 });
});

it('begins anew when its connection is lost, and ends well', async () => {
  const { kysely: db, pool } = server.database;
  const holder = await pool.connect();
  await holder.query('begin');
  await holder.query('lock table job_file in access exclusive mode');
  const ended = exported('superadmin', { kind: 'test.old' });
  const killed = async (): Promise<boolean> => {
    const { rows } = await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where wait_event_type = 'Lock' and query like 'delete from "job_file"%' and datname = current_database()`.execute(
      db,
    );
    return rows.length > 0;
  };
  await until(killed, 'the export to wait for the table');
  await holder.query('commit');
  holder.release();
  const job = await ended;
  expect(job).toMatchObject({ state: 'succeeded', progress: { total: 3, done: 3 } });
  expect((parse((await fileOf('superadmin', job)).text, { columns: true }) as object[]).length).toBe(3);
});
