// Decisions at the same moment, and decisions that come too late: one outcome, whoever is first.
import { sql } from 'kysely';
import { z } from 'zod';
import { createJob } from '../../../src/jobs/commands/createJob';
import { approveJob, rejectJob, withdrawJob } from '../../../src/jobs/commands/decideJob';
import type { Actor } from '../../../src/jobs/actor';
import { defineJob } from '../../../src/jobs/define';
import { createLogger } from '../../../src/lib/logger';
import { expireApprovals } from '../../../src/workers/maintenance/expireApprovals';
import type { MaintenanceDeps } from '../../../src/workers/maintenance/startMaintenance';
import { buildJob, buildUser, openTestLedger, snapshotOf, type TestLedger } from '../../support/factories';

const pair = defineJob({
  kind: 'test.pair',
  title: 'Two have to approve',
  menu: ['Tests'],
  roles: ['power_user'],
  policy: { needsApproval: true },
  approval: { quorum: 2 },
  params: z.strictObject({}),
  run: () => Promise.resolve(),
});

let ledger: TestLedger;
let duty: MaintenanceDeps;
let owner: Actor;
let roots: [Actor, Actor];
beforeAll(async () => {
  ledger = await openTestLedger({ plugins: [pair] });
  owner = await buildUser(ledger.db, { role: 'power_user' });
  roots = [await buildUser(ledger.db, { role: 'superadmin' }), await buildUser(ledger.db, { role: 'superadmin' })];
  const logger = createLogger({ level: 'silent' });
  const { db, catalog, waker } = ledger.deps;
  duty = { db, catalog, waker, logger, cancelGraceMs: 1000, retentionDays: 14 } as MaintenanceDeps;
});
afterAll(() => ledger.close());

const stateForbids = { code: 'job_state_forbids', status: 409 };
const isFulfilled = (one: PromiseSettledResult<unknown>): boolean => one.status === 'fulfilled';
const decisionsOf = (jobId: string) =>
  ledger.db.selectFrom('approvalDecision').selectAll().where('jobId', '=', jobId).orderBy('id').execute();
const stateOf = async (jobId: string) =>
  (await ledger.db.selectFrom('job').select('state').where('id', '=', jobId).executeTakeFirstOrThrow()).state;
const outboxOf = (jobId: string) => ledger.db.selectFrom('outbox').selectAll().where('jobId', '=', jobId).execute();

async function lapse(jobId: string, milliseconds = 1): Promise<void> {
  await sql`update approval set expires_at = gantry_now() - ${milliseconds}::float8 * interval '1 millisecond'
    where job_id = ${jobId}`.execute(ledger.db);
}

it('[G58] of two approvers at once, where one is enough, one decides and the other is told so', async () => {
  for (let round = 0; round < 5; round += 1) {
    const job = await buildJob(ledger.db, { state: 'awaiting_approval', owner });
    const results = await Promise.allSettled(roots.map((root) => approveJob(ledger.deps, root, job.id)));
    expect(results.filter(isFulfilled)).toHaveLength(1);
    expect(results.find((one) => !isFulfilled(one))).toMatchObject({ reason: stateForbids });
    expect(await decisionsOf(job.id)).toHaveLength(1);
    expect(await outboxOf(job.id)).toHaveLength(1);
  }
});

it('[G63] two approvers at once, where two are needed, let it go once', async () => {
  for (let round = 0; round < 5; round += 1) {
    const job = await createJob(ledger.deps, owner, { kind: pair.kind, params: {} }, null);
    const [first, second] = roots;
    const results = await Promise.allSettled(
      [first, second, first, second].map((root) => approveJob(ledger.deps, root, job.id)),
    );
    expect(results.filter(isFulfilled).length).toBeGreaterThanOrEqual(2);
    expect(await stateOf(job.id)).toBe('queued');
    expect(new Set((await decisionsOf(job.id)).map(({ userId }) => userId)).size).toBe(2);
    expect(await decisionsOf(job.id)).toHaveLength(2);
    expect(await outboxOf(job.id)).toHaveLength(1);
  }
});

it('[G60] of approve, reject and withdraw at once one stands', async () => {
  for (let round = 0; round < 8; round += 1) {
    const job = await buildJob(ledger.db, { state: 'awaiting_approval', owner });
    const results = await Promise.allSettled([
      approveJob(ledger.deps, roots[0], job.id),
      withdrawJob(ledger.deps, owner, job.id),
      rejectJob(ledger.deps, roots[1], job.id, { reason: 'no' }),
    ]);
    expect(results.filter(isFulfilled)).toHaveLength(1);
    expect(await decisionsOf(job.id)).toHaveLength(1);
    expect(await outboxOf(job.id)).toHaveLength((await stateOf(job.id)) === 'queued' ? 1 : 0);
  }
});

it('[G63] expires what nobody decided in time: no actor, and the owner is told', async () => {
  const job = await buildJob(ledger.db, { state: 'awaiting_approval', owner });
  const later = await buildJob(ledger.db, { state: 'awaiting_approval', owner });
  await lapse(job.id);
  const before = await snapshotOf(ledger.db, job.id);
  await expect(approveJob(ledger.deps, roots[0], job.id)).rejects.toMatchObject(stateForbids);
  await expect(rejectJob(ledger.deps, roots[0], job.id, { reason: 'no' })).rejects.toMatchObject(stateForbids);
  await expect(withdrawJob(ledger.deps, owner, job.id)).rejects.toMatchObject(stateForbids);
  expect(await snapshotOf(ledger.db, job.id)).toBe(before);
  await expireApprovals(duty);
  expect(await stateOf(job.id)).toBe('expired');
  expect(await stateOf(later.id)).toBe('awaiting_approval');
  const events = await ledger.db.selectFrom('jobEvent').selectAll().where('jobId', '=', job.id).execute();
  expect(events).toMatchObject([{ type: 'ended', actorId: null, actorName: null }]);
  const notices = await ledger.db.selectFrom('notice').selectAll().where('jobId', '=', job.id).execute();
  expect(notices).toMatchObject([{ kind: 'job-ended', recipient: owner.email }]);
  await expect(approveJob(ledger.deps, roots[0], job.id)).rejects.toMatchObject(stateForbids);
});

it('of an approval and the end of its time at once one stands', async () => {
  for (let round = 0; round < 6; round += 1) {
    const job = await buildJob(ledger.db, { state: 'awaiting_approval', owner });
    await lapse(job.id, -15);
    const [approved] = await Promise.allSettled([
      approveJob(ledger.deps, roots[0], job.id),
      ...Array.from({ length: 6 }, () => expireApprovals(duty)),
    ]);
    for (let ended = false; !ended && !isFulfilled(approved as PromiseSettledResult<unknown>);) {
      await expireApprovals(duty);
      ended = (await stateOf(job.id)) === 'expired';
    }
    expect(await stateOf(job.id)).toBe(approved?.status === 'fulfilled' ? 'queued' : 'expired');
    expect(await outboxOf(job.id)).toHaveLength(approved?.status === 'fulfilled' ? 1 : 0);
  }
});

it('gives a request to what an earlier version made without one', async () => {
  const job = await buildJob(ledger.db, { state: 'awaiting_approval', owner });
  await sql`delete from approval where job_id = ${job.id}`.execute(ledger.db);
  await expireApprovals(duty);
  const made = await ledger.db.selectFrom('approval').selectAll().where('jobId', '=', job.id).execute();
  expect(made).toMatchObject([{ run: 1, quorum: 1, requesterId: owner.id }]);
  expect(await approveJob(ledger.deps, roots[0], job.id)).toMatchObject({ state: 'queued' });
});
