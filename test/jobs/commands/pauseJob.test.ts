import { settleJob } from '../../../src/workers/runner/settle';
import type { Actor } from '../../../src/jobs/actor';
import { cancelJob } from '../../../src/jobs/commands/cancelJob';
import { pauseJob } from '../../../src/jobs/commands/pauseJob';
import { prioritizeJob } from '../../../src/jobs/commands/prioritizeJob';
import { resumeJob } from '../../../src/jobs/commands/resumeJob';
import { buildJob, buildUser, openTestLedger, type TestLedger } from '../../support/factories';

let ledger: TestLedger;
let root: Actor;
let owner: Actor;
beforeAll(async () => {
  ledger = await openTestLedger();
  root = await buildUser(ledger.db, { role: 'superadmin' });
  owner = await buildUser(ledger.db, { role: 'user' });
});
afterAll(() => ledger.close());

const outboxOf = (jobId: string) => ledger.db.selectFrom('outbox').selectAll().where('jobId', '=', jobId).execute();

it('rests a job over rows at once when nothing of it is in hand, and counts the pause apart', async () => {
  const job = await buildJob(ledger.db, { state: 'running', owner, rows: 25 });
  const paused = await pauseJob(ledger.deps, root, job.id);
  expect(paused).toMatchObject({ state: 'paused', phase: null, waitingFor: 'user' });
  expect(paused.pausedAt).not.toBeNull();
  expect(await outboxOf(job.id)).toEqual([]);
  const resumed = await resumeJob(ledger.deps, root, job.id);
  expect(resumed).toMatchObject({ state: 'running', waitingFor: null, pausedAt: null, trialPassed: false });
  expect(resumed.startedAt).toEqual(job.startedAt);
  expect(await outboxOf(job.id)).toMatchObject([{ shape: 'chunks', sentAt: null }]);
});

it('waits for the chunk in hand, and the last one to end puts it to rest', async () => {
  const job = await buildJob(ledger.db, { state: 'running', owner, rows: 25, held: true });
  expect(await pauseJob(ledger.deps, root, job.id)).toMatchObject({ state: 'running', phase: 'pausing' });
  expect(await pauseJob(ledger.deps, root, job.id)).toMatchObject({ state: 'running', phase: 'pausing' });
  const settle = { ...ledger.deps, cancelGraceMs: 1000, retentionDays: 14 };
  expect(await settleJob(settle, job.id)).toBe('nothing');
  await ledger.db
    .updateTable('chunk')
    .set({ state: 'pending' })
    .where('jobId', '=', job.id)
    .where('state', '=', 'running')
    .execute();
  expect(await settleJob(settle, job.id)).toBe('rested');
  expect(await resumeJob(ledger.deps, root, job.id)).toMatchObject({ state: 'running' });
});

it('takes back a pause that has not come to rest', async () => {
  const job = await buildJob(ledger.db, { state: 'running', owner, rows: 25, held: true });
  await pauseJob(ledger.deps, root, job.id);
  expect(await resumeJob(ledger.deps, root, job.id)).toMatchObject({ state: 'running', phase: null, waitingFor: null });
});

it('keeps a waiting job from its turn, and a message already on its way from meeting it later', async () => {
  const job = await buildJob(ledger.db, { state: 'queued', owner });
  const paused = await pauseJob(ledger.deps, root, job.id);
  expect(paused).toMatchObject({ state: 'paused', startedAt: null, epoch: job.epoch + 1 });
  expect(await resumeJob(ledger.deps, root, job.id)).toMatchObject({ state: 'queued' });
});

it('does not pause a running job without rows', async () => {
  const job = await buildJob(ledger.db, { state: 'running', owner, held: true });
  await expect(pauseJob(ledger.deps, root, job.id)).rejects.toMatchObject({ code: 'not_pausable', status: 409 });
});

it.each(['trial', 'limit'] as const)('lets the owner resume what waits for its %s, once', async (waitingFor) => {
  const job = await buildJob(ledger.db, { state: 'paused', owner, rows: 25, waitingFor });
  const passed =
    waitingFor === 'trial' ? { trialPassed: true, limitPassed: false } : { trialPassed: false, limitPassed: true };
  const resumed = await resumeJob(ledger.deps, owner, job.id);
  expect(resumed).toMatchObject({ state: 'running', waitingFor: null, ...passed });
  const again = await resumeJob(ledger.deps, owner, job.id);
  expect(again.version).toBe(resumed.version);
});

it('does not let the owner resume what somebody paused', async () => {
  const job = await buildJob(ledger.db, { state: 'paused', owner, rows: 25, waitingFor: 'user' });
  await expect(resumeJob(ledger.deps, owner, job.id)).rejects.toMatchObject({ code: 'forbidden' });
});

it('settles pause, resume and cancel asked for at once by one row', async () => {
  const jobs = await Promise.all(
    Array.from({ length: 30 }, () => buildJob(ledger.db, { state: 'running', owner, rows: 5 })),
  );
  await Promise.all(
    jobs.flatMap((job) => [
      pauseJob(ledger.deps, root, job.id).catch(() => undefined),
      resumeJob(ledger.deps, root, job.id).catch(() => undefined),
      cancelJob(ledger.deps, root, job.id),
    ]),
  );
  for (const job of jobs) {
    const row = await ledger.db.selectFrom('job').selectAll().where('id', '=', job.id).executeTakeFirstOrThrow();
    expect(row).toMatchObject({ state: 'canceled', phase: null, waitingFor: null });
    expect(await outboxOf(job.id)).toEqual([]);
  }
});

it('moves a job ahead by priority, and by the fast track the last one asked for first', async () => {
  const [one, two] = await Promise.all([1, 2].map(() => buildJob(ledger.db, { state: 'queued', owner })));
  if (!one || !two) throw new Error('no jobs');
  const raised = await prioritizeJob(ledger.deps, root, one.id, { priority: 50 });
  expect(raised).toMatchObject({ priority: 50, version: one.version + 1 });
  expect((await prioritizeJob(ledger.deps, root, one.id, { priority: 50 })).version).toBe(raised.version);
  expect(await outboxOf(one.id)).toMatchObject([{ priority: 50, rank: 0 }]);
  await prioritizeJob(ledger.deps, root, one.id, { first: true });
  await prioritizeJob(ledger.deps, root, two.id, { first: true });
  const [rankOne, rankTwo] = [(await outboxOf(one.id))[0]?.rank ?? 0, (await outboxOf(two.id))[0]?.rank ?? 0];
  expect(rankOne).toBeLessThan(0);
  expect(rankTwo).toBeLessThan(rankOne);
  for (const priority of [101, -101, 0.5]) {
    expect(() => prioritizeJob(ledger.deps, root, one.id, { priority })).toThrow(
      expect.objectContaining({ code: 'invalid' }),
    );
  }
});
