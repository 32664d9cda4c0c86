// The words of SourceDeploy and JS7 for a deployment, derived from the job's state by exhaustive tables.
// Called by settleDeployment, the presenters and the seed shapes; nobody else names these words.
import type { JobState } from '../lifecycle';

/** SourceDeploy's run statuses that a Server deployment can have (domain.md B6). */
export const RUN_STATUSES = [
  'pending',
  'waiting',
  'inprogress',
  'canceling',
  'canceled',
  'success',
  'fail',
  'error',
  'reject',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

const BY_STATE = {
  scheduled: 'waiting',
  awaiting_approval: 'pending',
  queued: 'waiting',
  running: 'inprogress',
  paused: 'waiting',
  canceling: 'canceling',
  succeeded: 'success',
  completed_with_errors: 'fail',
  failed: 'fail',
  canceled: 'canceled',
  rejected: 'reject',
  withdrawn: 'canceled',
  expired: 'canceled',
} as const satisfies Record<JobState, RunStatus>;

/** The error code of a job whose targets failed by themselves; any other failure is a fault of the platform, `error`. */
export const TARGET_FAILED = 'target_failed';

export function runStatusOf(state: JobState, errorCode: string | null = null): RunStatus {
  const status = BY_STATE[state];
  return status === 'fail' && errorCode !== null && errorCode !== TARGET_FAILED ? 'error' : status;
}

/** JS7's group state (row 79): deployed only if all targets succeeded, not deployed once any failed, else confirming. */
export const GROUP_STATES = ['deployed', 'not_deployed', 'confirming'] as const;
export type GroupState = (typeof GROUP_STATES)[number];

export const GROUP_OF_STATUS = {
  pending: 'confirming',
  waiting: 'confirming',
  inprogress: 'confirming',
  canceling: 'confirming',
  canceled: 'not_deployed',
  success: 'deployed',
  fail: 'not_deployed',
  error: 'not_deployed',
  reject: 'not_deployed',
} as const satisfies Record<RunStatus, GroupState>;
