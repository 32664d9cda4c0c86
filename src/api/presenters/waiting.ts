// Why a job does not move, in words for people. Pure: facts in, one sentence out; null when it is at work or has ended.
import { MAX_AHEAD, type WaitFacts, type WorkerFigures } from '../../db/queries/jobSight';
import type { JobState } from '../../jobs/lifecycle';

export interface WaitingJob {
  state: JobState;
  phase: string | null;
  waitingFor: string | null;
  runAt: Date | null;
  wakeAt: Date | null;
  note: string | null;
  trial: number | null;
  quorum: number | null;
  approvedBy: string[];
  approvers: string[] | null;
  requestExpiresAt: Date | null;
  failed: number;
  /** Rows are dealt with in chunks. */
  hasRows: boolean;
}

export interface WaitingFacts {
  wait: WaitFacts;
  workers: WorkerFigures;
  now: Date;
}

export function waitingText(job: WaitingJob, facts: WaitingFacts): string | null {
  switch (job.state) {
    case 'scheduled':
      return job.runAt === null ? 'Waits for its time.' : `Scheduled for ${moment(job.runAt)}.`;
    case 'awaiting_approval':
      return approvalText(job);
    case 'queued':
      return queuedText(job, facts);
    case 'paused':
      return pausedText(job, facts.wait);
    case 'canceling':
      return 'Waits for its work in hand to stop.';
    case 'running':
      return job.phase === 'pausing'
        ? `${pausedText(job, facts.wait)} Its chunks in hand are still ending.`
        : runningText(job, facts);
    default:
      return null;
  }
}

function approvalText(job: WaitingJob): string {
  const left = Math.max(1, (job.quorum ?? 1) - job.approvedBy.length);
  const many = left === 1 ? 'one approval' : `${left} approvals`;
  const by = job.approvers === null ? 'a superadmin' : job.approvers.join(' or ');
  const until = job.requestExpiresAt === null ? '' : `, until ${moment(job.requestExpiresAt)}`;
  return `Waits for ${many} by ${by}${until}.`;
}

function queuedText(job: WaitingJob, { wait, workers, now }: WaitingFacts): string {
  if (wait.dueAt !== null && wait.dueAt > now) {
    const why = job.note === null ? '' : `: ${job.note}`;
    return `Is tried again in ${seconds(wait.dueAt, now)}${why}`;
  }
  if (workers.live === 0) return noWorker(workers);
  const ahead = wait.ahead > MAX_AHEAD ? `more than ${MAX_AHEAD}` : String(wait.ahead);
  const behind =
    wait.ahead === 0 ? 'Next in turn' : `Queued behind ${ahead} other ${wait.ahead === 1 ? 'job' : 'jobs'}`;
  if (workers.busy >= workers.slots) return `${behind}; all ${workers.slots} slots of the workers are busy.`;
  return `${behind}.`;
}

function runningText(job: WaitingJob, facts: WaitingFacts): string | null {
  const { wait, workers, now } = facts;
  if (!job.hasRows) {
    if (job.waitingFor !== null) {
      const until = job.wakeAt === null ? '' : `, until ${moment(job.wakeAt)} at most`;
      return `Waits for ${processWait(job.waitingFor)}${until}.`;
    }
    if (wait.dueAt !== null && wait.dueAt > now) return queuedText(job, facts);
    return workers.live === 0 ? noWorker(workers) : null;
  }
  if (wait.hasChunkInHand && workers.live > 0) return null;
  if (wait.chunkDueAt !== null && wait.chunkDueAt > now) {
    const again = seconds(wait.chunkDueAt, now);
    return wait.chunkError === null
      ? `Held to the rate of its kind; goes on in ${again}.`
      : `Its next rows are tried again in ${again}: ${wait.chunkError}`;
  }
  if (workers.live === 0) return noWorker(workers);
  return workers.busy >= workers.slots ? `All ${workers.slots} slots of the workers are busy.` : null;
}

function processWait(waitingFor: string): string {
  const agent = /^agent (.+)$/.exec(waitingFor)?.[1];
  return agent === undefined ? `the ${waitingFor.replace(/^the /, '')}` : `agent ${agent}, which is not connected`;
}

function pausedText(job: WaitingJob, wait: WaitFacts): string {
  if (job.waitingFor === 'trial')
    return `Its trial of ${job.trial ?? 'some'} rows is done. Look at the outcome, then resume or cancel it.`;
  if (job.waitingFor === 'limit')
    return `${job.failed} rows have failed, more than its limit allows. Look at the errors, then resume or cancel it.`;
  return wait.pausedBy === null ? 'Paused.' : `Paused by ${wait.pausedBy}.`;
}

function noWorker({ lastSeenAt }: WorkerFigures): string {
  return lastSeenAt === null
    ? 'No worker has ever connected. Start one: npx gantry worker.'
    : `No worker is connected since ${moment(lastSeenAt)}. Start one: npx gantry worker.`;
}

function moment(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function seconds(until: Date, now: Date): string {
  return `${Math.max(1, Math.ceil((until.getTime() - now.getTime()) / 1000))} s`;
}
