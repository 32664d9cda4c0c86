// An upgrade with work in flight: processes of the version before and of this one side by side on one ledger and queue.
// Nothing is lost and no row of an in-database action takes effect twice. Kept for every later migration (oldVersion.ts).
import { Client } from 'pg';
import { createDemoClient, type DemoClient } from '../../src/demo/demoClient';
import {
  ADMIN_ENV,
  adminClient,
  createOperation,
  jobEnd,
  jobUntil,
  sendRows,
  type JobView,
} from '../support/apiClient';
import { createEmptyDatabase, type TestDatabase } from '../support/database';
import { backends } from '../support/engine';
import { clearFolder, killLeftovers, scratchFolder, startGantry, type GantryProcess } from '../support/gantryProcess';
import { startRowsEndpoint, type RowsEndpoint } from '../support/rowsEndpoint';
import { checkOut, hasHistory, OLD_VERSIONS } from './oldVersion';

const SECRET_KEY = '5f'.repeat(32);
const USERS = 3000;

const csvOfUsers = (name: string): string =>
  ['email,name', ...Array.from({ length: USERS }, (_, n) => `${name}-${n}@example.test,${name} ${n}`)].join('\n');
const csvOfNumbers = (count: number): string => ['n', ...Array.from({ length: count }, (_, n) => String(n))].join('\n');

const missing = OLD_VERSIONS.filter(({ commit }) => !hasHistory(commit));
if (missing.length > 0) {
  process.stderr.write(
    '\n*** SHALLOW HISTORY: upgrades from older versions are not proved; fetch the whole history ***\n\n',
  );
}
const cases = OLD_VERSIONS.flatMap((version) => backends().map((backend) => ({ ...version, backend })));

(missing.length > 0 ? describe.skip : describe).each(cases)('from $migration on $backend', ({ commit, backend }) => {
  const folder = scratchFolder();
  let old: ReturnType<typeof checkOut>;
  let database: TestDatabase;
  let endpoint: RowsEndpoint;
  let env: Record<string, string>;

  beforeAll(async () => {
    old = checkOut(commit);
    database = await createEmptyDatabase();
    endpoint = await startRowsEndpoint((data) =>
      Number(data['n']) % 50 === 7 ? { code: 'seven', message: '7' } : null,
    );
    // Redis is shared by the whole suite: database 9 is this test's alone.
    const redis = backend === 'redis' ? `${process.env['GANTRY_TEST_REDIS']?.replace(/\/\d*$/, '')}/9` : '';
    env = {
      ...ADMIN_ENV,
      SECRET_KEY,
      DATABASE_URL: database.url,
      REDIS_URL: redis,
      LEASE_MS: '3000',
      SHUTDOWN_GRACE_MS: '3000',
    };
  });
  afterAll(async () => {
    killLeftovers();
    await endpoint.stop();
    await database.drop();
    await clearFolder(folder);
    old.remove();
  });

  const start = (args: string[], sources?: string): Promise<GantryProcess> =>
    startGantry(folder, { args, env, ...(sources ? { sources } : {}) });
  const startWorker = (sources?: string): Promise<GantryProcess> =>
    startGantry(folder, { args: ['worker'], env, untilReady: false, ...(sources ? { sources } : {}) });
  const importUsers = (client: DemoClient, name: string): Promise<JobView> =>
    client.upload<JobView>('/api/v1/jobs', {
      job: JSON.stringify({ kind: 'users.import', params: {}, notify: { email: false } }),
      rows: new File([csvOfUsers(name)], 'users.csv', { type: 'text/csv' }),
    });

  test('work in flight goes on, whichever version holds it', async () => {
    const oldWeb = await start(['web'], old.folder);
    const before = adminClient(oldWeb.url);
    const oldWorker = await startWorker(old.folder);
    await createOperation(before, 'plain', endpoint.url, { chunkSize: 20, concurrency: 2 });
    await createOperation(before, 'asks', endpoint.url, { chunkSize: 20, needsApproval: true });
    const approver = await before.post<{ id: string }>('/api/v1/users', {
      email: 'second@example.test',
      name: 'Second',
      role: 'superadmin',
    });
    const token = await before.post<{ token: string }>('/api/v1/tokens', { name: 'approver', userId: approver.id });

    const imported = [await importUsers(before, 'first'), await importUsers(before, 'second')];
    const tried = await sendRows(before, 'plain', csvOfNumbers(400), { trial: 40, notify: { email: false } });
    await jobUntil(before, tried.id, ({ state }) => state === 'paused', 'the end of the trial');
    const asked = await sendRows(before, 'asks', csvOfNumbers(100), { notify: { email: false } });
    const later = await sendRows(before, 'plain', csvOfNumbers(60), {
      runAt: new Date(Date.now() + 10_000).toISOString(),
    });
    endpoint.hold();
    const inHand = await sendRows(before, 'plain', csvOfNumbers(300));
    await jobUntil(before, inHand.id, ({ state }) => state === 'running', 'a chunk in the hands of the old worker');

    // The new version migrates beside the old one, which goes on.
    const newWeb = await start(['web']);
    const after = adminClient(newWeb.url);
    const newWorker = await startWorker();
    endpoint.release();
    imported.push(await importUsers(before, 'third'), await importUsers(after, 'fourth'));
    const fromOld = await sendRows(before, 'plain', csvOfNumbers(200));
    const fromNew = await sendRows(after, 'plain', csvOfNumbers(200));
    await after.post(`/api/v1/jobs/${tried.id}/resume`, {});
    await createDemoClient(newWeb.url, token.token).post(`/api/v1/jobs/${asked.id}/approve`, {});
    await jobEnd(before, fromNew.id);

    oldWorker.signal('SIGTERM');
    expect((await oldWorker.ended()).code).toBe(0);
    imported.push(await importUsers(before, 'fifth'));
    oldWeb.signal('SIGTERM');
    expect((await oldWeb.ended()).code).toBe(0);

    for (const job of imported) {
      expect(await jobEnd(after, job.id)).toMatchObject({
        state: 'succeeded',
        progress: { total: USERS, done: USERS },
      });
    }
    const sizes: [JobView, number][] = [
      [tried, 400],
      [asked, 100],
      [later, 60],
      [inHand, 300],
      [fromOld, 200],
      [fromNew, 200],
    ];
    for (const [job, total] of sizes) {
      const failed = Array.from({ length: total }, (_, n) => n).filter((n) => n % 50 === 7).length;
      const ended = await jobEnd(after, job.id);
      expect(ended).toMatchObject({ state: 'completed_with_errors', progress: { total, done: total, failed } });
    }
    expect(await countImported(database.url)).toEqual({
      accounts: USERS * imported.length,
      audits: USERS * imported.length,
    });
    newWorker.signal('SIGTERM');
    expect((await newWorker.ended()).code).toBe(0);
    newWeb.signal('SIGTERM');
    expect((await newWeb.ended()).code).toBe(0);
  }, 180_000);
});

/** Each imported row made one account and one audit row, and no more. */
async function countImported(url: string): Promise<{ accounts: number; audits: number }> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ accounts: number; audits: number }>(
    `select (select count(*)::int from app_user where email ~ '-[0-9]+@example.test$') as accounts,
       (select count(*)::int from audit where action = 'user.create' and reason like 'row of job%') as audits`,
  );
  await client.end();
  return rows[0] ?? { accounts: -1, audits: -1 };
}
