// A page of a large list costs what it shows: PostgreSQL's own counts of the rows that each list read.
import { sql } from 'kysely';
import type { Tx } from '../../src/db/database';
import { listJobs, type JobFilter, type JobPage, type JobSort } from '../../src/db/queries/jobs';
import { buildJob, buildUser, openTestLedger, type TestLedger } from '../support/factories';

const JOBS = 30_000;
/** Of a page of 50: a few rows that turn out to be deleted, and what joins read. */
const MAY_READ = 400;

let ledger: TestLedger;
let owner: Awaited<ReturnType<typeof buildUser>>;
beforeAll(async () => {
  ledger = await openTestLedger();
  owner = await buildUser(ledger.db);
  await buildJob(ledger.db, { state: 'queued', owner });
  await sql`
    with made as (
      insert into job (id, kind, title, state, owner_id, owner_name, owner_email, params, created_at, priority,
        finished_at, purge_at)
      select gen_random_uuid(), 'kind.' || i % 7, 't', case when i % 3 = 0 then 'queued' else 'succeeded' end::job_state,
        case when i % 5 = 0 then ${owner.id}::uuid else gen_random_uuid() end, 'n', 'e' || i % 100 || '@x.test', '{}',
        gantry_now() - i * interval '1 minute', i % 9,
        case when i % 3 = 0 then null else gantry_now() end, case when i % 3 = 0 then null else gantry_now() + interval '9 days' end
      from generate_series(1, ${JOBS}::int) i returning id)
    insert into run (job_id, run) select id, 1 from made`.execute(ledger.db);
  await sql`analyze`.execute(ledger.db);
}, 60_000);
afterAll(() => ledger.close());

async function readRows(tx: Tx): Promise<number> {
  const { rows } = await sql<{ read: number }>`
    select (seq_tup_read + idx_tup_fetch)::int as read from pg_stat_xact_user_tables where relname = 'job'`.execute(tx);
  return rows[0]?.read ?? NaN;
}

/** Rows of `job` that the list read, and the last row that it showed. */
async function costOf(filter: JobFilter, page: JobPage): Promise<{ read: number; last: JobPage['after'] }> {
  return ledger.db.transaction().execute(async (tx) => {
    const before = await readRows(tx);
    const rows = await listJobs(tx, filter, page);
    const read = (await readRows(tx)) - before;
    const last = rows.at(-1);
    expect(rows).toHaveLength(page.limit);
    return { read, last: last ? { key: last.sortKey, id: last.id } : null };
  });
}

const SORTS: JobSort[] = ['createdAt', 'finishedAt', 'priority', 'owner', 'state', 'kind'];
it.each(SORTS.flatMap((sort) => [true, false].map((descending) => [sort, descending] as const)))(
  '[G18] by %s (falling: %s): pages read an index, and little of it',
  async (sort, descending) => {
    let after: JobPage['after'] = null;
    for (let page = 0; page < 4; page += 1) {
      const { read, last } = await costOf({}, { sort, descending, after, limit: 50 });
      expect(read).toBeLessThan(MAY_READ);
      after = last;
    }
  },
);

it.each<[string, () => JobFilter]>([
  ['of one owner', () => ({ owners: { in: [owner.id] } })],
  ['of one state', () => ({ states: { in: ['queued'] } })],
  ['of one kind', () => ({ kinds: { in: ['kind.3'] } })],
  ['since and until', () => ({ since: new Date(Date.now() - 9e8), until: new Date(Date.now() - 6e8) })],
])('[G18] %s: the newest page reads an index, and little of it', async (_name, filter) => {
  const { read } = await costOf(filter(), { sort: 'createdAt', descending: true, after: null, limit: 50 });
  expect(read).toBeLessThan(MAY_READ);
});
