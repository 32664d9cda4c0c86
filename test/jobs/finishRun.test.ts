import type { Actor } from '../../src/jobs/actor';
import { finishRun, type RunEnd } from '../../src/jobs/finishRun';
import { FINAL_STATES, JOB_STATES, statesBefore } from '../../src/jobs/lifecycle';
import { outcomeOf } from '../../src/jobs/massActions/outcome';
import type { NoticePayload } from '../../src/notices/payload';
import { buildJob, buildOutcomes, buildUser, openTestLedger, snapshotOf, type TestLedger } from '../support/factories';

let ledger: TestLedger;
let owner: Actor;
beforeAll(async () => {
  ledger = await openTestLedger();
  owner = await buildUser(ledger.db);
});
afterAll(() => ledger.close());

const finish = (end: Partial<RunEnd> & Pick<RunEnd, 'jobId' | 'outcome'>): Promise<boolean> =>
  ledger.db.transaction().execute((tx) => finishRun(tx, { run: 1, epoch: null, retentionDays: 14, ...end }));
const noticesOf = (jobId: string) => ledger.db.selectFrom('notice').selectAll().where('jobId', '=', jobId).execute();

it('ends a run from just the states that lead to the outcome, and writes nothing otherwise', async () => {
  for (const outcome of FINAL_STATES) {
    for (const state of JOB_STATES) {
      const job = await buildJob(ledger.db, { state, owner, rows: 5 });
      const before = await snapshotOf(ledger.db, job.id);
      const may = statesBefore(outcome).includes(state);
      expect(await finish({ jobId: job.id, outcome })).toBe(may);
      if (!may) expect(await snapshotOf(ledger.db, job.id)).toBe(before);
    }
  }
});

it('is fenced by run and epoch', async () => {
  const job = await buildJob(ledger.db, { state: 'running', owner, held: true, run: 2 });
  const before = await snapshotOf(ledger.db, job.id);
  expect(await finish({ jobId: job.id, outcome: 'succeeded', run: 1, epoch: 1 })).toBe(false);
  expect(await finish({ jobId: job.id, outcome: 'succeeded', run: 2, epoch: 0 })).toBe(false);
  expect(await finish({ jobId: job.id, outcome: 'succeeded', run: 2, epoch: 2 })).toBe(false);
  expect(await snapshotOf(ledger.db, job.id)).toBe(before);
  expect(await finish({ jobId: job.id, outcome: 'succeeded', run: 2, epoch: 1, report: { n: 1 } })).toBe(true);
  expect(await finish({ jobId: job.id, outcome: 'succeeded', run: 2, epoch: 1 })).toBe(false);
});

it('lets one of a hundred ends win', async () => {
  const job = await buildJob(ledger.db, { state: 'running', owner, held: true });
  const outcomes = Array.from({ length: 100 }, (_, at) => (at % 2 ? ('succeeded' as const) : ('failed' as const)));
  const won = await Promise.all(outcomes.map((outcome) => finish({ jobId: job.id, outcome, epoch: 1 })));
  expect(won.filter(Boolean)).toHaveLength(1);
  expect(await noticesOf(job.id)).toHaveLength(1);
});

it('freezes what the notice says, with the three most frequent causes', async () => {
  const job = await buildJob(ledger.db, { state: 'running', owner, rows: 25 });
  await ledger.db.updateTable('run').set({ good: 20, failed: 5 }).where('jobId', '=', job.id).execute();
  await buildOutcomes(ledger.db, job, { failed: [1, 2] });
  for (const [rowIndex, code] of [
    [3, 'a'],
    [4, 'b'],
    [5, 'c'],
    [6, 'c'],
    [7, 'c'],
  ] as const) {
    await ledger.db.insertInto('rowError').values({ jobId: job.id, run: 1, rowIndex, code, message: code }).execute();
  }
  const error = { code: 'e', message: `m\u0000${'x'.repeat(20_000)}` };
  await finish({ jobId: job.id, outcome: 'completed_with_errors', error });
  const payload = JSON.parse((await noticesOf(job.id))[0]?.payload ?? '') as NoticePayload;
  expect(payload).toMatchObject({
    jobId: job.id,
    run: 1,
    state: 'completed_with_errors',
    good: 20,
    failed: 5,
    total: 25,
  });
  expect(payload.topErrors).toMatchObject([
    { code: 'c', count: 3 },
    { code: 'bad', count: 2 },
    { code: 'a', count: 1 },
  ]);
  expect(payload.error?.message).toHaveLength(10_000);
});

it.each([
  ['always', 'succeeded', 1],
  ['always', 'canceled', 1],
  ['failures', 'succeeded', 0],
  ['failures', 'canceled', 0],
  ['failures', 'failed', 1],
  ['failures', 'completed_with_errors', 1],
  ['never', 'failed', 0],
] as const)('tells an owner who wants %s of %s: %i', async (noticePreference, outcome, count) => {
  const told = await buildUser(ledger.db, { noticePreference });
  const job = await buildJob(ledger.db, { state: 'running', owner: told, rows: 5 });
  await finish({ jobId: job.id, outcome });
  expect(await noticesOf(job.id)).toHaveLength(count);
});

it('sends no notice when it was switched off, and one to the address that was named', async () => {
  const quiet = await buildJob(ledger.db, { state: 'running', owner, notifyEmail: false });
  await finish({ jobId: quiet.id, outcome: 'failed' });
  expect(await noticesOf(quiet.id)).toEqual([]);
  const never = await buildUser(ledger.db, { noticePreference: 'never' });
  const named = await buildJob(ledger.db, { state: 'running', owner: never, notifyTo: 'x@y.test' });
  await finish({ jobId: named.id, outcome: 'failed' });
  expect(await noticesOf(named.id)).toMatchObject([{ recipient: 'x@y.test' }]);
});

it('counts retention in days of 24 hours, fractions allowed', async () => {
  const job = await buildJob(ledger.db, { state: 'running', owner });
  await finish({ jobId: job.id, outcome: 'succeeded', retentionDays: 0.5 });
  const row = await ledger.db.selectFrom('job').selectAll().where('id', '=', job.id).executeTakeFirstOrThrow();
  expect((row.purgeAt?.getTime() ?? 0) - (row.finishedAt?.getTime() ?? 0)).toBe(43_200_000);
});

it.each([
  [{ good: 0, failed: 0, skipped: 0 }, 'failed'],
  [{ good: 0, failed: 9, skipped: 0 }, 'failed'],
  [{ good: 1, failed: 9, skipped: 0 }, 'completed_with_errors'],
  [{ good: 0, failed: 9, skipped: 1 }, 'completed_with_errors'],
  [{ good: 9, failed: 0, skipped: 0 }, 'succeeded'],
  [{ good: 0, failed: 0, skipped: 9 }, 'succeeded'],
])('%j comes to %s', (counts, outcome) => {
  expect(outcomeOf(counts)).toBe(outcome);
});
