// The endpoint of a job's attempts: who worked on it, when, and how that ended.
import { z } from 'zod';
import { instant, page, paging, runNumber, uuid } from './common';
import { endpoint } from './endpoint';

export const ATTEMPT_ENDS = [
  'succeeded',
  'completed_with_errors',
  'failed',
  'canceled',
  'timed_out',
  'retry_later',
  'handed_back',
  'worker_lost',
  'process_lost',
  'waiting',
] as const;

export const attemptDoc = z.object({
  run: z.int(),
  /** Counted from 1 within the run. */
  attempt: z.int(),
  workerId: uuid,
  host: z.string(),
  startedAt: instant,
  endedAt: instant.nullable(),
  /** Null while it works. worker_lost: its worker fell silent. process_lost: the process that it ran alone in died. */
  ended: z.enum(ATTEMPT_ENDS).nullable(),
  error: z.object({ code: z.string().nullable(), message: z.string() }).nullable(),
});

export const listJobAttempts = endpoint({
  method: 'get',
  path: '/jobs/:jobId/attempts',
  tag: 'jobs',
  summary: 'Who worked on a job, oldest first: one entry a claim; for jobs with rows one for each run and worker',
  access: 'signedIn',
  params: z.object({ jobId: uuid }),
  query: z.strictObject({ ...paging, run: runNumber.optional() }),
  response: page(attemptDoc),
});
