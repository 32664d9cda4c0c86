// A job of ours -> Docebo's descriptor. Pure. One table says which of its four states each of ours is.
import type { z } from 'zod';
import { JOB_STATES, type JobState } from '../../jobs/lifecycle';
import type { DOCEBO_STATUSES, doceboJob } from '../contract/compat';
import type { JobDoc } from '../contract/jobShapes';

export type DoceboStatus = (typeof DOCEBO_STATUSES)[number];

/** It has no state for waiting on a person, for a pause or for a failure; `completed` is never more than was reached. */
export const DOCEBO_STATUS: Record<JobState, DoceboStatus> = {
  scheduled: 'queued',
  awaiting_approval: 'queued',
  queued: 'queued',
  running: 'running',
  paused: 'running',
  canceling: 'running',
  succeeded: 'completed',
  completed_with_errors: 'completed',
  failed: 'aborted',
  canceled: 'aborted',
  rejected: 'aborted',
  withdrawn: 'aborted',
  expired: 'aborted',
};

export function statesOf(status: DoceboStatus): JobState[] {
  return JOB_STATES.filter((state) => DOCEBO_STATUS[state] === status);
}

export function presentDoceboJob(job: JobDoc, baseUrl: string): z.infer<typeof doceboJob> {
  const times = [job.createdAt, job.queuedAt, job.startedAt, job.finishedAt].filter((at) => at !== null);
  return {
    hash: job.id,
    name: job.title,
    domain: new URL(baseUrl).hostname,
    author: { id: job.owner.id, name: job.owner.name },
    date_created: job.createdAt,
    last_update: times.sort().at(-1) ?? job.createdAt,
    status: DOCEBO_STATUS[job.state],
    percent: job.progress.percent ?? 0,
    errors: job.errorCount,
    total_records: job.progress.total,
    notify: job.notify.email,
    notify_email: job.notify.to,
    log_file: baseUrl + job.logUrl,
  };
}
