// The audit: every change and every denied attempt with who, when, what, before and after and the request; it stays.
import { sql } from 'kysely';
import { chainAudit } from '../../src/db/queries/auditChain';
import { newId } from '../../src/lib/ids';
import { createDenialLog } from '../../src/api/denials';
import { createLogger } from '../../src/lib/logger';
import { createSigningKeys } from '../../src/lib/signing';
import { buildJob } from '../support/factories';
import { until } from '../support/until';
import { PASSWORD, startTestServer, type Answer, type TestServer } from '../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

const audit = async (query: string): Promise<Answer['body'][]> =>
  (await server.call('superadmin', 'GET', `/api/v1/audit?${query}`)).body.items;
const denials = (query = ''): Promise<Answer['body'][]> => audit(`action=denied${query}`);

const owner = () => ({ ...server.callers.user, name: 'A user' });
const jobIn = async (state: 'queued' | 'failed'): Promise<string> =>
  (await buildJob(server.database.kysely, { state, owner: owner() })).id;

describe('[G96] each change', () => {
  const json = (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> =>
    server.call('superadmin', method, path, body, headers);
  const matched = { 'If-Match': '"1"' };

  it.each<[string, () => Promise<Answer>, object, object]>([
    [
      'job.create',
      () => json('POST', '/api/v1/jobs', { kind: 'test.work', params: { ms: 1 } }),
      {},
      { kind: 'test.work' },
    ],
    [
      'job.cancel',
      async () => json('POST', `/api/v1/jobs/${await jobIn('queued')}/cancel`, { reason: 'why' }),
      { state: 'queued' },
      { state: 'canceled' },
    ],
    [
      'job.requeue',
      async () => json('POST', `/api/v1/jobs/${await jobIn('failed')}/requeue`, {}),
      { state: 'failed', run: 1 },
      { run: 2 },
    ],
    [
      'job.prioritize',
      async () => json('POST', `/api/v1/jobs/${await jobIn('queued')}/prioritize`, { priority: 7 }),
      { priority: 0 },
      { priority: 7 },
    ],
    [
      'job.notify',
      async () => json('PATCH', `/api/v1/jobs/${await jobIn('queued')}`, { notify: { email: false } }),
      { email: true },
      { email: false },
    ],
    ['job.delete', async () => json('DELETE', `/api/v1/jobs/${await jobIn('failed')}`), { state: 'failed' }, {}],
    [
      'user.create',
      () => json('POST', '/api/v1/users', { email: 'a@x.test', name: 'A', role: 'user' }),
      {},
      { role: 'user' },
    ],
    [
      'user.change',
      async () => json('PATCH', `/api/v1/users/${server.callers.power_user.id}`, { name: 'B' }, matched),
      { name: 'A power_user' },
      { name: 'B' },
    ],
    [
      'token.create',
      () => json('POST', '/api/v1/tokens', { name: 't', scopes: ['jobs:read'] }),
      {},
      { scopes: ['jobs:read'] },
    ],
    [
      'operation.create',
      () => json('POST', '/api/v1/operations', { key: 'o', title: 'O', endpoint: 'http://127.0.0.1:9/' }),
      {},
      { title: 'O' },
    ],
    [
      'operation.change',
      () => json('PATCH', '/api/v1/operations/o', { title: 'P' }, matched),
      { title: 'O' },
      { title: 'P' },
    ],
    ['operation.delete', () => json('DELETE', '/api/v1/operations/o'), { title: 'P' }, {}],
    ['saved_filter.create', () => json('POST', '/api/v1/saved-filters', { name: 'f', filter: {} }), {}, { name: 'f' }],
    [
      'user.hide_kinds',
      () => json('PUT', '/api/v1/me/hidden-kinds', { kinds: ['k'] }),
      { kinds: [] },
      { kinds: ['k'] },
    ],
    ['project.create', () => json('POST', '/api/v1/projects', { name: 'p' }), {}, { name: 'p' }],
  ])('%s says who, before, after and which request', async (action, act, before, after) => {
    const answer = await act();
    expect(answer.status).toBeLessThan(300);
    const rows = await audit(`requestId=${answer.headers.get('x-request-id')}`);
    expect(rows.map((row) => row.action)).toEqual([action]);
    expect(rows[0].actor).toEqual({ id: server.callers.superadmin.id, name: 'A superadmin' });
    expect(rows[0].before ?? {}).toMatchObject(before);
    expect(rows[0].after ?? {}).toMatchObject(after);
    expect(Math.abs(Date.now() - Date.parse(rows[0].at))).toBeLessThan(60_000);
  });

  it('by a program that only holds a token says which request it was, too', async () => {
    const { body } = await json('POST', '/api/v1/agents/enrolment-tokens', { name: 'agent-1' });
    const facts = { token: body.token, publicKey: createSigningKeys().publicKey, host: 'h', version: '1' };
    const answer = await server.call(null, 'POST', '/api/v1/agent/enrol', facts);
    const rows = await audit(`requestId=${answer.headers.get('x-request-id')}`);
    expect(rows.map((row) => [row.action, row.actor.name])).toEqual([['agent.enrol', 'agent agent-1']]);
  });

  it('keeps the reason, and survives the deletion of its job', async () => {
    const id = await jobIn('queued');
    await json('POST', `/api/v1/jobs/${id}/cancel`, { reason: 'ticket 4711' });
    await json('DELETE', `/api/v1/jobs/${id}`);
    await server.database.kysely.deleteFrom('job').where('id', '=', id).execute();
    const rows = await audit(`subjectId=${id}`);
    expect(rows.map((row) => [row.action, row.reason])).toEqual([
      ['job.delete', null],
      ['job.cancel', 'ticket 4711'],
    ]);
  });

  it('of a sign-in is told, and never with the password', async () => {
    const body = { email: 'user@example.org', password: PASSWORD };
    await server.call(null, 'POST', '/api/v1/session', body, { 'Sec-Fetch-Site': 'same-origin' });
    const [row] = await audit('action=session.sign_in');
    expect(row).toMatchObject({ actor: { id: server.callers.user.id }, after: { by: 'password' } });
    expect(JSON.stringify(await audit('limit=100'))).not.toContain(PASSWORD);
  });
});

it('[G96] finds by actor, action, subject and time', async () => {
  const { id, email } = server.callers.user;
  await server.call('user', 'PUT', '/api/v1/me/hidden-kinds', { kinds: ['a'] });
  const actors = (rows: Answer['body'][]): Set<string> => new Set(rows.map((row) => row.actor.id));
  expect(actors(await audit(`actor=${id}`))).toEqual(new Set([id]));
  expect(await audit(`actor=${email}`)).toEqual(await audit(`actorId=${id}`));
  expect(await audit('actor=nobody@example.org')).toEqual([]);
  expect(await audit(`actor=${id}&action=user.hide_kinds&subjectType=user&subjectId=${id}`)).toHaveLength(1);
  const [newest] = await audit('');
  expect(await audit(`since=${newest.at}`)).toContainEqual(newest);
  expect(await audit(`until=${newest.at}`)).not.toContainEqual(newest);
  expect(await audit('since=1h')).toEqual([]);
  for (const query of ['since=soon', 'timeZone=Mars', 'actorId=x', 'colour=red'])
    expect((await server.call('superadmin', 'GET', `/api/v1/audit?${query}`)).status).toBe(422);
});

describe('denied attempts', () => {
  const denied = async (path: string): Promise<Answer['body']> => {
    let rows: Answer['body'][] = [];
    await until(async () => {
      rows = await denials(`&subjectId=${encodeURIComponent(path)}`);
      return rows.length > 0;
    }, `the denial of ${path}`);
    return rows[0];
  };

  it('are audited with who, what and why: no role, not there for the caller, no sign-in, a wrong token', async () => {
    await server.call('user', 'GET', '/api/v1/users');
    expect(await denied('GET /api/v1/users')).toMatchObject({
      actor: { id: server.callers.user.id, name: 'A user' },
      after: { status: 403, code: 'forbidden' },
    });
    const foreign = (await buildJob(server.database.kysely, { state: 'queued', owner: { ...owner(), id: newId() } }))
      .id;
    const answer = await server.call('power_user', 'POST', `/api/v1/jobs/${foreign}/cancel`, {});
    expect(await denied(`POST /api/v1/jobs/${foreign}/cancel`)).toMatchObject({
      actor: { id: server.callers.power_user.id },
      after: { status: 404 },
      requestId: answer.headers.get('x-request-id'),
    });
    await server.call(null, 'POST', '/api/v1/tokens', { name: 'x' });
    expect(await denied('POST /api/v1/tokens')).toMatchObject({ actor: { id: null }, after: { status: 401 } });
    await server.call(null, 'GET', '/api/v1/me', undefined, { Authorization: 'Bearer gantry_made_up' });
    expect(await denied('GET /api/v1/me')).toMatchObject({ actor: { id: null }, after: { code: 'not_signed_in' } });
    const body = { email: 'user@example.org', password: 'wrong-wrong' };
    await server.call(null, 'POST', '/api/v1/session', body, { 'Sec-Fetch-Site': 'same-origin' });
    expect(await denied('POST /api/v1/session')).toMatchObject({ after: { code: 'bad_credentials' } });
  });

  it('leave no row for what was only not found or not sent right', async () => {
    await server.call('user', 'GET', `/api/v1/jobs/${newId()}`);
    await server.call('user', 'POST', '/api/v1/nothing-there', {});
    await server.call('user', 'POST', '/api/v1/jobs', {});
    await server.call('user', 'GET', '/api/v1/workers');
    await denied('GET /api/v1/workers');
    expect((await denials()).map((row) => row.subjectId)).not.toContain('POST /api/v1/nothing-there');
    expect((await denials()).filter((row) => ![401, 403, 404].includes(row.after.status))).toEqual([]);
  });

  it('fill nothing: of many one row tells the first, and one how many followed', async () => {
    const count = async (): Promise<number> =>
      (await sql`select 1 from audit where action = 'denied'`.execute(server.database.kysely)).rows.length;
    const before = await count();
    const log = createDenialLog(server.database.kysely, createLogger({ level: 'silent' }));
    const request = (path: string) =>
      ({ method: 'POST', originalUrl: path, id: newId(), ip: '192.0.2.1', caller: null }) as unknown as Parameters<
        typeof log.note
      >[0];
    for (let i = 0; i < 1000; i += 1) log.note(request('/api/v1/same'), { status: 403, code: 'forbidden' });
    for (let i = 0; i < 1000; i += 1) log.note(request(`/api/v1/other/${i}`), { status: 403, code: 'forbidden' });
    await log.stop();
    expect(
      (await denials(`&subjectId=${encodeURIComponent('POST /api/v1/same')}`)).map((row) => row.after.more),
    ).toEqual([999, undefined]);
    expect((await count()) - before).toBeLessThan(110);
    const { rows } = await sql<{
      more: number;
    }>`select sum((after ->> 'more')::int)::int as more from audit where action = 'denied'`.execute(
      server.database.kysely,
    );
    expect(rows[0]?.more).toBeGreaterThanOrEqual(999 + 1000 - 100);
  });
});

describe('[G96] what is written stays', () => {
  const db = () => server.database.kysely;
  const verify = async (query = '') => (await server.call('superadmin', 'GET', `/api/v1/audit/verify?${query}`)).body;
  /** As somebody who owns the database could. */
  const tamper = (statement: string): Promise<void> =>
    db()
      .connection()
      .execute(async (session) => {
        await sql`set session_replication_role = replica`.execute(session);
        await sql.raw(statement).execute(session);
        await sql`set session_replication_role = origin`.execute(session);
      });
  const chainAll = async (): Promise<void> => {
    while ((await chainAudit(db(), 50)) > 0);
  };

  it.each([
    'update audit set action = action',
    'delete from audit',
    'truncate audit',
    'truncate audit_chain',
    'delete from audit_chain',
    'update audit_chain set hash = hash',
  ])('refuses `%s`', async (statement) => {
    await expect(sql.raw(statement).execute(db())).rejects.toThrow('append-only');
  });

  it('chains each row once and in order, and finds what was changed, removed or slipped in', async () => {
    await chainAll();
    const whole = await verify();
    expect(whole).toMatchObject({ ok: true, faults: [], more: false });
    expect(whole.checked).toBeGreaterThan(20);
    // In parts, each going on where the last ended.
    const half = await verify('limit=10');
    expect(half).toMatchObject({ ok: true, checked: 10, more: true });
    expect((await verify(`after=${half.last.id}`)).last).toEqual(whole.last);

    const { rows } = await sql<{ id: number }>`select id from audit order by id limit 12`.execute(db());
    const [changed, removed] = [rows[3]?.id ?? 0, rows[7]?.id ?? 0];
    await tamper(`update audit set actor_name = 'somebody else' where id = ${changed}`);
    await tamper(`delete from audit where id = ${removed}`);
    expect((await verify()).faults).toEqual([
      { id: changed, what: 'changed' },
      { id: removed, what: 'removed' },
    ]);
    await tamper(`insert into audit (id, actor_name, action, subject_type, subject_id) overriding system value
      values (${removed}, 'x', 'y', 'z', '1')`);
    expect((await verify()).faults).toEqual([changed, removed].map((id) => ({ id, what: 'changed' })));
  });

  it('waits for an id whose transaction is under way, but not for one that was rolled back long ago', async () => {
    await chainAll();
    const head = (await verify(`after=${(await verify()).last.id - 1}`)).last.id;
    const insert = (age: string) => sql`
      insert into audit (actor_name, action, subject_type, subject_id, at)
      values ('a', 'gap', 's', '1', gantry_now() - ${age}::interval) returning id`;
    await db()
      .transaction()
      .execute(async (open) => {
        await insert('0').execute(open);
        await insert('0').execute(db());
        // The later one is not chained before the earlier one.
        expect(await chainAudit(db(), 50)).toBe(0);
      });
    expect(await chainAudit(db(), 50)).toBe(2);
    await db()
      .transaction()
      .execute(async (lost) => {
        await insert('0').execute(lost);
        throw new Error('rolled back');
      })
      .catch(() => undefined);
    await insert('119 seconds').execute(db());
    expect(await chainAudit(db(), 50)).toBe(0);
    await insert('121 seconds').execute(db());
    expect(await chainAudit(db(), 50)).toBe(0);
    await sql`select 1`.execute(db());
    await tamper("update audit set at = at - interval '5 minutes' where action = 'gap'");
    expect(await chainAudit(db(), 50)).toBe(2);
    expect((await verify(`after=${head + 2}`)).ok).toBe(true);
    // The id that was never used is no place for a row that comes later.
    await sql`insert into audit (id, actor_name, action, subject_type, subject_id) overriding system value
      values (${head + 3}, 'a', 'late', 's', '1')`.execute(db());
    expect((await verify(`after=${head + 2}`)).faults).toEqual([{ id: head + 3, what: 'slipped_in' }]);
  });
});
