// Each command in each state: it does what the state machine says, or is a 409 that changes nothing.
import type { Actor } from '../../../src/jobs/actor';
import { cancelJob } from '../../../src/jobs/commands/cancelJob';
import { deleteJob } from '../../../src/jobs/commands/deleteJob';
import { pauseJob } from '../../../src/jobs/commands/pauseJob';
import { prioritizeJob } from '../../../src/jobs/commands/prioritizeJob';
import { requeueJob } from '../../../src/jobs/commands/requeueJob';
import { resumeJob } from '../../../src/jobs/commands/resumeJob';
import type { CommandDeps } from '../../../src/jobs/commandDeps';
import { isFinal, JOB_STATES, type JobAction, type JobState } from '../../../src/jobs/lifecycle';
import { newId } from '../../../src/lib/ids';
import { buildJob, buildUser, openTestLedger, snapshotOf, type TestLedger } from '../../support/factories';

let ledger: TestLedger;
let root: Actor;
let owner: Actor;
beforeAll(async () => {
  ledger = await openTestLedger();
  root = await buildUser(ledger.db, { role: 'superadmin' });
  owner = await buildUser(ledger.db, { role: 'user' });
});
afterAll(() => ledger.close());

type Command = (deps: CommandDeps, actor: Actor, jobId: string) => Promise<unknown>;
/** Decisions on a request for approval, and undo, have tests of their own. */
type Action = Exclude<JobAction, 'approve' | 'reject' | 'withdraw' | 'undo'>;
const COMMANDS: Record<Action, Command> = {
  cancel: cancelJob,
  pause: pauseJob,
  resume: resumeJob,
  requeue: requeueJob,
  delete: deleteJob,
  prioritize: (deps, actor, jobId) => prioritizeJob(deps, actor, jobId, { priority: 7 }),
};

/** The state a job over rows, none of them in hand, is in after the command; 'same': the effect stands; null: refused. */
function expected(action: Action, state: JobState): JobState | 'same' | 'gone' | null {
  switch (action) {
    case 'cancel':
      if (state === 'canceled' || state === 'canceling') return 'same';
      return isFinal(state) ? null : 'canceled';
    case 'pause':
      if (state === 'paused') return 'same';
      return state === 'queued' || state === 'running' ? 'paused' : null;
    case 'resume':
      if (state === 'queued' || state === 'running') return 'same';
      return state === 'paused' ? 'running' : null;
    case 'requeue':
      return isFinal(state) ? 'queued' : null;
    case 'delete':
      return isFinal(state) ? 'gone' : null;
    case 'prioritize':
      return isFinal(state) || state === 'canceling' || state === 'awaiting_approval' ? null : state;
  }
}

const actions = Object.keys(COMMANDS) as Action[];
const cases = actions.flatMap((action) => JOB_STATES.map((state) => [action, state] as const));

it.each(cases)('%s of a job that is %s', async (action, state) => {
  const job = await buildJob(ledger.db, { state, owner, rows: 25 });
  const before = await snapshotOf(ledger.db, job.id);
  const to = expected(action, state);
  const act = COMMANDS[action](ledger.deps, root, job.id);
  if (to === null) {
    const code = action === 'delete' ? 'job_not_final' : 'job_state_forbids';
    await expect(act).rejects.toMatchObject({
      code,
      status: 409,
      extras: { more: { allowedActions: expect.any(Array) } },
    });
    expect(await snapshotOf(ledger.db, job.id)).toBe(before);
  } else if (to === 'same') {
    await expect(act).resolves.toMatchObject({ id: job.id, state });
    expect(await snapshotOf(ledger.db, job.id)).toBe(before);
  } else if (to === 'gone') {
    await act;
    await expect(COMMANDS[action](ledger.deps, root, job.id)).rejects.toMatchObject({ code: 'not_found' });
  } else {
    await expect(act).resolves.toMatchObject({ id: job.id, state: to, version: expect.any(Number) });
    const audits = await ledger.db.selectFrom('audit').selectAll().where('subjectId', '=', job.id).execute();
    expect(audits).toMatchObject([{ action: `job.${action}`, actorId: root.id }]);
  }
});

it.each(actions)('%s of a foreign job, a deleted one or none is not found', async (action) => {
  const job = await buildJob(ledger.db, { state: 'queued', owner, rows: 5 });
  const stranger = await buildUser(ledger.db, { role: 'power_user' });
  const before = await snapshotOf(ledger.db, job.id);
  const notFound = { code: 'not_found', status: 404 };
  await expect(COMMANDS[action](ledger.deps, stranger, job.id)).rejects.toMatchObject(notFound);
  expect(await snapshotOf(ledger.db, job.id)).toBe(before);
  await expect(COMMANDS[action](ledger.deps, root, newId())).rejects.toMatchObject(notFound);
  await expect(COMMANDS[action](ledger.deps, root, 'no-uuid')).rejects.toMatchObject(notFound);
  const gone = await buildJob(ledger.db, { state: 'failed', owner });
  await deleteJob(ledger.deps, root, gone.id);
  await expect(COMMANDS[action](ledger.deps, root, gone.id)).rejects.toMatchObject(notFound);
});

it.each([
  ['user', ['cancel']],
  ['power_user', ['cancel', 'delete']],
] as const)('an owner who is a %s may %s, and nothing else', async (role, may) => {
  const self = await buildUser(ledger.db, { role });
  for (const action of actions) {
    const state = action === 'delete' || action === 'requeue' ? 'failed' : action === 'resume' ? 'paused' : 'queued';
    const job = await buildJob(ledger.db, { state, owner: self, rows: 5 });
    const act = COMMANDS[action](ledger.deps, self, job.id);
    if ((may as readonly string[]).includes(action)) await act;
    else await expect(act).rejects.toMatchObject({ code: 'forbidden', status: 403 });
  }
});
