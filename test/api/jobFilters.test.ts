// The job list's filters, sorts and pages over HTTP, each held against what SQL says.
import { sql } from 'kysely';
import { SORTS } from '../../src/jobs/jobFilter';
import { buildJob } from '../support/factories';
import { startTestServer, type Answer, type TestServer } from '../support/webServer';

let server: TestServer;
const KINDS = ['test.work', 'test.ret', 'test.reset'];
beforeAll(async () => {
  server = await startTestServer();
  const db = server.database.kysely;
  const owners = Object.values(server.callers).map((caller) => ({ ...caller, name: `A ${caller.role}` }));
  let count = 0;
  for (const owner of owners) {
    for (const state of ['queued', 'failed', 'succeeded', 'paused'] as const) {
      for (const kind of KINDS) {
        count += 1;
        const title = ['rent a car', 'reit', 'RE_T 100%', 'wreath'][count % 4] ?? '';
        const createdAt = sql<Date>`gantry_now() - ${`${count} hours`}::interval`;
        // Many share a priority, so that ties are there to be broken.
        await buildJob(db, { state, owner, kind, title, priority: count % 3, createdAt: createdAt as never });
      }
    }
  }
}, 60_000);
afterAll(() => server.stop());

const list = (query: string, as: 'superadmin' | 'user' = 'superadmin'): Promise<Answer> =>
  server.call(as, 'GET', `/api/v1/jobs?limit=100&${query}`);
const idsOf = (answer: Answer): string[] => answer.body.items.map((job: { id: string }) => job.id);
const bySql = async (condition: string): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`select id from job where ${sql.raw(condition)}`.execute(
    server.database.kysely,
  );
  return rows.map((row) => row.id).sort();
};

/** A parameter, and the same in SQL by hand. */
const FILTERS: [string, string][] = [
  ['owner=user@example.org', "owner_email = 'user@example.org'"],
  ['owner=-user@example.org', "owner_email <> 'user@example.org'"],
  ['group=processed', 'finished_at is not null'],
  ['group=unprocessed', 'finished_at is null'],
  ['state=failed,queued', "state in ('failed', 'queued')"],
  ['state=-failed', "state <> 'failed'"],
  ['kind=test.ret', "kind = 'test.ret'"],
  ['kind=-test.ret,-test.work', "kind not in ('test.ret', 'test.work')"],
  ['since=-1d', "created_at >= gantry_now() - interval '1 day'"],
  ['until=-6h30m', "created_at < gantry_now() - interval '6 hours 30 minutes'"],
  ['q=re%3Ft', "(title || kind || id || owner_email) ~* 're.t'"],
];
const pairs = FILTERS.flatMap((one, at) => FILTERS.slice(at + 1).map((two) => [one, two] as const)).filter(
  ([[one], [two]]) => one.split('=')[0] !== two.split('=')[0],
);

it.each(FILTERS)('[G10] [G11] ?%s alone gives what SQL gives', async (query, condition) => {
  const wanted = await bySql(condition);
  expect(idsOf(await list(query)).sort()).toEqual(wanted);
  expect(wanted.length).toBeGreaterThan(0);
});

it(`[G10] [G11] each of ${pairs.length} pairs gives the intersection`, async () => {
  for (const [one, two] of pairs) {
    const query = `${one[0]}&${two[0]}`;
    expect([query, idsOf(await list(query)).sort()]).toEqual([query, await bySql(`${one[1]} and ${two[1]}`)]);
  }
});

it("[G10] takes an owner's id or address, and nobody's as no job", async () => {
  const { id, email } = server.callers.power_user;
  expect(idsOf(await list(`owner=${id}`))).toEqual(idsOf(await list(`owner=${email}`)));
  expect(idsOf(await list('owner=nobody@example.org'))).toEqual([]);
});

it.each([
  ['re%3Ft', "title ~* 're.t' or kind ~* 're.t'"],
  ['re*t', "title ~* 're.*t' or kind ~* 're.*t'"],
  ['REIT', "title ilike '%reit%'"],
  ['RE_T', "title ilike '%re\\_t%'"],
  ['100%25', "title ilike '%100\\%%'"],
  ["'%3B drop table job; --", 'false'],
  ['.*', "title ilike '%.%' or kind ilike '%.%' or owner_email ilike '%.%'"],
  ['%5C', 'false'],
])('[G15] q=%s is text but for * and ?, in any case', async (q, condition) => {
  expect(idsOf(await list(`q=${q}`)).sort()).toEqual(await bySql(condition));
});

describe('[G12] [G13] times', () => {
  it.each(['today', '-1h', '-12h', '-24h', '-7d', '-1d2h', '0', '-2M', '2026-01-02', '2026-01-02T03:04:05.5+01:00'])(
    'since=%s is taken',
    async (since) => expect((await list(`since=${encodeURIComponent(since)}`)).status).toBe(200),
  );
  it.each(['yesterday', '-d', '1', '-10x', '2026-13-01', '2026-02-30', '2026-01-02 03:04', '-99999y', '+-1d', ''])(
    'since=%j is refused with its name',
    async (since) => {
      const answer = await list(`since=${encodeURIComponent(since)}`);
      expect([answer.status, answer.body.fields[0].path]).toEqual([422, 'since']);
    },
  );
  it('refuses a time zone that there is not', async () => {
    expect((await list('since=today&timeZone=Mars/Olympus')).body.fields[0].path).toBe('timeZone');
  });
  it("begins today at midnight of the user's own zone, unless another is asked for", async () => {
    const db = server.database.kysely;
    await db
      .updateTable('appUser')
      .set({ timeZone: 'Pacific/Kiritimati' })
      .where('id', '=', server.callers.user.id)
      .execute();
    const today = (zone: string): Promise<string[]> =>
      bySql(
        `owner_email = 'user@example.org' and created_at >= (date_trunc('day', gantry_now() at time zone '${zone}') at time zone '${zone}')`,
      );
    expect(idsOf(await list('since=today', 'user')).sort()).toEqual(await today('Pacific/Kiritimati'));
    expect(idsOf(await list('since=today&timeZone=Pacific/Niue', 'user')).sort()).toEqual(await today('Pacific/Niue'));
    expect(await today('Pacific/Kiritimati')).not.toEqual(await today('Pacific/Niue'));
  });
});

describe('[G16] pages', () => {
  it.each(['0', '101', '-1', 'x', '1.5'])('refuses limit=%s', async (limit) => {
    const answer = await server.call('superadmin', 'GET', `/api/v1/jobs?limit=${limit}`);
    expect([answer.status, answer.body.fields[0].path]).toEqual([422, 'limit']);
  });
  it('stay whole while jobs come in', async () => {
    const before = idsOf(await list('')).sort();
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await server.call('superadmin', 'GET', `/api/v1/jobs?limit=7${cursor}`);
      seen.push(...body.items.map((job: { id: string }) => job.id));
      const owner = { ...server.callers.user, name: 'A user' };
      await buildJob(server.database.kysely, { state: 'succeeded', owner, title: 'came in' });
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
    } while (cursor !== '');
    expect(seen.length).toBe(new Set(seen).size);
    expect(seen.filter((id) => before.includes(id)).sort()).toEqual(before);
    await server.database.kysely
      .updateTable('job')
      .set({ deletedAt: new Date() })
      .where('title', '=', 'came in')
      .execute();
  });
});

const COLUMNS: Record<string, string> = {
  createdAt: 'created_at',
  finishedAt: 'finished_at',
  priority: 'priority',
  owner: 'owner_email',
  state: 'state',
  kind: 'kind',
};
it.each(SORTS)('[G17] sorts by %s, ties broken by id, through pages as in one', async (sort) => {
  const direction = sort.startsWith('-') ? 'desc' : 'asc';
  const { rows } = await sql<{ id: string }>`select id from job where deleted_at is null
    order by ${sql.raw(`${COLUMNS[sort.replace('-', '')]} ${direction}, id ${direction}`)}`.execute(
    server.database.kysely,
  );
  const wanted = rows.map((row) => row.id);
  expect(idsOf(await list(`sort=${sort}`))).toEqual(wanted);
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body }: Answer = await server.call(
      'superadmin',
      'GET',
      `/api/v1/jobs?limit=11&sort=${sort}${cursor && `&cursor=${cursor}`}`,
    );
    seen.push(...body.items.map((job: { id: string }) => job.id));
    cursor = body.nextCursor;
  }
  expect(seen).toEqual(wanted);
});

it('[G17] refuses the cursor of another sort', async () => {
  const { body } = await server.call('superadmin', 'GET', '/api/v1/jobs?limit=2&sort=owner');
  for (const sort of ['createdAt', 'priority', 'state']) {
    const answer = await server.call('superadmin', 'GET', `/api/v1/jobs?sort=${sort}&cursor=${body.nextCursor}`);
    expect([answer.status, answer.body.fields[0].path]).toEqual([422, 'cursor']);
  }
});

it('[G21] [G22] gives superadmins all or mine, and others their own and no more', async () => {
  const own = await bySql("owner_email = 'user@example.org' and deleted_at is null");
  expect(idsOf(await list('', 'user')).sort()).toEqual(own);
  expect(idsOf(await list('scope=mine', 'user')).sort()).toEqual(own);
  expect((await list('scope=all', 'user')).status).toBe(403);
  expect((await list('owner=superadmin@example.org', 'user')).status).toBe(403);
  expect(idsOf(await list('scope=all')).sort()).toEqual(await bySql('deleted_at is null'));
  expect(idsOf(await list('scope=mine')).sort()).toEqual(
    await bySql("owner_email = 'superadmin@example.org' and deleted_at is null"),
  );
});
