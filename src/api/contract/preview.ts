// The endpoints of looking before and taking back: previews, undo, and the files that jobs make.
import { z } from 'zod';
import { jsonObject, uuid } from './common';
import { endpoint } from './endpoint';
import { jobBody, jobDoc } from './jobShapes';

const tag = 'jobs';
const params = z.object({ jobId: uuid });
const count = z.int().nonnegative();
const refusal = z.object({ code: z.string(), message: z.string() });

/** Answers by itself: JSON or a multipart upload, as POST /jobs. */
export const previewJob = endpoint({
  method: 'post',
  path: '/jobs/preview',
  tag,
  summary: 'What a job would do: its first 100 rows are judged, nothing is changed. Takes what POST /jobs takes',
  access: 'signedIn',
  rawBody: { contentTypes: ['application/json', 'multipart/form-data'], parts: { job: 'job', rows: 'file' } },
  response: z.object({
    /** Rows of the whole input; null: not counted, or none are taken. */
    total: count.nullable(),
    judged: count,
    /** By the kind itself (an operation's dry run), by the schema of a row, or by the parameters alone. */
    judgedBy: z.enum(['kind', 'schema', 'params']),
    wouldSucceed: count,
    wouldSkip: count,
    wouldFail: count,
    rows: z.array(
      z.object({
        rowIndex: count,
        /** Null: not known, or made anew. */
        before: jsonObject.nullable(),
        /** Null: not known, or taken away. */
        after: jsonObject.nullable(),
        skipped: z.boolean(),
        refusal: refusal.nullable(),
      }),
    ),
    /** By code, the most frequent first; with one of the messages. */
    refusals: z.array(refusal.extend({ count })),
  }),
});

export const undoJob = endpoint({
  method: 'post',
  path: '/jobs/:jobId/undo',
  tag,
  summary: 'Take an ended job back: a new job puts the earlier values of its rows back. Asked twice: the same job',
  access: 'signedIn',
  params,
  body: z.strictObject({
    notify: jobBody.shape.notify,
    trial: jobBody.shape.trial,
    limits: jobBody.shape.limits,
  }),
  status: 202,
  response: jobDoc,
});

export const getJobFile = endpoint({
  method: 'get',
  path: '/jobs/:jobId/file',
  tag,
  summary: 'The file that a job made, such as an export',
  access: 'signedIn',
  params,
  contentType: '*/*',
});
