// Requests for approval at the level of the commands: who is asked, who may decide, how many must, and what is decided on.
import { sql } from 'kysely';
import { z } from 'zod';
import { createJob } from '../../../src/jobs/commands/createJob';
import { cancelJob } from '../../../src/jobs/commands/cancelJob';
import { approveJob, rejectJob, withdrawJob } from '../../../src/jobs/commands/decideJob';
import { requeueJob } from '../../../src/jobs/commands/requeueJob';
import type { Actor } from '../../../src/jobs/actor';
import { checkRules } from '../../../src/jobs/approvals/rules';
import { createCatalog } from '../../../src/jobs/catalog';
import type { CommandDeps } from '../../../src/jobs/commandDeps';
import { defineJob, type ApprovalRules } from '../../../src/jobs/define';
import { buildUser, openTestLedger, snapshotOf, type TestLedger } from '../../support/factories';

const NAMED = ['first@example.test', 'second@example.test', 'third@example.test'];

function kindWith(kind: string, approval?: ApprovalRules) {
  return defineJob({
    kind,
    title: 'Delicate work',
    menu: ['Tests'],
    roles: ['user', 'power_user', 'superadmin'],
    policy: { needsApproval: true },
    ...(approval ? { approval } : {}),
    params: z.looseObject({}),
    run: () => Promise.resolve(),
  });
}
const plain = kindWith('test.delicate');
const twoOfThree = kindWith('test.two-of-three', { quorum: 2, approvers: NAMED, expiresAfterMs: 60_000 });

let ledger: TestLedger;
let deps: CommandDeps;
let owner: Actor;
let root: Actor;
let other: Actor;
let named: Actor[];
beforeAll(async () => {
  ledger = await openTestLedger({ plugins: [plain, twoOfThree] });
  deps = ledger.deps;
  owner = await buildUser(ledger.db, { role: 'power_user', name: 'Olga' });
  root = await buildUser(ledger.db, { role: 'superadmin', name: 'Ruth', email: 'root@example.test' });
  other = await buildUser(ledger.db, { role: 'superadmin', name: 'Otto', email: 'other@example.test' });
  named = [];
  for (const email of NAMED) named.push(await buildUser(ledger.db, { role: 'user', email, name: email }));
});
afterAll(() => ledger.close());

const ask = (kind = plain.kind, more: object = {}, asker = owner) =>
  createJob(deps, asker, { kind, params: {}, ...more }, null);
const forbidden = { code: 'forbidden', status: 403 };
const stateForbids = { code: 'job_state_forbids', status: 409 };
const outboxOf = (jobId: string) => ledger.db.selectFrom('outbox').selectAll().where('jobId', '=', jobId).execute();
const noticesOf = (jobId: string) =>
  ledger.db
    .selectFrom('notice')
    .select(['recipient', 'payload', 'run'])
    .where('jobId', '=', jobId)
    .where('kind', '=', 'approval-wanted')
    .orderBy('recipient')
    .execute();

describe('asking', () => {
  it('[G57] starts nothing, and writes down what was asked for, by whom and until when', async () => {
    const job = await ask(plain.kind, { params: { a: 1 } });
    expect(job).toMatchObject({ state: 'awaiting_approval', quorum: 1, approvers: null, requesterId: owner.id });
    expect(await outboxOf(job.id)).toEqual([]);
    const days = ((job.requestExpiresAt?.getTime() ?? 0) - job.createdAt.getTime()) / 86_400_000;
    expect(days).toBeCloseTo(7, 2);
    expect(job.requestHash).toHaveLength(32);
  });

  it('[G61] tells every superadmin but the requester, or those who are named, each once', async () => {
    const closed = await buildUser(ledger.db, { role: 'superadmin', email: 'closed@example.test' });
    await ledger.db.updateTable('appUser').set({ disabledAt: new Date() }).where('id', '=', closed.id).execute();
    const all = await noticesOf((await ask()).id);
    expect(all.map(({ recipient }) => recipient)).toEqual([other.email, root.email]);
    expect((await noticesOf((await ask(plain.kind, {}, root)).id)).map((one) => one.recipient)).toEqual([other.email]);
    const job = await ask(twoOfThree.kind, { title: 'Delete it all' });
    const few = await noticesOf(job.id);
    expect(few.map(({ recipient }) => recipient)).toEqual(NAMED);
    expect(JSON.parse(few[0]?.payload ?? '')).toMatchObject({
      title: 'Delete it all',
      requesterName: 'Olga',
      rowTotal: null,
      quorum: 2,
      requestHash: job.requestHash?.toString('hex'),
      approverId: named[0]?.id,
    });
  });

  it('refuses rules that nobody can meet, when the program starts', () => {
    expect(() => checkRules(kindWith('test.mad', { quorum: 2, approvers: ['a@example.test'] }))).toThrow(/quorum/);
    expect(() => checkRules(kindWith('test.mad', { quorum: 0 }))).toThrow(/quorum/);
    const plugins = [kindWith('test.mad', { approvers: ['nobody'] })];
    expect(() => createCatalog(ledger.db, { openSecret: (box) => box, plugins })).toThrow(/test\.mad.*approvers/);
  });
});

describe('deciding', () => {
  it('[G63] waits for the quorum, counts each person once, and tells each approval', async () => {
    const { id } = await ask(twoOfThree.kind);
    const [first, second] = named as [Actor, Actor];
    expect(await approveJob(deps, first, id, { reason: 'looks right' })).toMatchObject({
      state: 'awaiting_approval',
      approvedBy: [first.id],
    });
    const before = await snapshotOf(ledger.db, id);
    expect(await approveJob(deps, first, id)).toMatchObject({ state: 'awaiting_approval' });
    expect(await snapshotOf(ledger.db, id)).toBe(before);
    expect(await approveJob(deps, second, id)).toMatchObject({ state: 'queued' });
    expect(await outboxOf(id)).toHaveLength(1);
    await expect(approveJob(deps, first, id)).rejects.toMatchObject(stateForbids);
    const audits = await ledger.db
      .selectFrom('audit')
      .selectAll()
      .where('subjectId', '=', id)
      .where('action', '=', 'job.approve')
      .orderBy('id')
      .execute();
    expect(audits.map(({ actorId, reason, before, after }) => [actorId, reason, before, after])).toEqual([
      [first.id, 'looks right', expect.stringContaining('"approvals":0'), expect.stringContaining('"approvals":1')],
      [second.id, null, expect.stringContaining('"approvals":1'), expect.stringContaining('"state":"queued"')],
    ]);
    const events = await ledger.db
      .selectFrom('jobEvent')
      .select(['actorId', 'data'])
      .where('jobId', '=', id)
      .where('type', '=', 'approved')
      .orderBy('id')
      .execute();
    expect(events.map(({ actorId }) => actorId)).toEqual([first.id, second.id]);
    expect(JSON.parse(events[0]?.data ?? '')).toMatchObject({ approvals: 1, quorum: 2, reason: 'looks right' });
  });

  it('[G58] [G61] [G24] is for the named ones, whatever their role, and for nobody else', async () => {
    const { id } = await ask(twoOfThree.kind);
    const stranger = await buildUser(ledger.db, { role: 'user' });
    await expect(approveJob(deps, root, id)).rejects.toMatchObject(forbidden);
    await expect(rejectJob(deps, root, id, { reason: 'no' })).rejects.toMatchObject(forbidden);
    await expect(approveJob(deps, stranger, id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(approveJob(deps, owner, id)).rejects.toMatchObject(forbidden);
    const third = named[2] as Actor;
    await expect(cancelJob(deps, third, id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(rejectJob(deps, third, id, { reason: ' ' })).rejects.toMatchObject({ code: 'invalid', status: 422 });
    expect(await rejectJob(deps, third, id, { reason: 'too many' })).toMatchObject({ state: 'rejected' });
    const decisions = await ledger.db.selectFrom('approvalDecision').selectAll().where('jobId', '=', id).execute();
    expect(decisions).toMatchObject([
      { userId: third.id, userName: third.name, decision: 'rejected', reason: 'too many' },
    ]);
    const audit = await ledger.db
      .selectFrom('audit')
      .selectAll()
      .where('subjectId', '=', id)
      .where('action', '=', 'job.reject')
      .execute();
    expect(audit).toMatchObject([{ actorId: third.id, reason: 'too many' }]);
  });

  it('lets one who approved too early still reject', async () => {
    const { id } = await ask(twoOfThree.kind);
    const first = named[0] as Actor;
    await approveJob(deps, first, id);
    expect(await rejectJob(deps, first, id, { reason: 'I overlooked row 3' })).toMatchObject({ state: 'rejected' });
  });

  it('[G59] is not for the requester, unless the installation allows it', async () => {
    const { id } = await ask(plain.kind, {}, root);
    await expect(approveJob(deps, root, id)).rejects.toMatchObject(forbidden);
    const alone = { ...deps, settings: { ...deps.settings, selfApproval: true } };
    await expect(approveJob(alone, owner, id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await approveJob(alone, root, id)).toMatchObject({ state: 'queued' });
    const theirs = await ask();
    await expect(approveJob(alone, owner, theirs.id)).rejects.toMatchObject(forbidden);
  });

  it('[G60] lets only the requester withdraw, and nobody approve what was withdrawn', async () => {
    const { id } = await ask();
    await expect(withdrawJob(deps, root, id)).rejects.toMatchObject(forbidden);
    expect(await withdrawJob(deps, owner, id, { reason: 'wrong file' })).toMatchObject({ state: 'withdrawn' });
    await expect(approveJob(deps, root, id)).rejects.toMatchObject(stateForbids);
    await expect(withdrawJob(deps, owner, id)).rejects.toMatchObject(stateForbids);
    const begun = await ask();
    await approveJob(deps, root, begun.id);
    await expect(withdrawJob(deps, owner, begun.id)).rejects.toMatchObject(stateForbids);
  });

  it('[G62] is about what was asked for: another payload, hash or run is not approved', async () => {
    const { id, requestHash } = await ask(plain.kind, { params: { amount: 1 } });
    await expect(approveJob(deps, root, id, { requestHash: 'ab'.repeat(32) })).rejects.toMatchObject(stateForbids);
    await expect(approveJob(deps, root, id, { run: 2 })).rejects.toMatchObject(stateForbids);
    await ledger.db.updateTable('job').set({ params: '{"amount": 1000}' }).where('id', '=', id).execute();
    const before = await snapshotOf(ledger.db, id);
    const hash = requestHash?.toString('hex') ?? '';
    await expect(approveJob(deps, root, id, { requestHash: hash })).rejects.toMatchObject(stateForbids);
    expect(await snapshotOf(ledger.db, id)).toBe(before);
    await ledger.db.updateTable('job').set({ params: '{"amount":1}' }).where('id', '=', id).execute();
    expect(await approveJob(deps, root, id, { requestHash: hash.toUpperCase(), run: 1 })).toMatchObject({
      state: 'queued',
    });
  });

  it('leaves what is to run later to its time', async () => {
    const runAt = new Date(Date.now() + 3_600_000);
    const { id } = await ask(plain.kind, { runAt });
    expect(await approveJob(deps, root, id)).toMatchObject({ state: 'scheduled', queuedAt: null });
    expect(await outboxOf(id)).toMatchObject([{ dueAt: runAt }]);
  });

  it('asks again for the next run, whoever approved the last, and not the one who asks now', async () => {
    const { id } = await ask();
    await approveJob(deps, other, id);
    await cancelJob(deps, owner, id);
    expect(await requeueJob(deps, root, id)).toMatchObject({
      state: 'awaiting_approval',
      run: 2,
      requesterId: root.id,
      approvedBy: [],
    });
    expect((await noticesOf(id)).filter(({ run }) => run === 2).map(({ recipient }) => recipient)).toEqual([
      other.email,
    ]);
    await expect(approveJob(deps, root, id)).rejects.toMatchObject(forbidden);
    await expect(withdrawJob(deps, owner, id)).rejects.toMatchObject(forbidden);
    expect(await approveJob(deps, other, id)).toMatchObject({ state: 'queued', run: 2 });
    expect(await outboxOf(id)).toMatchObject([{ run: 2 }]);
  });

  it('stays possible for what an earlier version made without a request', async () => {
    const { id } = await ask();
    await sql`delete from approval where job_id = ${id}`.execute(ledger.db);
    await expect(approveJob(deps, owner, id)).rejects.toMatchObject(forbidden);
    expect(await approveJob(deps, root, id)).toMatchObject({ state: 'queued', quorum: 1, approvedBy: [root.id] });
  });
});
