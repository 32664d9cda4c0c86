// Whether a command of a set would act on a job, and if not, why: from the rules of the single commands, without asking one.
// Counts the preview and spares the carrying out the plain refusals; the command itself has the last word. Pure.
import type { JobState } from '../../db/generated/database';
import type { Actor } from '../actor';
import { mayEver, stateAllows } from '../allowedActions';
import { policyOfKind } from '../commands/onJob';
import type { Definition } from '../define';
import { isFinal } from '../lifecycle';

export const BULK_ACTIONS = ['cancel', 'requeue', 'delete', 'pause', 'resume', 'prioritize'] as const;
export type BulkActionName = (typeof BULK_ACTIONS)[number];

export interface BulkRequest {
  action: BulkActionName;
  /** Requeue: the rows that have not succeeded, and of those that failed, the ones with this code. */
  only?: 'failed' | 'unfinished';
  code?: string;
  priority?: number;
  reason?: string;
}

export interface JudgedJob {
  state: JobState;
  phase: string | null;
  waitingFor: string | null;
  ownerId: string;
  hasRows: boolean;
  run: number;
  priority: number;
}

/** Why a job of a set is left as it is. */
export const SKIP_REASONS = {
  not_found: 'There is no such job, or it is not yours to see.',
  forbidden: 'Your role may not do this to the job.',
  already_so: 'The job is so already.',
  job_state_forbids: 'The state of the job does not allow it.',
  job_not_final: 'The job has not ended; cancel it first.',
  not_pausable: 'The job runs through once it has begun.',
  not_cancelable: 'Its kind runs through once it has begun.',
  not_requeueable: 'Its kind runs once.',
  kind_gone: 'Its kind does not exist any more.',
  takes_no_rows: 'Its kind takes no rows, so there are none to choose from.',
  changed_since: 'Somebody requeued the job after the set was frozen.',
} as const;
export type SkipReason = keyof typeof SKIP_REASONS;

/** @returns null when the command would be tried. */
export function judgeJob(
  job: JudgedJob,
  definition: Definition | null,
  request: BulkRequest,
  actor: Actor,
): SkipReason | null {
  const { action } = request;
  if (!mayEver(job, action, actor)) return 'forbidden';
  if (isAlreadySo(job, request)) return 'already_so';
  // What is about to pause is still running, and can be told to go on.
  if (action === 'resume' && job.phase === 'pausing') return null;
  // What is being undone is left to the command's own refusal: it would cost the preview a look at every job.
  const undo = { undoOf: null, keepsValues: false, beingUndone: false };
  if (!stateAllows({ ...job, ...undo, rowTotal: job.hasRows ? 1 : null }, policyOfKind(definition), action)) {
    if (action === 'delete') return 'job_not_final';
    if (action === 'requeue' && isFinal(job.state)) return definition ? 'not_requeueable' : 'kind_gone';
    if (action === 'pause' && job.state === 'running') return 'not_pausable';
    if (action === 'cancel' && job.state === 'running') return 'not_cancelable';
    return 'job_state_forbids';
  }
  if (action === 'resume' && !definition) return 'kind_gone';
  if (request.only && !job.hasRows) return 'takes_no_rows';
  return null;
}

function isAlreadySo(job: JudgedJob, { action, priority }: BulkRequest): boolean {
  switch (action) {
    case 'cancel':
      return job.state === 'canceling' || job.state === 'canceled';
    case 'pause':
      return job.state === 'paused' || job.phase === 'pausing';
    case 'resume':
      return (job.state === 'queued' || job.state === 'running') && job.phase !== 'pausing';
    case 'requeue':
      return job.state === 'queued' && job.run > 1;
    case 'prioritize':
      return job.priority === priority && !isFinal(job.state);
    case 'delete':
      return false;
  }
}
