// The one state machine of jobs: every state, who leaves it and when, and every allowed move.
// Changes are made only by guarded updates in db/queries that name the states they come from; an illegal move is a 409.
import type { JobState } from '../db/generated/database';

export type { JobState } from '../db/generated/database';

/** Where a job may go from each state. A state added in SQL stops the compiler here. */
export const TRANSITIONS = {
  /** Waits for its `runAt`; the dispatcher moves it to queued when the time has come, or a command cancels it. */
  scheduled: ['queued', 'awaiting_approval', 'canceled'],
  /** Waits for people: the last approval of the quorum (queued, or scheduled), reject, withdraw, or the deadline. */
  awaiting_approval: ['queued', 'scheduled', 'rejected', 'withdrawn', 'expired', 'canceled'],
  /** Waits for a worker; the runner's claim moves it to running, a command cancels or pauses it. */
  queued: ['running', 'paused', 'canceled'],
  /** A worker holds it or it sleeps in the ledger; the runner ends it, a command cancels or pauses it. */
  running: ['paused', 'canceling', 'succeeded', 'completed_with_errors', 'failed', 'canceled'],
  /** Holds no worker; resume queues it again, cancel ends it. A limit with `then: fail` fails it. */
  paused: ['queued', 'running', 'canceled', 'failed'],
  /** Work in hand gets CANCEL_GRACE_MS to stop; the runner, or rescue when the worker is gone, ends it. */
  canceling: ['canceled', 'succeeded', 'completed_with_errors', 'failed'],
  /** Final states are left only by requeue, which starts the next run. */
  succeeded: ['queued', 'awaiting_approval'],
  completed_with_errors: ['queued', 'awaiting_approval'],
  failed: ['queued', 'awaiting_approval'],
  canceled: ['queued', 'awaiting_approval'],
  rejected: ['queued', 'awaiting_approval'],
  withdrawn: ['queued', 'awaiting_approval'],
  expired: ['queued', 'awaiting_approval'],
} as const satisfies Record<JobState, readonly JobState[]>;

export const JOB_STATES = Object.keys(TRANSITIONS) as [JobState, ...JobState[]];

export const FINAL_STATES = [
  'succeeded',
  'completed_with_errors',
  'failed',
  'canceled',
  'rejected',
  'withdrawn',
  'expired',
] as const satisfies readonly JobState[];
export type FinalState = (typeof FINAL_STATES)[number];

export function isFinal(state: JobState): state is FinalState {
  return (FINAL_STATES as readonly JobState[]).includes(state);
}

/** The states from which `to` may be reached, for the guard of an update. */
export function statesBefore(to: JobState): JobState[] {
  return JOB_STATES.filter((from) => (TRANSITIONS[from] as readonly JobState[]).includes(to));
}

/** injixo's two groups: what still goes on, and what has ended. */
export function groupOf(state: JobState): 'processed' | 'unprocessed' {
  return isFinal(state) ? 'processed' : 'unprocessed';
}

export const ACTIONS = [
  'cancel',
  'pause',
  'resume',
  'prioritize',
  'requeue',
  'undo',
  'delete',
  'approve',
  'reject',
  'withdraw',
] as const;
export type JobAction = (typeof ACTIONS)[number];

/** What may be asked of a job in each state, before roles and the kind's own flags are considered. */
export const ACTIONS_BY_STATE = {
  scheduled: ['cancel', 'prioritize'],
  awaiting_approval: ['approve', 'reject', 'withdraw', 'cancel'],
  queued: ['cancel', 'pause', 'prioritize'],
  running: ['cancel', 'pause', 'prioritize'],
  paused: ['cancel', 'resume', 'prioritize'],
  canceling: [],
  succeeded: ['requeue', 'undo', 'delete'],
  completed_with_errors: ['requeue', 'undo', 'delete'],
  failed: ['requeue', 'undo', 'delete'],
  canceled: ['requeue', 'undo', 'delete'],
  rejected: ['requeue', 'undo', 'delete'],
  withdrawn: ['requeue', 'undo', 'delete'],
  expired: ['requeue', 'undo', 'delete'],
} as const satisfies Record<JobState, readonly JobAction[]>;
