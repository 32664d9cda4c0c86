import type { Actor } from '../../../src/jobs/actor';
import { approveJob, rejectJob, withdrawJob } from '../../../src/jobs/commands/decideJob';
import { JOB_STATES } from '../../../src/jobs/lifecycle';
import { buildJob, buildUser, openTestLedger, snapshotOf, type TestLedger } from '../../support/factories';

let ledger: TestLedger;
let root: Actor;
let owner: Actor;
beforeAll(async () => {
  ledger = await openTestLedger();
  root = await buildUser(ledger.db, { role: 'superadmin' });
  owner = await buildUser(ledger.db, { role: 'power_user' });
});
afterAll(() => ledger.close());

const reject: typeof approveJob = (deps, actor, jobId) => rejectJob(deps, actor, jobId, { reason: 'too many rows' });

const decisions = [
  ['approve', approveJob, 'queued', 'approver'],
  ['reject', reject, 'rejected', 'approver'],
  ['withdraw', withdrawJob, 'withdrawn', 'owner'],
] as const;

it.each(decisions)(
  '[G58] %s decides what awaits approval, once, and nothing in any other state',
  async (name, decide, to, who) => {
    const actor = who === 'owner' ? owner : root;
    for (const state of JOB_STATES) {
      const job = await buildJob(ledger.db, { state, owner, rows: 5 });
      if (state === 'awaiting_approval') {
        expect(await decide(ledger.deps, actor, job.id)).toMatchObject({ state: to });
        const audits = await ledger.db.selectFrom('audit').selectAll().where('subjectId', '=', job.id).execute();
        expect(audits).toMatchObject([{ action: `job.${name}`, actorId: actor.id }]);
      }
      const before = await snapshotOf(ledger.db, job.id);
      await expect(decide(ledger.deps, actor, job.id)).rejects.toMatchObject({
        code: 'job_state_forbids',
        status: 409,
      });
      expect(await snapshotOf(ledger.db, job.id)).toBe(before);
    }
  },
);

it('[G57] puts what is approved on its way, with its wait counted from then', async () => {
  const job = await buildJob(ledger.db, { state: 'awaiting_approval', owner, rows: 25 });
  const approved = await approveJob(ledger.deps, root, job.id);
  expect(approved.queuedAt).not.toBeNull();
  const outbox = await ledger.db.selectFrom('outbox').selectAll().where('jobId', '=', job.id).execute();
  expect(outbox).toMatchObject([{ run: 1, shape: 'chunks', maxOnWay: 8, sentAt: null }]);
});

it('[G59] [G60] lets nobody decide on an own request, nor any other role, and nobody else withdraw', async () => {
  const own = await buildJob(ledger.db, { state: 'awaiting_approval', owner: root });
  const job = await buildJob(ledger.db, { state: 'awaiting_approval', owner });
  const forbidden = { code: 'forbidden', status: 403 };
  await expect(approveJob(ledger.deps, root, own.id)).rejects.toMatchObject(forbidden);
  await expect(reject(ledger.deps, root, own.id)).rejects.toMatchObject(forbidden);
  await expect(approveJob(ledger.deps, owner, job.id)).rejects.toMatchObject(forbidden);
  await expect(reject(ledger.deps, owner, job.id)).rejects.toMatchObject(forbidden);
  await expect(withdrawJob(ledger.deps, root, job.id)).rejects.toMatchObject(forbidden);
});

it('lets one of many decisions at once win', async () => {
  const job = await buildJob(ledger.db, { state: 'awaiting_approval', owner });
  const other = await buildUser(ledger.db, { role: 'superadmin' });
  const results = await Promise.allSettled([
    ...Array.from({ length: 10 }, () => approveJob(ledger.deps, root, job.id)),
    ...Array.from({ length: 10 }, () => reject(ledger.deps, other, job.id)),
    ...Array.from({ length: 10 }, () => withdrawJob(ledger.deps, owner, job.id)),
  ]);
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
});
