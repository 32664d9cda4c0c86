// Saved filters and hidden kinds: views of one's own, held against the rules of the job list.
import { buildJob } from '../support/factories';
import { startTestServer, type Answer, type TestServer } from '../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

type Role = 'user' | 'power_user' | 'superadmin';
const at = '/api/v1/saved-filters';
const save = (as: Role, body: unknown): Promise<Answer> => server.call(as, 'POST', at, body);
const change = (as: Role, id: string, body: unknown, version = 1): Promise<Answer> =>
  server.call(as, 'PATCH', `${at}/${id}`, body, { 'If-Match': `"${version}"` });
const namesOf = async (as: Role): Promise<string[]> =>
  (await server.call(as, 'GET', at)).body.items.map((each: { name: string }) => each.name);

it('[G14] keeps a filter under a name, changes it by its version and deletes it', async () => {
  const filter = { state: 'failed,-canceled', since: '-10d', sort: '-finishedAt' };
  const saved = await save('user', { name: '  Mine  ', filter });
  expect([saved.status, saved.body]).toMatchObject([201, { name: 'Mine', filter, shared: false, isOwn: true }]);
  const changed = await change('user', saved.body.id, { filter: { q: 're?t' } });
  expect(changed.body).toMatchObject({ name: 'Mine', filter: { q: 're?t' }, version: 2 });
  expect((await change('user', saved.body.id, { name: 'Other' }, 1)).status).toBe(412);
  expect(await namesOf('user')).toEqual(['Mine']);
  expect((await server.call('user', 'DELETE', `${at}/${saved.body.id}`)).status).toBe(204);
  expect(await namesOf('user')).toEqual([]);
});

it('[G14] refuses a name that one has already, in any spelling, and one of 31 characters', async () => {
  const one = await save('user', { name: 'Failures', filter: {} });
  const two = await save('user', { name: 'f'.repeat(30), filter: {} });
  expect([one.status, two.status]).toEqual([201, 201]);
  for (const name of ['Failures', 'FAILURES ']) {
    const again = await save('user', { name, filter: {} });
    expect([again.status, again.body.code]).toEqual([409, 'already_exists']);
    expect((await change('user', two.body.id, { name })).status).toBe(409);
  }
  // Its own name in another spelling is no duplicate, and other users have names of their own.
  expect((await change('user', one.body.id, { name: 'failures' })).status).toBe(200);
  expect((await save('power_user', { name: 'Failures', filter: {} })).status).toBe(201);
  for (const name of ['f'.repeat(31), '', '   ']) {
    const refused = await save('user', { name, filter: {} });
    expect([refused.status, refused.body.fields[0].path]).toEqual([422, 'name']);
  }
});

it('[G14] gives one of two that save the same name at the same moment', async () => {
  const both = await Promise.all([1, 2, 3].map(() => save('power_user', { name: 'race', filter: {} })));
  expect(both.map((each) => each.status).sort()).toEqual([201, 409, 409]);
});

it.each([
  ['an unknown parameter', { colour: 'red' }, 'filter.colour'],
  ['a state that there is not', { state: 'finished' }, 'filter.state'],
  ['a time that cannot be read', { since: 'yesterdayish' }, 'filter.since'],
  ['a page', { cursor: 'x' }, 'filter.cursor'],
  ['a sort that there is not', { sort: 'colour' }, 'filter.sort'],
])('[G14] refuses %s, as the list does', async (_name, filter, path) => {
  const refused = await save('superadmin', { name: 'wrong', filter });
  expect([refused.status, refused.body.fields[0].path]).toEqual([422, path]);
  expect(await namesOf('superadmin')).not.toContain('wrong');
});

it('[G14] refuses what the caller may not see', async () => {
  expect((await save('user', { name: 'all', filter: { scope: 'all' } })).status).toBe(403);
});

it('[G14] lets superadmins share: others read it and change nothing', async () => {
  expect((await save('user', { name: 'shared', filter: {}, shared: true })).status).toBe(403);
  const shared = await save('superadmin', { name: 'For all', filter: { group: 'processed' }, shared: true });
  const own = await save('superadmin', { name: 'Not for all', filter: {} });
  expect(await namesOf('user')).toContain('For all');
  expect(await namesOf('user')).not.toContain('Not for all');
  expect((await change('user', shared.body.id, { name: 'mine now' })).status).toBe(403);
  expect((await server.call('user', 'DELETE', `${at}/${shared.body.id}`)).status).toBe(403);
  expect((await change('user', own.body.id, { name: 'mine now' })).status).toBe(404);
  expect((await server.call('power_user', 'DELETE', `${at}/${own.body.id}`)).status).toBe(404);
  expect(await namesOf('superadmin')).toEqual(expect.arrayContaining(['For all', 'Not for all']));
});

describe('hidden kinds', () => {
  const hide = (kinds: string[]): Promise<Answer> => server.call('user', 'PUT', '/api/v1/me/hidden-kinds', { kinds });
  const kinds = async (query = ''): Promise<string[]> => {
    const { body } = await server.call('user', 'GET', `/api/v1/jobs?${query}`);
    return body.items.map((job: { kind: string }) => job.kind).sort();
  };

  it('[G97] are left out of list, counts and export until shown, asked for by name or reset; no job changes', async () => {
    const db = server.database.kysely;
    const owner = { ...server.callers.user, name: 'A user' };
    const noisy = await buildJob(db, { state: 'failed', owner, kind: 'test.noise' });
    await buildJob(db, { state: 'failed', owner, kind: 'test.work' });
    const before = await db.selectFrom('job').selectAll().orderBy('id').execute();
    expect(await kinds()).toEqual(['test.noise', 'test.work']);

    expect((await hide(['test.noise', 'test.noise'])).body).toEqual({ kinds: ['test.noise'] });
    expect((await server.call('user', 'GET', '/api/v1/me/hidden-kinds')).body).toEqual({ kinds: ['test.noise'] });
    expect(await kinds()).toEqual(['test.work']);
    expect((await server.call('user', 'GET', '/api/v1/jobs/counts')).body.counts.failed.count).toBe(1);
    expect((await server.call('user', 'GET', '/api/v1/export/jobs.csv')).text).not.toContain('test.noise');
    // The toggle, and two ways in which what is hidden is wanted after all.
    expect(await kinds('hidden=show')).toEqual(['test.noise', 'test.work']);
    expect(await kinds('kind=test.noise')).toEqual(['test.noise']);
    expect((await server.call('user', 'GET', `/api/v1/jobs/${noisy.id}`)).status).toBe(200);
    // Nobody else's view changes.
    expect((await server.call('superadmin', 'GET', '/api/v1/jobs?q=test.noise')).body.items).toHaveLength(1);

    expect((await hide([])).body).toEqual({ kinds: [] });
    expect(await kinds()).toEqual(['test.noise', 'test.work']);
    expect(await db.selectFrom('job').selectAll().orderBy('id').execute()).toEqual(before);
    expect((await server.call('user', 'GET', '/api/v1/jobs?hidden=maybe')).status).toBe(422);
  });
});
