// The endpoints of resubmitting a job with changes, and of what was changed.
import { z } from 'zod';
import { uuid } from './common';
import { endpoint } from './endpoint';
import { jobBody, jobDoc } from './jobShapes';

const tag = 'jobs';
const params = z.object({ jobId: uuid });

const { title, notify, priority, runAt, trial, limits, params: jobParams } = jobBody.shape;

export const resubmitBody = z.strictObject({
  title,
  /** Left out: those of the old job, byte for byte. */
  params: jobParams,
  /** Only: the rows that failed last, or all that have not succeeded; numbered from 0 anew. */
  rows: z.enum(['same', 'failed', 'unfinished']).optional(),
  notify,
  priority,
  runAt,
  /** Null: none. */
  trial: trial.nullable(),
  limits: limits.nullable(),
});

/** Reads its body by itself, for parameters are kept byte for byte. 202 with Location. */
export const resubmitJob = endpoint({
  method: 'post',
  path: '/jobs/:jobId/resubmit',
  tag,
  summary: 'Make a new job from this one, with what is to be different; the caller becomes its owner',
  access: 'signedIn',
  params,
  rawBody: { contentTypes: ['application/json'], parts: {}, json: resubmitBody },
  headers: ['Idempotency-Key'],
  status: 202,
  response: jobDoc,
});

const value = z.unknown();
const side = z.object({ total: z.int().nullable(), sha256: z.string().nullable() });

export const getJobDifference = endpoint({
  method: 'get',
  path: '/jobs/:jobId/difference',
  tag,
  summary: 'What differs from the job that this one derives from',
  access: 'signedIn',
  params,
  response: z.object({
    jobId: uuid,
    /** Null: it derives from no other, and nothing differs. */
    derivedFrom: uuid.nullable(),
    /** By path; a member without `before` is new, one without `after` is gone. The first 1,000. */
    params: z.array(z.object({ path: z.string(), before: value.optional(), after: value.optional() })),
    moreParams: z.boolean(),
    rows: z.object({ isSame: z.boolean(), before: side, after: side }),
    settings: z.array(z.object({ path: z.string(), before: value, after: value })),
  }),
});
