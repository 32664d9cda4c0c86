// Waiting and processing time of a job's latest run: fixed by the server once over, ticking until then. Pure.
import type { Job } from '../api/types';

export interface OwnTime {
  ms: number | null;
  since: string | null;
}

export function waitingTime(job: Job): OwnTime {
  if (job.startedAt !== null || job.group === 'processed') return { ms: job.waitMs, since: null };
  return { ms: null, since: job.queuedAt };
}

export function processingTime(job: Job): OwnTime {
  if (job.finishedAt !== null || job.group === 'processed') return { ms: job.processMs, since: null };
  return { ms: null, since: job.startedAt };
}
