// Alerts: each incident is told once to superadmins, by however many processes look, and once that it is over.
import { sql } from 'kysely';
import { watchOnce, type AlertDeps } from '../../src/workers/maintenance/alerts';
import { createWaker } from '../../src/db/wake';
import { createLogger } from '../../src/lib/logger';
import { newId } from '../../src/lib/ids';
import { insertUser } from '../support/engine';
import { startTestServer, type TestServer } from '../support/webServer';

jest.setTimeout(30_000);

let server: TestServer;
let deps: AlertDeps;

beforeAll(async () => {
  server = await startTestServer();
  const logger = createLogger({ level: 'silent' });
  deps = {
    database: server.database,
    waker: createWaker(server.database.pool, logger),
    logger,
    leaseMs: 15_000,
    afterMs: 300_000,
    retentionCron: '*/10 * * * *',
  };
});
afterEach(async () => {
  await run(
    sql`truncate job, run, chunk, outbox, worker, schedule, schedule_due, notice, alert, mail_suppression, change cascade`,
  );
});
afterAll(() => server.stop());

const run = (query: ReturnType<typeof sql>) => query.execute(server.database.kysely);
const alerts = async (query = ''): Promise<{ kind: string; state: string; message: string }[]> =>
  (await server.call('superadmin', 'GET', `/api/v1/alerts${query}`)).body.items;
const open = async (): Promise<string[]> => (await alerts('?state=open')).map(({ kind }) => kind).sort();
/** Kinds of mails by recipient. */
const mails = async (): Promise<string[]> => {
  const { rows } = await sql<{ kind: string; recipient: string }>`
    select kind, recipient from notice where kind like 'alert%' order by created_at, recipient`.execute(
    server.database.kysely,
  );
  return rows.map(({ kind, recipient }) => `${kind} ${recipient}`);
};

/** A job that has waited for so long, sent into the test's ledger through the API. */
async function buildWaiting(ago: string): Promise<string> {
  const { body } = await server.call('user', 'POST', '/api/v1/jobs', { kind: 'test.echo', params: { value: 1 } });
  await run(sql`update job set queued_at = gantry_now() - ${ago}::interval where id = ${body.id}`);
  await run(sql`update outbox set due_at = gantry_now() - ${ago}::interval where job_id = ${body.id}`);
  return body.id as string;
}
const buildWorker = (ago = '0 s') =>
  run(sql`insert into worker (id, host, pid, version, slots, heartbeat_at)
    values (${newId()}, 'h', 1, 'v', 1, gantry_now() - ${ago}::interval)`);
const buildNotice = (state: string, failure: string | null, ago: string, recipient = 'a@b.test') =>
  run(sql`insert into notice (id, job_id, run, kind, recipient, payload, state, failure, created_at, sent_at)
    values (${newId()}, ${newId()}, 1, 'job-ended', ${recipient}, '{}', ${state}::notice_state, ${failure},
      gantry_now() - ${ago}::interval, case when ${state} = 'sent' then gantry_now() - ${ago}::interval end)`);

it('tells once that no worker is there, once that it is over, and anew the next time, with many processes looking', async () => {
  await buildWaiting('2 minutes');
  const look = (): Promise<unknown> => Promise.all(Array.from({ length: 8 }, () => watchOnce(deps)));
  for (let round = 0; round < 3; round += 1) await look();
  expect(await open()).toEqual(['no-worker']);
  expect(await mails()).toEqual(['alert superadmin@example.org']);
  expect((await alerts())[0]?.message).toMatch(
    /^No worker process is connected, and 1 job waits, the oldest for 2 min/,
  );
  await buildWorker();
  for (let round = 0; round < 3; round += 1) await look();
  expect(await open()).toEqual([]);
  expect((await alerts('?state=over')).map(({ kind }) => kind)).toEqual(['no-worker']);
  expect(await mails()).toEqual(['alert superadmin@example.org', 'alert-recovered superadmin@example.org']);
  await run(sql`delete from worker`);
  await look();
  expect((await mails()).slice(2)).toEqual(['alert superadmin@example.org']);
});

it('tells that workers are there and nothing is worked on', async () => {
  await buildWorker();
  const young = await buildWaiting('4 minutes');
  await watchOnce(deps);
  expect(await open()).toEqual([]);
  const old = await buildWaiting('6 minutes');
  await watchOnce(deps);
  expect(await open()).toEqual(['queue-stalled']);
  // Somebody holds work: it is a long queue, and no stalled one.
  await run(sql`update run set lease_until = gantry_now() + interval '10 s' where job_id = ${young}`);
  await watchOnce(deps);
  expect(await open()).toEqual([]);
  await run(sql`update run set lease_until = null`);
  await watchOnce(deps);
  expect(await open()).toEqual(['queue-stalled']);
  await run(sql`update job set state = 'paused' where id = ${old}`);
  await watchOnce(deps);
  expect(await open()).toEqual([]);
});

it('takes a worker that fell silent for none', async () => {
  await buildWorker('1 minute');
  await buildWaiting('2 minutes');
  await watchOnce(deps);
  expect(await open()).toEqual(['no-worker']);
});

it('tells that mail fails, and shows it in the notification area', async () => {
  await buildNotice('due', 'temporary', '14 minutes');
  await watchOnce(deps);
  expect(await open()).toEqual([]);
  await buildNotice('due', 'temporary', '16 minutes', 'c@d.test');
  // One bad domain beside others that are delivered to is no incident.
  await buildNotice('sent', null, '1 minute');
  await watchOnce(deps);
  expect(await open()).toEqual([]);
  await run(sql`delete from notice where state = 'sent'`);
  await watchOnce(deps);
  expect(await open()).toEqual(['mail-failing']);
  const shown = async (role: 'superadmin' | 'user'): Promise<number> =>
    (await server.call(role, 'GET', '/api/v1/notifications')).body.alerts as number;
  expect([await shown('superadmin'), await shown('user')]).toEqual([1, 0]);
  await run(sql`update notice set state = 'sent', failure = null, sent_at = gantry_now()`);
  await watchOnce(deps);
  expect([await open(), await shown('superadmin')]).toEqual([[], 0]);
});

it('tells that a mail server refuses everything, but not that addresses are wrong', async () => {
  for (let count = 0; count < 5; count += 1) await buildNotice('failed', 'permanent', '1 minute', `x${count}@b.test`);
  await run(sql`insert into mail_suppression (address, reason) values ('x0@b.test', 'gone')`);
  await watchOnce(deps);
  expect(await open()).toEqual([]);
  await run(sql`delete from mail_suppression`);
  await watchOnce(deps);
  expect(await open()).toEqual(['mail-failing']);
});

it('tells that retention has not run for twice its period, claimed and unfinished runs included', async () => {
  const next = (ago: string) => run(sql`update schedule set next_due_at = gantry_now() - ${ago}::interval`);
  await run(sql`insert into schedule (name, cron, next_due_at) values ('retention', '*/10 * * * *', gantry_now())`);
  await watchOnce(deps);
  expect(await open()).toEqual([]);
  await next('21 minutes');
  await watchOnce(deps);
  expect(await open()).toEqual(['retention-late']);
  await next('-5 minutes');
  await watchOnce(deps);
  expect(await open()).toEqual([]);
  await run(
    sql`insert into schedule_due (name, due_at, started_at) values ('retention', gantry_now() - interval '25 minutes', gantry_now())`,
  );
  await watchOnce(deps);
  expect(await open()).toEqual(['retention-late']);
  await run(sql`insert into schedule_due (name, due_at, finished_at) values ('retention', gantry_now(), gantry_now())`);
  await watchOnce(deps);
  expect(await open()).toEqual([]);
});

it('asks every superadmin who wants it, whatever the preference about jobs, and nobody else', async () => {
  const db = server.database.kysely;
  const [out, closed, never] = [
    await insertUser(db, 'superadmin'),
    await insertUser(db, 'superadmin'),
    await insertUser(db, 'superadmin'),
  ];
  await run(sql`update app_user set alerts = false where id = ${out.id}`);
  await run(sql`update app_user set disabled_at = gantry_now() where id = ${closed.id}`);
  await run(sql`update app_user set notice_preference = 'never', language = 'fr' where id = ${never.id}`);
  await buildWaiting('2 minutes');
  await watchOnce(deps);
  expect((await mails()).sort()).toEqual([`alert ${never.email}`, 'alert superadmin@example.org']);
  const { body: me } = await server.call('superadmin', 'GET', '/api/v1/me');
  expect(me.alerts).toBe(true);
  const change = { alerts: false, language: 'ko' };
  const changed = await server.call('superadmin', 'PATCH', '/api/v1/me', change, { 'If-Match': String(me.version) });
  expect(changed.body.alerts).toBe(false);
  expect((await alerts())[0]?.message).toMatch(/^연결된 작업 프로세스가 없고/);
  await buildWorker();
  await watchOnce(deps);
  expect((await mails()).filter((mail) => mail.startsWith('alert-recovered'))).toEqual([
    `alert-recovered ${never.email}`,
  ]);
});

it('is hinted at in the event stream', async () => {
  await buildWaiting('2 minutes');
  await watchOnce(deps);
  const { rows } = await run(sql`select topic, owner_id from change where topic = 'alert'`);
  expect(rows).toEqual([{ topic: 'alert', ownerId: null }]);
});
