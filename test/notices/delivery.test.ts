// Notices over the API, with a worker and a real mail server: who is told, where and how, what became of it, digests, and
// addresses that are refused for good.
import { sql } from 'kysely';
import { writeDigests } from '../../src/workers/maintenance/digests';
import { createWaker } from '../../src/db/wake';
import { createLogger } from '../../src/lib/logger';
import { freePort } from '../support/redisServer';
import { until } from '../support/until';
import { startTestServer, type Answer, type TestServer } from '../support/webServer';
import { openSink, type Sink } from './smtpSink';

jest.setTimeout(40_000);

let server: TestServer;
let sink: Sink;
let users = 0;

beforeAll(async () => {
  const port = await freePort();
  sink = await openSink(port);
  server = await startTestServer({
    worker: true,
    env: {
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      MAIL_FROM: 'Gantry <jobs@example.test>',
      MAIL_ALLOW_DOMAINS: 'partner.test',
      RETENTION_CRON: '0 0 1 1 *',
    },
  });
});
beforeEach(() => {
  sink.mails.length = 0;
  sink.refusedAddresses.clear();
});
afterAll(async () => {
  await server.stop();
  await sink.close();
});

const admin = (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> =>
  server.call('superadmin', method, `/api/v1${path}`, body, headers);
const startEcho = async (more: object = {}): Promise<string> =>
  (await admin('POST', '/jobs', { kind: 'test.echo', params: { value: 1 }, ...more })).body.id as string;
const noticesOf = async (jobId: string) => (await admin('GET', `/jobs/${jobId}/notices`)).body.items;
const sentTo = (address: string) => sink.mails.filter((mail) => mail.envelopeTo.includes(address));
const changeMe = async (change: object): Promise<Answer> => {
  const { version } = (await admin('GET', '/me')).body;
  return admin('PATCH', '/me', change, { 'If-Match': String(version) });
};
const untilDelivered = (jobId: string, state: string): Promise<void> =>
  until(async () => (await noticesOf(jobId))[0]?.state === state, `the notice to be ${state}`);

it('[G52] tells the owner when nothing else was said, and shows the delivery', async () => {
  const jobId = await startEcho();
  await untilDelivered(jobId, 'sent');
  const [notice] = await noticesOf(jobId);
  expect(notice).toMatchObject({ jobId, run: 1, recipient: 'superadmin@example.org', attempts: 1, lastError: null });
  expect(sentTo('superadmin@example.org').map((mail) => mail.messageId)).toEqual([notice.messageId]);
});

it('[G52] is switched while the job runs, to another address too', async () => {
  const work = async (): Promise<string> =>
    (await admin('POST', '/jobs', { kind: 'test.deaf', params: { ms: 1500 } })).body.id as string;
  const [off, other] = [await work(), await work()];
  for (const id of [off, other])
    await until(async () => (await admin('GET', `/jobs/${id}`)).body.state === 'running', 'the job to run');
  expect((await admin('PATCH', `/jobs/${off}`, { notify: { email: false } })).status).toBe(200);
  expect((await admin('PATCH', `/jobs/${other}`, { notify: { email: true, to: 'ops@elsewhere.test' } })).status).toBe(
    422,
  );
  await admin('PATCH', `/jobs/${other}`, { notify: { email: true, to: 'ops@partner.test' } });
  await untilDelivered(other, 'sent');
  expect(await noticesOf(off)).toEqual([]);
  expect(sink.mails.map((mail) => mail.envelopeTo)).toEqual([['ops@partner.test']]);
  expect(sink.mails[0]?.text).toMatch(/^Hello,\n\nthe job "Deaf" of A superadmin succeeded\./);
});

it('writes in the language and time zone of whoever reads it', async () => {
  await changeMe({ language: 'fr', timeZone: 'Europe/Paris' });
  await admin('POST', '/jobs', { kind: 'test.echo', params: { value: 1 }, title: 'Été' });
  // Somebody else's own language; and the owner's for an address that is no user's.
  await sql`update app_user set language = 'ko' where email = 'user@example.org'`.execute(server.database.kysely);
  await startEcho({ title: '작업', notify: { email: true, to: 'user@example.org' } });
  await startEcho({ title: 'Été', notify: { email: true, to: 'x@partner.test' } });
  await until(() => sink.mails.length === 3, 'three mails');
  await changeMe({ language: 'en', timeZone: 'UTC' });
  const [own] = sentTo('superadmin@example.org');
  expect(own?.subject).toBe('La tâche « Été » a réussi');
  expect(own?.raw).toMatch(/^Subject: =\?UTF-8\?/m);
  expect(own?.text).toMatch(/Fin : .* UTC\+[12]/);
  expect(sentTo('user@example.org')[0]?.subject).toBe('‘작업’ 작업이 성공했습니다');
  expect(sentTo('x@partner.test')[0]?.subject).toBe('La tâche « Été » a réussi');
});

it('keeps temporary and permanent failures apart, and writes to a refused address no more until it is lifted', async () => {
  const address = `gone${(users += 1)}@partner.test`;
  sink.refusedAddresses.set(address, { code: 550, text: '5.1.1 No such user' });
  sink.refusedAddresses.set('full@partner.test', { code: 452, text: '4.2.2 Mailbox full' });
  sink.refusedAddresses.set('policy@partner.test', { code: 550, text: '5.7.1 Relaying denied' });
  const to = (email: string): Promise<string> => startEcho({ notify: { email: true, to: email } });
  const [gone, full, policy] = [await to(address), await to('full@partner.test'), await to('policy@partner.test')];
  await untilDelivered(gone, 'failed');
  await untilDelivered(policy, 'failed');
  await until(async () => (await noticesOf(full))[0]?.failure === 'temporary', 'the full mailbox to answer');
  expect((await noticesOf(gone))[0]).toMatchObject({ failure: 'permanent', attempts: 1, nextAttemptAt: null });
  expect((await noticesOf(full))[0]).toMatchObject({ state: 'due', nextAttemptAt: expect.any(String) });
  expect((await admin('GET', '/mail-suppressions')).body.items).toEqual([
    { address, reason: expect.stringContaining('5.1.1'), since: expect.any(String) },
  ]);

  const second = await to(address);
  await untilDelivered(second, 'failed');
  expect((await noticesOf(second))[0]).toMatchObject({ failure: 'suppressed' });
  sink.refusedAddresses.clear();
  const [notice] = await noticesOf(second);
  expect((await admin('POST', `/notices/${notice.id}/retry`, {})).status).toBe(409);
  expect((await admin('DELETE', `/mail-suppressions/${address.toUpperCase()}`)).status).toBe(204);
  expect((await admin('DELETE', `/mail-suppressions/${address}`)).status).toBe(404);
  expect((await admin('POST', `/notices/${notice.id}/retry`, {})).body).toMatchObject({ state: 'due' });
  await untilDelivered(second, 'sent');
  expect((await admin('POST', `/notices/${notice.id}/retry`, {})).status).toBe(409);
  expect(sentTo(address)).toHaveLength(1);
  const failed = (await admin('GET', '/notices?state=failed')).body.items.map((item: { id: string }) => item.id);
  expect(failed).toEqual([(await noticesOf(policy))[0].id, (await noticesOf(gone))[0].id]);
  expect((await admin('POST', `/notices/${(await noticesOf(full))[0].id}/retry`, {})).status).toBe(200);
  await untilDelivered(full, 'sent');
});

it('lifts a suppression when the address of its user changes', async () => {
  const db = server.database.kysely;
  await sql`insert into mail_suppression (address, reason) values ('power_user@example.org', 'gone')`.execute(db);
  await sql`update app_user set email = 'new@example.org' where email = 'power_user@example.org'`.execute(db);
  await sql`update app_user set email = 'power_user@example.org' where email = 'new@example.org'`.execute(db);
  expect((await admin('GET', '/mail-suppressions')).body.items).toEqual([]);
});

describe('digests', () => {
  const digest = (): Promise<number> =>
    writeDigests({
      database: server.database,
      waker: createWaker(server.database.pool, createLogger({ level: 'silent' })),
    });

  it('gathers what a user wants in one mail', async () => {
    expect((await changeMe({ noticePreference: 'digest' })).body.noticePreference).toBe('digest');
    const jobs = [await startEcho({ title: 'One' }), await startEcho({ title: 'Two' })];
    for (const id of jobs) await until(async () => (await noticesOf(id))[0]?.held === true, 'the notice to be held');
    expect((await noticesOf(jobs[0] ?? ''))[0]).toMatchObject({ state: 'due', nextAttemptAt: null, digestId: null });
    // An address that was named is no part of it.
    await startEcho({ notify: { email: true, to: 'ops@partner.test' } });
    await until(() => sink.mails.length === 1, 'the other mail');
    expect(await digest()).toBe(1);
    expect(await digest()).toBe(0);
    for (const id of jobs) await untilDelivered(id, 'sent');
    const [mail] = sentTo('superadmin@example.org');
    expect(sentTo('superadmin@example.org')).toHaveLength(1);
    expect(mail?.subject).toBe('2 jobs ended');
    expect(mail?.text).toContain('2 succeeded');
    for (const id of jobs) expect(mail?.text).toContain(`/admin/jobs/${id}`);
    const [notice] = await noticesOf(jobs[0] ?? '');
    expect(notice.digestId).toEqual(expect.any(String));
    expect(mail?.messageId).toBe(notice.messageId);
    await changeMe({ noticePreference: 'always' });
  });

  it('begins by itself when one recipient would get more than fifty in a minute', async () => {
    const to = 'flood@partner.test';
    const body = { kind: 'test.echo', params: { value: 1 }, notify: { email: true, to } };
    const started = await Promise.all(Array.from({ length: 55 }, () => admin('POST', '/jobs', body)));
    const heldAndSent = async (): Promise<number[]> => {
      const { rows } = await sql<{ held: number; sent: number }>`
        select count(*) filter (where held)::int as held, count(*) filter (where state = 'sent')::int as sent
        from notice where recipient = ${to}`.execute(server.database.kysely);
      return [rows[0]?.held ?? 0, rows[0]?.sent ?? 0];
    };
    expect(started.every(({ status }) => status === 202)).toBe(true);
    await until(
      async () => (await heldAndSent()).reduce((sum, count) => sum + count) === 55,
      'all to be told or held',
      20_000,
    );
    const [held = 0] = await heldAndSent();
    // Ends that are committed at the same moment do not see each other.
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThanOrEqual(5);
    await digest();
    await until(async () => (await heldAndSent())[1] === 56, 'the digest to be sent');
    expect(sentTo(to)).toHaveLength(55 - held + 1);
  });
});

it('shows notices to the owner and superadmins alone', async () => {
  const { body } = await server.call('user', 'POST', '/api/v1/jobs', { kind: 'test.echo', params: { value: 1 } });
  const at = `/api/v1/jobs/${body.id}/notices`;
  await untilDelivered(body.id, 'sent');
  expect((await server.call('user', 'GET', at)).body.items).toHaveLength(1);
  expect((await server.call('power_user', 'GET', at)).status).toBe(404);
  expect((await server.call(null, 'GET', at)).status).toBe(401);
  const [{ id }] = await noticesOf(body.id);
  for (const role of ['user', 'power_user'] as const) {
    expect((await server.call(role, 'POST', `/api/v1/notices/${id}/retry`, {})).status).toBe(403);
    expect((await server.call(role, 'GET', '/api/v1/notices')).status).toBe(403);
    expect((await server.call(role, 'GET', '/api/v1/mail-suppressions')).status).toBe(403);
    expect((await server.call(role, 'GET', '/api/v1/alerts')).status).toBe(403);
  }
  const first = (await admin('GET', '/notices?limit=1')).body;
  const second = (await admin('GET', `/notices?limit=1&cursor=${first.nextCursor}`)).body;
  expect(first.items[0].id > second.items[0].id).toBe(true);
});
