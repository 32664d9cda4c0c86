// What one can ask of a job: words for buttons and dialogs. Whether it is allowed is the server's answer (allowedActions);
// here is only why a button is grey, in words. Pure.
import type { Job } from '../api/types';

/** What can be asked of a set, too. */
export type SetAction = 'cancel' | 'requeue' | 'pause' | 'resume' | 'delete';
export type UiAction = SetAction | 'approve' | 'reject' | 'withdraw' | 'undo';

export const ACTION_WORDS: Record<UiAction, { verb: string; past: string; danger: boolean }> = {
  cancel: { verb: 'Cancel', past: 'canceled', danger: true },
  requeue: { verb: 'Requeue', past: 'requeued', danger: false },
  pause: { verb: 'Pause', past: 'paused', danger: false },
  resume: { verb: 'Resume', past: 'resumed', danger: false },
  delete: { verb: 'Delete', past: 'deleted', danger: true },
  approve: { verb: 'Approve', past: 'approved', danger: false },
  reject: { verb: 'Reject', past: 'rejected', danger: true },
  withdraw: { verb: 'Withdraw', past: 'withdrawn', danger: true },
  undo: { verb: 'Undo', past: 'undone', danger: true },
};

export function isAllowed(job: Job, action: UiAction): boolean {
  return job.allowedActions.includes(action);
}

/** Null: it may be done. */
export function whyNot(job: Job, action: UiAction): string | null {
  if (isAllowed(job, action)) return null;
  const hasEnded = job.group === 'processed';
  switch (action) {
    case 'cancel':
      if (hasEnded) return 'The job has ended already.';
      return job.state === 'canceling' ? 'The job is being canceled already.' : 'This job cannot be canceled now.';
    case 'requeue':
      if (hasEnded && job.undoneBy !== null) return 'Another job takes it back, or your role does not allow a requeue.';
      return hasEnded
        ? 'Your role or this kind of job does not allow a requeue.'
        : 'Only an ended job can be requeued.';
    case 'pause':
      if (hasEnded) return 'The job has ended already.';
      return job.state === 'paused'
        ? 'The job is paused already.'
        : 'This job cannot be paused now, or not by your role.';
    case 'resume':
      return job.state === 'paused' ? 'Your role does not allow it.' : 'Only a paused job can be resumed.';
    case 'delete':
      return hasEnded ? 'Your role does not allow it.' : 'Only an ended job can be deleted. Cancel it first.';
    // Shown only where they are allowed.
    case 'approve':
    case 'reject':
    case 'withdraw':
    case 'undo':
      return 'This cannot be done now.';
  }
}
