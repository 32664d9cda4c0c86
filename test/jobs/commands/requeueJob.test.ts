import { listRuns } from '../../../src/db/queries/runs';
import type { Actor } from '../../../src/jobs/actor';
import { requeueJob } from '../../../src/jobs/commands/requeueJob';
import { buildJob, buildOutcomes, buildUser, openTestLedger, type TestLedger } from '../../support/factories';

let ledger: TestLedger;
let root: Actor;
beforeAll(async () => {
  ledger = await openTestLedger();
  root = await buildUser(ledger.db, { role: 'superadmin' });
});
afterAll(() => ledger.close());

async function rowsOf(jobId: string, run: number): Promise<number[]> {
  const chunks = await ledger.db
    .selectFrom('chunk')
    .selectAll()
    .where('jobId', '=', jobId)
    .where('run', '=', run)
    .orderBy('chunk')
    .execute();
  return chunks.flatMap((chunk) => {
    expect(chunk).toMatchObject({ state: 'pending', attempts: 0, send: 0 });
    const rows =
      chunk.rowIndexes?.map(Number) ?? Array.from({ length: chunk.rowCount }, (_, at) => chunk.firstRowIndex + at);
    expect(rows).toHaveLength(chunk.rowCount);
    expect(rows[0]).toBe(chunk.firstRowIndex);
    return rows;
  });
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);

it('[G34] runs all rows again under the same id, and keeps the run before', async () => {
  const job = await buildJob(ledger.db, {
    state: 'canceled',
    owner: root,
    rows: 25,
    cancelReason: 'x',
    errorCode: 'e',
  });
  const next = await requeueJob(ledger.deps, root, job.id);
  expect(next).toMatchObject({ id: job.id, run: 2, state: 'queued', scope: 'all', total: 25, good: 0, openChunks: 3 });
  expect(next).toMatchObject({ finishedAt: null, purgeAt: null, startedAt: null, cancelReason: null, errorCode: null });
  expect(next.params).toBe(job.params);
  expect(await rowsOf(job.id, 2)).toEqual(range(0, 25));
  expect(await listRuns(ledger.db, job.id, { before: null, limit: 10 })).toMatchObject([
    { run: 2 },
    { run: 1, outcome: 'canceled' },
  ]);
  const outbox = await ledger.db.selectFrom('outbox').selectAll().where('jobId', '=', job.id).execute();
  expect(outbox).toMatchObject([{ run: 2, shape: 'chunks', maxOnWay: 8 }]);
});

it('takes a second requeue before the run began as the same', async () => {
  const job = await buildJob(ledger.db, { state: 'failed', owner: root, rows: 5 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => requeueJob(ledger.deps, root, job.id)));
  expect(new Set(answers.map((answer) => answer.run))).toEqual(new Set([2]));
  expect(await listRuns(ledger.db, job.id, { before: null, limit: 10 })).toHaveLength(2);
});

it('[G37] does the failed rows, or all that have neither succeeded nor were skipped', async () => {
  const build = async () => {
    const job = await buildJob(ledger.db, { state: 'canceled', owner: root, rows: 35 });
    await buildOutcomes(ledger.db, job, { good: [...range(0, 9), 12], failed: [9, 11, 30] });
    return job;
  };
  const failed = await build();
  expect(await requeueJob(ledger.deps, root, failed.id, { only: 'failed' })).toMatchObject({ total: 3, openChunks: 3 });
  expect(await rowsOf(failed.id, 2)).toEqual([9, 11, 30]);
  const unfinished = await build();
  expect(await requeueJob(ledger.deps, root, unfinished.id, { only: 'unfinished' })).toMatchObject({ total: 25 });
  expect(await rowsOf(unfinished.id, 2)).toEqual([9, 10, 11, ...range(13, 35)]);
});

it('[G37] does the failed rows of one cause, by what each failed with last', async () => {
  const job = await buildJob(ledger.db, { state: 'failed', owner: root, rows: 35 });
  await buildOutcomes(ledger.db, job, { good: [2], failed: [1, 11, 12, 30] });
  const errorOf = { jobId: job.id, run: 1, message: 'x' };
  // Row 2 failed so once and is good since; row 11 failed so first, and otherwise in the run after.
  await ledger.db
    .insertInto('rowError')
    .values({ ...errorOf, rowIndex: 2, code: 'slow' })
    .execute();
  const slow = ledger.db.updateTable('rowError').set({ code: 'slow' }).where('jobId', '=', job.id);
  await slow.where('rowIndex', 'in', [1, 11, 30]).execute();
  await ledger.db.insertInto('run').values({ jobId: job.id, run: 2, outcome: 'failed' }).execute();
  await ledger.db.updateTable('job').set({ run: 2 }).where('id', '=', job.id).execute();
  await ledger.db
    .insertInto('rowError')
    .values({ ...errorOf, run: 2, rowIndex: 11, code: 'bad' })
    .execute();
  await requeueJob(ledger.deps, root, job.id, { only: 'failed', code: 'slow' });
  expect(await rowsOf(job.id, 3)).toEqual([1, 30]);
});

it('counts a row as unfinished whose input was never reached', async () => {
  const job = await buildJob(ledger.db, { state: 'canceled', owner: root, rows: 25 });
  await requeueJob(ledger.deps, root, job.id, { only: 'unfinished' });
  expect(await rowsOf(job.id, 2)).toEqual(range(0, 25));
});

it('sets the boundary of the trial by the rows of the new run', async () => {
  const job = await buildJob(ledger.db, { state: 'failed', owner: root, rows: 25, trial: 3, trialPassed: true });
  await buildOutcomes(ledger.db, job, { failed: [1, 2, 3, 4, 5, 24] });
  const next = await requeueJob(ledger.deps, root, job.id, { only: 'failed' });
  expect(next).toMatchObject({ trialPassed: false, total: 6 });
  const chunks = await ledger.db
    .selectFrom('chunk')
    .select('rowCount')
    .where('jobId', '=', job.id)
    .where('run', '=', 2)
    .orderBy('chunk')
    .execute();
  expect(chunks.map((chunk) => chunk.rowCount)).toEqual([3, 2, 1]);
});

it.each(['failed', 'unfinished'] as const)('has nothing to requeue with only=%s when all is good', async (only) => {
  const job = await buildJob(ledger.db, { state: 'succeeded', owner: root, rows: 12 });
  await buildOutcomes(ledger.db, job, { good: range(0, 12) });
  await expect(requeueJob(ledger.deps, root, job.id, { only })).rejects.toMatchObject({
    code: 'nothing_to_requeue',
    status: 409,
  });
  expect(await listRuns(ledger.db, job.id, { before: null, limit: 10 })).toHaveLength(1);
});

it('refuses "only" for a job without rows', async () => {
  const job = await buildJob(ledger.db, { state: 'failed', owner: root });
  await expect(requeueJob(ledger.deps, root, job.id, { only: 'failed' })).rejects.toMatchObject({ code: 'invalid' });
  expect(await requeueJob(ledger.deps, root, job.id)).toMatchObject({ state: 'queued', run: 2, total: null });
});
