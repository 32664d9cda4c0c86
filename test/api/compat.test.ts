// Docebo's shape over our jobs: one table of states, the descriptor, its filters, and the same rules of who may see what.
import { sql } from 'kysely';
import { DOCEBO_STATUS, statesOf } from '../../src/api/compat/doceboJob';
import { DOCEBO_STATUSES } from '../../src/api/contract/compat';
import { JOB_STATES } from '../../src/jobs/lifecycle';
import { newId } from '../../src/lib/ids';
import { buildJob } from '../support/factories';
import { startTestServer, type Answer, type TestServer } from '../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { BASE_URL: 'https://jobs.example' } });
  for (const state of JOB_STATES) {
    for (const caller of [server.callers.user, server.callers.superadmin])
      await buildJob(server.database.kysely, { state, owner: { ...caller, name: `A ${caller.role}` }, title: state });
  }
}, 60_000);
afterAll(() => server.stop());

const list = (as: 'user' | 'superadmin', query = ''): Promise<Answer> =>
  server.call(as, 'GET', `/manage/v1/job?page_size=200${query}`);
const namesOf = (answer: Answer): string[] => answer.body.data.items.map((job: { name: string }) => job.name).sort();

it('[G101] knows each of our states as one of four', () => {
  expect(DOCEBO_STATUS).toMatchInlineSnapshot(`
    {
      "awaiting_approval": "queued",
      "canceled": "aborted",
      "canceling": "running",
      "completed_with_errors": "completed",
      "expired": "aborted",
      "failed": "aborted",
      "paused": "running",
      "queued": "queued",
      "rejected": "aborted",
      "running": "running",
      "scheduled": "queued",
      "succeeded": "completed",
      "withdrawn": "aborted",
    }
  `);
  expect(DOCEBO_STATUSES.flatMap(statesOf).sort()).toEqual([...JOB_STATES].sort());
});

it('[G101] shows a job as its descriptor', async () => {
  const owner = { ...server.callers.user, id: '0198c0de-0000-7000-8000-000000000001', name: 'Ada' };
  const job = await buildJob(server.database.kysely, {
    state: 'completed_with_errors',
    owner,
    rows: 40,
    title: 'Enrol everybody',
    createdAt: new Date('2026-01-02T03:04:05Z'),
    queuedAt: new Date('2026-01-02T03:04:06Z'),
    startedAt: new Date('2026-01-02T03:04:07Z'),
    finishedAt: new Date('2026-01-02T03:05:00Z'),
    notifyTo: 'ada@example.org',
  });
  await sql`update run set good = 30, failed = 9, skipped = 1 where job_id = ${job.id}`.execute(server.database.kysely);
  const { body } = await server.call('superadmin', 'GET', `/manage/v1/job/${job.id}`);
  expect({ ...body.data, hash: 'hash', log_file: body.data.log_file.replace(job.id, 'hash') }).toMatchInlineSnapshot(`
   {
     "author": {
       "id": "0198c0de-0000-7000-8000-000000000001",
       "name": "Ada",
     },
     "date_created": "2026-01-02T03:04:05.000Z",
     "domain": "jobs.example",
     "errors": 9,
     "hash": "hash",
     "last_update": "2026-01-02T03:05:00.000Z",
     "log_file": "https://jobs.example/api/v1/jobs/hash/log",
     "name": "Enrol everybody",
     "notify": true,
     "notify_email": "ada@example.org",
     "percent": 100,
     "status": "completed",
     "total_records": 40,
   }
  `);
  expect(body.data.hash).toBe(job.id);
});

it.each(DOCEBO_STATUSES)('[G101] ?status=%s gives just those states, of the caller alone', async (status) => {
  const answer = await list('superadmin', `&status=${status}`);
  expect(namesOf(answer)).toEqual([...statesOf(status)].sort());
  expect(new Set(answer.body.data.items.map((job: { author: { id: string } }) => job.author.id))).toEqual(
    new Set([server.callers.superadmin.id]),
  );
});

it('[G101] pages by number', async () => {
  const page = async (number: number) =>
    (await server.call('user', 'GET', `/manage/v1/job?page=${number}&page_size=5`)).body.data;
  const pages = [await page(1), await page(2), await page(3), await page(4)];
  expect(pages.map(({ count, has_more_data, current_page }) => [count, has_more_data, current_page])).toEqual([
    [5, true, 1],
    [5, true, 2],
    [3, false, 3],
    [0, false, 4],
  ]);
  const hashes = pages.flatMap((each) => each.items.map((job: { hash: string }) => job.hash));
  expect(new Set(hashes).size).toBe(JOB_STATES.length);
});

it.each(['page=0', 'page_size=201', 'page=51&page_size=200', 'status=failed', 'author=a,b', 'author=-a', 'colour=red'])(
  'refuses ?%s',
  async (query) => expect((await server.call('user', 'GET', `/manage/v1/job?${query}`)).status).toBe(422),
);

it('[G22] keeps the jobs of others from those who are no superadmins, and takes no writes', async () => {
  const { user, superadmin } = server.callers;
  expect((await list('user', `&author=${superadmin.id}`)).status).toBe(403);
  expect(namesOf(await list('superadmin', `&author=${user.email}`))).toEqual([...JOB_STATES].sort());
  const foreign = (await list('superadmin')).body.data.items[0].hash;
  const answers = await Promise.all(
    [foreign, newId()].map((hash) => server.call('user', 'GET', `/manage/v1/job/${hash}`)),
  );
  expect(answers.map((answer) => [answer.status, answer.body.detail])).toEqual([
    [404, answers[1]?.body.detail],
    [404, answers[1]?.body.detail],
  ]);
  for (const method of ['POST', 'PUT', 'DELETE'])
    expect((await server.call('superadmin', method, `/manage/v1/job/${foreign}`)).status).toBe(404);
});
