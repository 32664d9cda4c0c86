import {
  ACTIONS,
  ACTIONS_BY_STATE,
  groupOf,
  isFinal,
  JOB_STATES,
  statesBefore,
  TRANSITIONS,
} from '../../src/jobs/lifecycle';
import { allowedActions, mayEver, stateAllows } from '../../src/jobs/allowedActions';
import type { Actor } from '../../src/jobs/actor';
import { policyOf, type Policy } from '../../src/jobs/define';
import { work } from '../support/testKinds';

const policy: Policy = { ...policyOf(work), undoable: true };
const whole = { undoOf: null, keepsValues: true, beingUndone: false };
const owner: Actor = { id: 'a', name: 'Ada', email: 'ada@example.test', role: 'user' };

describe('the state machine', () => {
  it('[G9] puts each state in one of two groups, and the final ones in processed alone', () => {
    const processed = JOB_STATES.filter((state) => groupOf(state) === 'processed');
    const unprocessed = JOB_STATES.filter((state) => groupOf(state) === 'unprocessed');
    expect([...processed, ...unprocessed].sort()).toEqual([...JOB_STATES].sort());
    expect(processed.filter((state) => unprocessed.includes(state))).toEqual([]);
    expect(processed).toEqual(JOB_STATES.filter(isFinal));
  });

  it('leaves a final state only by a requeue', () => {
    for (const state of JOB_STATES.filter(isFinal)) {
      expect([...TRANSITIONS[state]].sort()).toEqual(['awaiting_approval', 'queued']);
    }
  });

  it('names as states before exactly those that lead there', () => {
    for (const to of JOB_STATES) {
      for (const from of JOB_STATES) {
        expect(statesBefore(to).includes(from)).toBe((TRANSITIONS[from] as readonly string[]).includes(to));
      }
    }
  });
});

describe('allowed actions', () => {
  it('are the meet of state, kind and role, over all of them', () => {
    for (const state of JOB_STATES) {
      for (const role of ['user', 'power_user', 'superadmin'] as const) {
        for (const foreign of [true, false]) {
          for (const waitingFor of [null, 'trial', 'limit', 'user']) {
            const actor = { ...owner, role };
            const job = { ...whole, state, phase: null, ownerId: foreign ? 'b' : 'a', waitingFor, rowTotal: 5 };
            const allowed = allowedActions(job, policy, actor);
            for (const action of ACTIONS) {
              const expected = mayEver(job, action, actor) && stateAllows(job, policy, action);
              expect(allowed.includes(action)).toBe(expected);
              if (allowed.includes(action)) expect(ACTIONS_BY_STATE[state] as readonly string[]).toContain(action);
              if (foreign && role !== 'superadmin') expect(allowed).toEqual([]);
            }
          }
        }
      }
    }
  });

  it('let an owner resume what waits for its trial or limit, and nothing else', () => {
    const job = { ...whole, state: 'paused' as const, phase: null, ownerId: 'a', rowTotal: 5 };
    expect(allowedActions({ ...job, waitingFor: 'trial' }, policy, owner)).toContain('resume');
    expect(allowedActions({ ...job, waitingFor: 'limit' }, policy, owner)).toContain('resume');
    expect(allowedActions({ ...job, waitingFor: 'user' }, policy, owner)).not.toContain('resume');
  });

  it('hold the decisions on a request for those who may take them, once, while it has not run out', () => {
    const request = {
      requesterId: 'a',
      approvers: ['bob@example.test'],
      requestIsOver: false,
      approvedBy: [] as string[],
    };
    const job = { ...whole, ...request, state: 'awaiting_approval' as const, phase: null, ownerId: 'a', rowTotal: 5 };
    const waiting = { ...job, waitingFor: null };
    const bob: Actor = { id: 'b', name: 'Bob', email: 'Bob@example.test', role: 'user' };
    const root: Actor = { ...bob, id: 'c', email: 'root@example.test', role: 'superadmin' };
    expect(allowedActions(waiting, policy, owner)).toEqual(['withdraw', 'cancel']);
    expect(allowedActions(waiting, policy, bob)).toEqual(['approve', 'reject']);
    expect(allowedActions(waiting, policy, root)).toEqual(['cancel']);
    expect(allowedActions({ ...waiting, approvers: null }, policy, root)).toEqual(['approve', 'reject', 'cancel']);
    expect(allowedActions({ ...waiting, approvedBy: ['b'] }, policy, bob)).toEqual(['reject']);
    expect(allowedActions({ ...waiting, requestIsOver: true }, policy, bob)).toEqual([]);
    const own = { ...waiting, approvers: null, requesterId: 'c' };
    expect(allowedActions(own, policy, root)).toEqual(['withdraw', 'cancel']);
    expect(allowedActions(own, policy, root, true)).toEqual(['approve', 'reject', 'withdraw', 'cancel']);
  });

  it('hold no pause for a running job without rows, and no cancel for a kind that runs through', () => {
    const root: Actor = { ...owner, role: 'superadmin' };
    const job = { ...whole, state: 'running' as const, phase: null, ownerId: 'a', waitingFor: null };
    expect(allowedActions({ ...job, rowTotal: null }, policy, root)).not.toContain('pause');
    expect(allowedActions({ ...job, rowTotal: 1 }, policy, root)).toContain('pause');
    expect(allowedActions({ ...job, rowTotal: 1 }, { ...policy, cancelable: false }, root)).not.toContain('cancel');
    const waiting = { ...job, state: 'queued' as const, rowTotal: 1 };
    expect(allowedActions(waiting, { ...policy, cancelable: false }, root)).toContain('cancel');
  });

  it('hold undo for the owner while the kind declares it, values are kept, and no undo goes on', () => {
    const job = {
      ...whole,
      keepsValues: true,
      state: 'canceled' as const,
      phase: null,
      ownerId: 'a',
      waitingFor: null,
      rowTotal: 5,
    };
    expect(allowedActions(job, policy, owner)).toContain('undo');
    expect(allowedActions(job, policy, { ...owner, id: 'b' })).toEqual([]);
    expect(allowedActions(job, { ...policy, undoable: false }, owner)).not.toContain('undo');
    for (const more of [
      { keepsValues: false },
      { beingUndone: true },
      { undoOf: 'x' },
      { state: 'running' as const },
    ]) {
      expect(allowedActions({ ...job, ...more }, policy, owner)).not.toContain('undo');
    }
  });
});
