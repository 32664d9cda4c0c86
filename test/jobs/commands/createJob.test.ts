import { z } from 'zod';
import { reserveKey, releaseKey } from '../../../src/db/queries/idempotency';
import type { Actor } from '../../../src/jobs/actor';
import { createJob, type CreateJobInput } from '../../../src/jobs/commands/createJob';
import { setNotify } from '../../../src/jobs/commands/setNotify';
import { stageJsonRows, type StagedInput } from '../../../src/jobs/commands/stageRows';
import { defineJob, defineMassAction } from '../../../src/jobs/define';
import { newId } from '../../../src/lib/ids';
import { buildJob, buildUser, openTestLedger, type TestLedger } from '../../support/factories';

const roots = ['superadmin' as const];
const strict = defineJob({
  kind: 'test.strict',
  title: 'Strict',
  menu: ['T'],
  roles: roots,
  params: z.strictObject({ n: z.number().min(1) }),
  run: () => Promise.resolve(),
});
const asked = defineJob({ ...strict, kind: 'test.asked', params: z.any(), policy: { needsApproval: true } });
const rowsKind = defineMassAction({
  kind: 'test.rows',
  title: 'Rows',
  menu: ['T'],
  roles: ['user', 'superadmin'],
  params: z.any(),
  rowSchema: null,
  chunkSize: 10,
  concurrency: 3,
  inDatabase: true,
  retry: { attempts: 1, minDelayMs: 1, maxDelayMs: 1 },
  ratePerSecond: null,
  processChunk: () => Promise.resolve({ type: 'done', results: [] }),
});

let ledger: TestLedger;
let root: Actor;
beforeAll(async () => {
  ledger = await openTestLedger({ plugins: [strict, asked, rowsKind], settings: { mailAllowDomains: ['firm.test'] } });
  root = await buildUser(ledger.db, { role: 'superadmin' });
});
afterAll(() => ledger.close());

const stage = (count: number): Promise<StagedInput> =>
  stageJsonRows(
    ledger.deps,
    root,
    newId(),
    Array.from({ length: count }, (_, n) => ({ n })),
    rowsKind,
  );
const start = (input: Partial<CreateJobInput>, rows: StagedInput | null = null, actor = root) =>
  createJob(ledger.deps, actor, { kind: 'test.strict', params: { n: 1 }, ...input }, rows);
const jobCount = async (): Promise<number> =>
  (
    await ledger.db
      .selectFrom('job')
      .select((b) => b.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow()
  ).n;

it('publishes job, run, outbox, event and audit, and keeps the parameters as they were sent', async () => {
  const job = await start({ paramsText: '{ "n": 1.00 }', priority: 5 });
  expect(job).toMatchObject({ state: 'queued', run: 1, params: '{ "n": 1.00 }', priority: 5, title: 'Strict' });
  expect(job).toMatchObject({ notifyEmail: true, notifyTo: null, total: null, ownerEmail: root.email });
  expect(job.queuedAt).toEqual(job.createdAt);
  const outbox = await ledger.db.selectFrom('outbox').selectAll().where('jobId', '=', job.id).execute();
  expect(outbox).toMatchObject([{ run: 1, shape: 'run', maxOnWay: 1, priority: 5, sentAt: null }]);
  const events = await ledger.db.selectFrom('jobEvent').selectAll().where('jobId', '=', job.id).execute();
  expect(events).toMatchObject([{ type: 'requested', actorId: root.id }]);
  const audits = await ledger.db.selectFrom('audit').selectAll().where('subjectId', '=', job.id).execute();
  expect(audits).toMatchObject([{ action: 'job.create', actorId: root.id }]);
  expect(ledger.woken).toEqual(expect.arrayContaining(['gantry_work', 'gantry_change']));
});

it('cuts the rows into chunks, with a boundary where the trial ends', async () => {
  const chunksOf = async (input: Partial<CreateJobInput>): Promise<number[]> => {
    const job = await start({ kind: 'test.rows', ...input }, await stage(25));
    expect(job).toMatchObject({ total: 25, rowTotal: 25, inputFormat: 'json' });
    const chunks = await ledger.db
      .selectFrom('chunk')
      .selectAll()
      .where('jobId', '=', job.id)
      .orderBy('chunk')
      .execute();
    expect(job.openChunks).toBe(chunks.length);
    let next = 0;
    chunks.forEach((chunk, place) => {
      expect(chunk).toMatchObject({ chunk: place, firstRowIndex: next, state: 'pending', rowIndexes: null });
      next += chunk.rowCount;
    });
    return chunks.map((chunk) => chunk.rowCount);
  };
  expect(await chunksOf({})).toEqual([10, 10, 5]);
  expect(await chunksOf({ trial: 9 })).toEqual([9, 1, 10, 5]);
  expect(await chunksOf({ trial: 10 })).toEqual([10, 10, 5]);
  expect(await chunksOf({ trial: 11 })).toEqual([10, 1, 9, 5]);
  expect(await chunksOf({ trial: 25 })).toEqual([10, 10, 5]);
  expect(await chunksOf({ trial: 26 })).toEqual([10, 10, 5]);
});

it('schedules what has its time to come and queues what has not', async () => {
  const later = await start({ runAt: new Date(Date.now() + 60_000) });
  expect(later).toMatchObject({ state: 'scheduled', queuedAt: null });
  expect(await start({ runAt: new Date(Date.now() - 1000) })).toMatchObject({ state: 'queued' });
});

it('waits for approval without a row for the workers', async () => {
  const job = await start({ kind: 'test.asked' });
  expect(job).toMatchObject({ state: 'awaiting_approval', queuedAt: null });
  expect(await ledger.db.selectFrom('outbox').selectAll().where('jobId', '=', job.id).execute()).toEqual([]);
});

it.each<[string, Partial<CreateJobInput>, string]>([
  ['an unknown kind', { kind: 'nobody' }, 'kind'],
  ['parameters that do not fit', { params: { n: 0 } }, 'params.n'],
  ['an unknown parameter', { params: { n: 1, m: 2 } }, 'params'],
  ['U+0000 in the parameters', { kind: 'test.asked', params: { a: ['x', '\u0000'] } }, 'params.a.1'],
  ['half a surrogate pair in the title', { title: 'a\ud800' }, 'title'],
  ['an empty title', { title: ' ' }, 'title'],
  ['a title of 501 characters', { title: 'x'.repeat(501) }, 'title'],
  ['priority 101', { priority: 101 }, 'priority'],
  ['priority -101', { priority: -101 }, 'priority'],
  ['priority 1.5', { priority: 1.5 }, 'priority'],
  ['a trial without rows', { trial: 1 }, 'trial'],
  ['limits without rows', { limits: { maxFailed: 1 } }, 'limits'],
  ['no address', { notify: { email: true, to: 'x\r\nBcc: y@z.test' } }, 'notify.to'],
  ['two addresses', { notify: { email: true, to: 'a@firm.test,b@firm.test' } }, 'notify.to'],
  ['a domain that is not allowed', { notify: { email: true, to: 'a@notfirm.test' } }, 'notify.to'],
  ['a subdomain of an allowed one', { notify: { email: true, to: 'a@x.firm.test' } }, 'notify.to'],
])('refuses %s and leaves no row', async (_name, input, path) => {
  const before = await jobCount();
  await expect(start(input)).rejects.toMatchObject({
    code: 'invalid',
    extras: { fields: [expect.objectContaining({ path })] },
  });
  expect(await jobCount()).toBe(before);
});

it('takes priorities and titles up to their bounds', async () => {
  expect(await start({ priority: 100, title: 'x'.repeat(500) })).toMatchObject({ priority: 100 });
  expect(await start({ priority: -100 })).toMatchObject({ priority: -100 });
});

it('refuses a role that the kind is not open to, and rows that are missing or not wanted', async () => {
  const user = await buildUser(ledger.db, { role: 'user' });
  await expect(start({}, null, user)).rejects.toMatchObject({ code: 'forbidden' });
  await expect(start({ kind: 'test.rows' })).rejects.toMatchObject({ code: 'no_rows' });
  await expect(start({}, await stage(1))).rejects.toMatchObject({ extras: { fields: [{ path: 'rows' }] } });
});

it('sends notices to users, to allowed domains for power users and superadmins, to nobody else', async () => {
  const user = await buildUser(ledger.db, { role: 'user' });
  const to = (address: string, actor: Actor) => async () =>
    (await start({ kind: 'test.rows', notify: { email: true, to: address } }, await stage(1), actor)).notifyTo;
  expect(await to(root.email, user)()).toBe(root.email);
  expect(await to('A@FIRM.test', root)()).toBe('A@FIRM.test');
  await expect(to('a@firm.test', user)()).rejects.toMatchObject({ code: 'forbidden' });
});

it('does not publish rows that were cleared meanwhile', async () => {
  const rows = await stage(5);
  await ledger.db.deleteFrom('upload').where('jobId', '=', rows.jobId).execute();
  const before = await jobCount();
  await expect(start({ kind: 'test.rows' }, rows)).rejects.toMatchObject({ code: 'unavailable' });
  expect(await jobCount()).toBe(before);
});

it('ties an idempotency key to the job, and lets it go when refused', async () => {
  const reservation = { userId: root.id, route: 'POST /jobs', key: 'k', reservedFor: newId() };
  const jobHash = Buffer.from('hash');
  expect(await reserveKey(ledger.db, reservation, jobHash)).toBeNull();
  const second = { ...reservation, reservedFor: newId() };
  expect(await reserveKey(ledger.db, second, jobHash)).toEqual({ jobId: null, jobHash });
  await releaseKey(ledger.db, second);
  expect(await reserveKey(ledger.db, second, jobHash)).toEqual({ jobId: null, jobHash });
  const final = Buffer.from('rows and all');
  const job = await start({ idempotency: { reservation, jobHash: final } });
  expect(await reserveKey(ledger.db, second, jobHash)).toEqual({ jobId: job.id, jobHash: final });
  await releaseKey(ledger.db, reservation);
  expect(await reserveKey(ledger.db, second, jobHash)).toEqual({ jobId: job.id, jobHash: final });

  const other = { ...reservation, key: 'other' };
  expect(await reserveKey(ledger.db, other, jobHash)).toBeNull();
  await releaseKey(ledger.db, other);
  expect(await reserveKey(ledger.db, { ...other, reservedFor: newId() }, jobHash)).toBeNull();
  const before = await jobCount();
  await expect(start({ idempotency: { reservation: other, jobHash } })).rejects.toMatchObject({
    code: 'idempotency_mismatch',
  });
  expect(await jobCount()).toBe(before);
});

it('reserves a key for one of a hundred', async () => {
  const reservations = Array.from({ length: 100 }, () => ({
    userId: root.id,
    route: 'POST /jobs',
    key: 'race',
    reservedFor: newId(),
  }));
  const answers = await Promise.all(reservations.map((one) => reserveKey(ledger.db, one, Buffer.from('h'))));
  expect(answers.filter((answer) => answer === null)).toHaveLength(1);
});

it('switches the notice until the job has ended', async () => {
  const job = await buildJob(ledger.db, { state: 'running', owner: root });
  const off = await setNotify(ledger.deps, root, job.id, { notify: { email: false } });
  expect(off).toMatchObject({ notifyEmail: false, version: job.version + 1 });
  const again = await setNotify(ledger.deps, root, job.id, { notify: { email: false } });
  expect(again.version).toBe(off.version);
  const to = await setNotify(ledger.deps, root, job.id, { notify: { email: true, to: 'a@firm.test' } });
  expect(to).toMatchObject({ notifyEmail: true, notifyTo: 'a@firm.test' });
  expect(await setNotify(ledger.deps, root, job.id, { notify: { email: true, to: null } })).toMatchObject({
    notifyTo: null,
  });
  const ended = await buildJob(ledger.db, { state: 'failed', owner: root });
  const change = setNotify(ledger.deps, root, ended.id, { notify: { email: false } });
  await expect(change).rejects.toMatchObject({ code: 'job_state_forbids' });
  const stranger = await buildUser(ledger.db, { role: 'user' });
  const foreign = setNotify(ledger.deps, stranger, job.id, { notify: { email: true, to: 'no address' } });
  await expect(foreign).rejects.toMatchObject({ code: 'not_found' });
});
