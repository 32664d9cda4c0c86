import { claimChunk, startRun } from '../../../src/db/queries/chunks';
import { claimRun } from '../../../src/db/queries/claims';
import { findJob } from '../../../src/db/queries/jobs';
import type { Actor } from '../../../src/jobs/actor';
import { cancelJob } from '../../../src/jobs/commands/cancelJob';
import { requeueJob } from '../../../src/jobs/commands/requeueJob';
import { defineJob, defineProcess } from '../../../src/jobs/define';
import { statesBefore } from '../../../src/jobs/lifecycle';
import { newId } from '../../../src/lib/ids';
import { z } from 'zod';
import { buildJob, buildUser, openTestLedger, type TestLedger } from '../../support/factories';

const common = { title: 'T', menu: ['T'], roles: ['superadmin' as const], params: z.any() };
const through = defineJob({
  ...common,
  kind: 'test.through',
  policy: { cancelable: false },
  run: () => Promise.resolve(),
});
const process_ = defineProcess({ ...common, kind: 'test.proc', advance: () => Promise.resolve({ type: 'again' }) });

let ledger: TestLedger;
let root: Actor;
beforeAll(async () => {
  ledger = await openTestLedger({ plugins: [through, process_] });
  root = await buildUser(ledger.db, { role: 'superadmin' });
});
afterAll(() => ledger.close());

const claimer = { workerId: newId(), host: 'h', leaseMs: 60_000 };

it('ends a waiting job at once, with event, notice, audit and purge time, and drops its chunks', async () => {
  const job = await buildJob(ledger.db, { state: 'queued', owner: root, rows: 25 });
  const canceled = await cancelJob(ledger.deps, root, job.id, { reason: 'wrong file' });
  expect(canceled).toMatchObject({ state: 'canceled', outcome: 'canceled', openChunks: 0, good: 0 });
  expect(canceled.purgeAt?.getTime()).toBe((canceled.finishedAt?.getTime() ?? 0) + 14 * 86_400_000);
  const chunks = await ledger.db.selectFrom('chunk').select('state').where('jobId', '=', job.id).execute();
  expect(chunks.map((chunk) => chunk.state)).toEqual(['dropped', 'dropped', 'dropped']);
  expect(await ledger.db.selectFrom('outbox').selectAll().where('jobId', '=', job.id).execute()).toEqual([]);
  const events = await ledger.db.selectFrom('jobEvent').selectAll().where('jobId', '=', job.id).execute();
  expect(events).toMatchObject([{ type: 'ended', actorId: root.id }]);
  expect(JSON.parse(events[0]?.data ?? '')).toMatchObject({ outcome: 'canceled', reason: 'wrong file' });
  const notices = await ledger.db.selectFrom('notice').selectAll().where('jobId', '=', job.id).execute();
  expect(notices).toMatchObject([{ recipient: root.email, run: 1, state: 'due' }]);
  expect(ledger.woken).toEqual(expect.arrayContaining(['gantry_change', 'gantry_notice']));
});

it('asks a job with a chunk in hand to stop, and ends one without', async () => {
  const held = await buildJob(ledger.db, { state: 'running', owner: root, rows: 25, held: true });
  expect(await cancelJob(ledger.deps, root, held.id)).toMatchObject({ state: 'canceling', finishedAt: null });
  expect(await cancelJob(ledger.deps, root, held.id)).toMatchObject({ state: 'canceling' });
  expect(ledger.woken).toContain('gantry_cancel');
  const free = await buildJob(ledger.db, { state: 'running', owner: root, rows: 25 });
  expect(await cancelJob(ledger.deps, root, free.id)).toMatchObject({ state: 'canceled' });
});

it('asks a run in hand to stop, and ends one that waits for its next try', async () => {
  const held = await buildJob(ledger.db, { state: 'running', owner: root, held: true });
  expect(await cancelJob(ledger.deps, root, held.id)).toMatchObject({ state: 'canceling' });
  const free = await buildJob(ledger.db, { state: 'running', owner: root });
  expect(await cancelJob(ledger.deps, root, free.id)).toMatchObject({ state: 'canceled' });
});

it('wakes a sleeping process instead of ending it', async () => {
  const job = await buildJob(ledger.db, { state: 'running', owner: root, kind: 'test.proc', phase: 'confirming' });
  await ledger.db.deleteFrom('outbox').where('jobId', '=', job.id).execute();
  const canceled = await cancelJob(ledger.deps, root, job.id);
  expect(canceled).toMatchObject({ state: 'canceling', phase: 'confirming', wakeSeq: 1 });
  expect(await ledger.db.selectFrom('outbox').selectAll().where('jobId', '=', job.id).execute()).toHaveLength(1);
});

it('does not stop a running kind that runs through, but one that still waits', async () => {
  const running = await buildJob(ledger.db, { state: 'running', owner: root, kind: 'test.through', held: true });
  await expect(cancelJob(ledger.deps, root, running.id)).rejects.toMatchObject({ code: 'job_state_forbids' });
  const queued = await buildJob(ledger.db, { state: 'queued', owner: root, kind: 'test.through' });
  expect(await cancelJob(ledger.deps, root, queued.id)).toMatchObject({ state: 'canceled' });
});

it('cancels a job whose kind is gone, which cannot be requeued', async () => {
  const job = await buildJob(ledger.db, { state: 'queued', owner: root, kind: 'operation.gone', rows: 5 });
  expect(await cancelJob(ledger.deps, root, job.id)).toMatchObject({ state: 'canceled' });
  await expect(requeueJob(ledger.deps, root, job.id)).rejects.toMatchObject({ code: 'job_state_forbids' });
});

it('settles a hundred cancels against claims by one row: never started after it was canceled', async () => {
  const jobs = await Promise.all(
    Array.from({ length: 100 }, (_, at) =>
      buildJob(ledger.db, { state: 'queued', owner: root, ...(at % 2 ? { rows: 5 } : {}) }),
    ),
  );
  const outcomes = await Promise.all(
    jobs.map(async (job) => {
      const claim = async (): Promise<boolean> => {
        if (job.rowTotal === null) {
          return (
            (await claimRun(ledger.db, job.id, 1, statesBefore('running'), claimer, { isProcess: false })) !== null
          );
        }
        await startRun(ledger.db, job.id, 1, claimer);
        return (await claimChunk(ledger.db, job.id, 1, 0, claimer)) !== null;
      };
      const [claimed, canceled] = await Promise.all([claim(), cancelJob(ledger.deps, root, job.id)]);
      return { claimed, canceled, now: await findJob(ledger.db, job.id) };
    }),
  );
  for (const { claimed, now } of outcomes) expect(now?.state).toBe(claimed ? 'canceling' : 'canceled');
});

it('takes a hundred cancels of one job as one', async () => {
  const job = await buildJob(ledger.db, { state: 'queued', owner: root, rows: 25 });
  const answers = await Promise.all(Array.from({ length: 100 }, () => cancelJob(ledger.deps, root, job.id)));
  expect(new Set(answers.map((answer) => answer.state))).toEqual(new Set(['canceled']));
  const events = await ledger.db.selectFrom('jobEvent').selectAll().where('jobId', '=', job.id).execute();
  expect(events).toHaveLength(1);
  expect(await ledger.db.selectFrom('notice').selectAll().where('jobId', '=', job.id).execute()).toHaveLength(1);
});

it('[G41] keeps and shows the reason, and asks for one where the installation wants it', async () => {
  const settings = { ...ledger.deps.settings, requireCancelReason: true };
  const deps = { ...ledger.deps, settings };
  const job = await buildJob(ledger.db, { state: 'queued', owner: root });
  for (const reason of [undefined, '', '  ']) {
    const input = reason === undefined ? {} : { reason };
    await expect(cancelJob(deps, root, job.id, input)).rejects.toMatchObject({ code: 'invalid' });
  }
  expect((await findJob(ledger.db, job.id))?.state).toBe('queued');
  const canceled = await cancelJob(deps, root, job.id, { reason: 'wrong file' });
  expect(canceled).toMatchObject({ state: 'canceled', cancelReason: 'wrong file' });
});
