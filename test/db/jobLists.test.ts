import { sql } from 'kysely';
import {
  countJobs,
  findJob,
  likePattern,
  listJobs,
  type JobPage,
  type JobFilter,
  type JobSort,
  type ListedJob,
} from '../../src/db/queries/jobs';
import type { Actor } from '../../src/jobs/actor';
import { isFinal, JOB_STATES, type JobState } from '../../src/jobs/lifecycle';
import { buildJob, buildUser, openTestLedger, type TestLedger } from '../support/factories';

let ledger: TestLedger;
let ada: Actor;
let bob: Actor;
beforeAll(async () => {
  ledger = await openTestLedger();
  ada = await buildUser(ledger.db, { email: 'ada@x.test' });
  bob = await buildUser(ledger.db, { email: 'bob_b@y.test' });
  for (const state of JOB_STATES) {
    await buildJob(ledger.db, { state, owner: ada, title: `100% ${state}`, priority: state.length % 3 });
    await buildJob(ledger.db, { state, owner: bob, rows: 5, kind: 'users.import', priority: 5 });
  }
  // Many at one moment: pages must not lose or double any.
  await ledger.db
    .updateTable('job')
    .set({ createdAt: new Date('2026-01-02T03:04:05Z') })
    .where('ownerId', '=', bob.id)
    .execute();
});
afterAll(() => ledger.close());

async function all(filter: JobFilter, sort: JobSort = 'createdAt', descending = true, limit = 3): Promise<ListedJob[]> {
  const found: ListedJob[] = [];
  let after: JobPage['after'] = null;
  for (;;) {
    const page: ListedJob[] = await listJobs(ledger.db, filter, { sort, descending, after, limit });
    found.push(...page);
    const last = page[page.length - 1];
    if (page.length < limit || !last) return found;
    after = { key: last.sortKey, id: last.id };
  }
}

it.each([
  ['createdAt', true],
  ['createdAt', false],
  ['finishedAt', true],
  ['finishedAt', false],
  ['priority', true],
  ['priority', false],
] as const)('[G16] [G17] pages by %s (falling: %s) through every job once, in one order', async (sort, descending) => {
  const paged = await all({}, sort, descending);
  const whole = await all({}, sort, descending, 100);
  expect(paged.map((job) => job.id)).toEqual(whole.map((job) => job.id));
  expect(new Set(paged.map((job) => job.id)).size).toBe(JOB_STATES.length * 2);
  const keys = whole.map((job) => job.sortKey ?? Infinity);
  expect(keys).toEqual([...keys].sort((a, b) => (a === b ? 0 : (a < b ? -1 : 1) * (descending ? -1 : 1))));
});

it('[G10] [G11] filters by what is taken and what is left out', async () => {
  const states = async (filter: JobFilter): Promise<string[]> => (await all(filter)).map((job) => job.state);
  expect(new Set(await states({ states: { in: ['queued', 'failed'] } }))).toEqual(new Set(['queued', 'failed']));
  expect(await states({ states: { notIn: ['queued'] } })).toHaveLength(JOB_STATES.length * 2 - 2);
  expect(await states({ states: { in: [] } })).toEqual([]);
  expect(await all({ owners: { in: [ada.id] }, kinds: { in: ['users.import'] } })).toEqual([]);
  expect(await all({ owners: { notIn: [ada.id] } })).toHaveLength(JOB_STATES.length);
  expect((await states({ group: 'processed' })).every((state) => isFinal(state as JobState))).toBe(true);
  expect((await states({ group: 'processed' })).length + (await states({ group: 'unprocessed' })).length).toBe(
    JOB_STATES.length * 2,
  );
});

it('[G11] takes since as inclusive and until as exclusive', async () => {
  const at = new Date('2026-01-02T03:04:05Z');
  const after = new Date(at.getTime() + 1);
  expect(await all({ since: at, until: after })).toHaveLength(JOB_STATES.length);
  expect(await all({ until: at })).toHaveLength(0);
  expect((await all({ since: after })).every((job) => job.ownerId === ada.id)).toBe(true);
});

it('[G15] searches title, kind, id and address, with * and ? alone as signs', async () => {
  const count = async (q: string): Promise<number> => (await all({ q })).length;
  expect(await count('ADA@x')).toBe(JOB_STATES.length);
  expect(await count('bob_b')).toBe(JOB_STATES.length);
  expect(await count('bob%')).toBe(0);
  expect(await count('b?b_b')).toBe(JOB_STATES.length);
  expect(await count('users*port')).toBe(JOB_STATES.length);
  expect(await count('100% queued')).toBe(1);
  const [one] = await all({});
  expect(await count((one?.id ?? '').toUpperCase())).toBe(1);
  expect(likePattern('a\\b_%*?')).toBe('%a\\\\b\\_\\%%_%');
});

it('counts each state, also those without a job', async () => {
  const counts = await countJobs(ledger.db, { owners: { in: [ada.id] } });
  expect(Object.keys(counts).sort()).toEqual([...JOB_STATES].sort());
  for (const state of JOB_STATES) expect(counts[state]).toEqual({ count: 1, more: false });
  const none = await countJobs(ledger.db, { q: 'nothing like it' });
  for (const state of JOB_STATES) expect(none[state]).toEqual({ count: 0, more: false });
});

it('bounds the count at 10,000', async () => {
  const many = await openTestLedger();
  const owner = await buildUser(many.db);
  await buildJob(many.db, { state: 'queued', owner });
  const copy = (count: number) =>
    sql`
    with made as (insert into job (id, kind, title, state, owner_id, owner_name, owner_email, params)
      select gen_random_uuid(), 'k', 't', 'queued', ${owner.id}, 'n', 'e', '{}' from generate_series(1, ${count}::int) returning id)
    insert into run (job_id, run) select id, 1 from made`.execute(many.db);
  await copy(9999);
  expect((await countJobs(many.db, {})).queued).toEqual({ count: 10_000, more: false });
  await copy(1);
  expect((await countJobs(many.db, {})).queued).toEqual({ count: 10_000, more: true });
  await many.close();
});

it('counts a job as gone from its purge time on, whether or not the duty has run', async () => {
  const purgeAt = (ms: number) => sql<Date>`gantry_now() + ${ms} * interval '1 millisecond'`;
  const still = await buildJob(ledger.db, { state: 'failed', owner: ada, purgeAt: purgeAt(60_000) as unknown as Date });
  expect(await findJob(ledger.db, still.id)).not.toBeNull();
  await ledger.db
    .updateTable('job')
    .set({ purgeAt: purgeAt(0) })
    .where('id', '=', still.id)
    .execute();
  expect(await findJob(ledger.db, still.id)).toBeNull();
  expect((await all({})).map((job) => job.id)).not.toContain(still.id);
});
