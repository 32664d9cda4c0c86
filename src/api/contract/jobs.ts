// The endpoints of jobs.
import { z } from 'zod';
import { page, paging, runNumber, uuid } from './common';
import { endpoint, LIST_READERS, SUPERADMIN } from './endpoint';
import { jobFilterQuery, SORTS } from '../../jobs/jobFilter';
import {
  errorGroupDoc,
  eventDoc,
  jobBody,
  jobDoc,
  notifyChange,
  prioritizeBody,
  reasonBody,
  requeueBody,
  rowErrorDoc,
  runDoc,
} from './jobShapes';

const tag = 'jobs';
const params = z.object({ jobId: uuid });
const ofRun = { run: runNumber.optional() };
const errorCode = z.string().max(200).optional();

export const listJobs = endpoint({
  method: 'get',
  path: '/jobs',
  tag,
  summary: 'Jobs, newest first; users and power users get their own',
  access: 'signedIn',
  query: z.strictObject({ ...jobFilterQuery, sort: z.enum(SORTS).default('-createdAt'), ...paging }),
  response: page(jobDoc),
});

export const countJobs = endpoint({
  method: 'get',
  path: '/jobs/counts',
  tag,
  summary: 'How many jobs are in each state, counted up to 10,000',
  access: 'signedIn',
  query: z.strictObject(jobFilterQuery),
  response: z.object({ counts: z.record(z.string(), z.object({ count: z.int(), more: z.boolean() })) }),
});

/** Answers by itself: JSON or a streamed multipart upload, 202 with Location. */
export const startJob = endpoint({
  method: 'post',
  path: '/jobs',
  tag,
  summary:
    'Start a job. JSON with rows inside, or multipart with a part `job` (JSON) and then a part `rows` (text/csv or application/x-ndjson)',
  access: 'signedIn',
  rawBody: { contentTypes: ['application/json', 'multipart/form-data'], parts: { job: 'job', rows: 'file' } },
  headers: ['Idempotency-Key'],
  status: 202,
  response: jobDoc,
});
export const startJobBody = jobBody;

export const getJob = endpoint({
  method: 'get',
  path: '/jobs/:jobId',
  tag,
  summary: 'One job',
  access: 'signedIn',
  params,
  response: jobDoc,
});
export const listJobEvents = endpoint({
  method: 'get',
  path: '/jobs/:jobId/events',
  tag,
  summary: 'The timeline of a job, oldest first',
  access: 'signedIn',
  params,
  query: z.strictObject(paging),
  response: page(eventDoc),
});
export const listJobRuns = endpoint({
  method: 'get',
  path: '/jobs/:jobId/runs',
  tag,
  summary: 'The runs of a job with the counts of each, newest first',
  access: 'signedIn',
  params,
  query: z.strictObject(paging),
  response: page(runDoc),
});
export const listJobErrors = endpoint({
  method: 'get',
  path: '/jobs/:jobId/errors',
  tag,
  summary: 'The failed rows of a run, by row index',
  access: 'signedIn',
  params,
  query: z.strictObject({ ...paging, ...ofRun, code: errorCode }),
  response: page(rowErrorDoc),
});
export const listJobErrorGroups = endpoint({
  method: 'get',
  path: '/jobs/:jobId/errors/groups',
  tag,
  summary: 'The failed rows of a run, grouped by cause',
  access: 'signedIn',
  params,
  query: z.strictObject(ofRun),
  response: page(errorGroupDoc),
});
export const getErrorsCsv = endpoint({
  method: 'get',
  path: '/jobs/:jobId/errors.csv',
  tag,
  summary: 'The failed rows as a CSV file that may be mended and sent again',
  access: 'signedIn',
  params,
  query: z.strictObject({ ...ofRun, code: errorCode }),
  contentType: 'text/csv',
});
export const getErrorsNdjson = endpoint({
  method: 'get',
  path: '/jobs/:jobId/errors.ndjson',
  tag,
  summary: 'The failed rows as NDJSON',
  access: 'signedIn',
  params,
  query: z.strictObject({ ...ofRun, code: errorCode }),
  contentType: 'application/x-ndjson',
});
export const changeNotify = endpoint({
  method: 'patch',
  path: '/jobs/:jobId',
  tag,
  summary: 'Switch the notice of a job',
  access: 'signedIn',
  params,
  body: notifyChange,
  response: jobDoc,
});
export const cancelJob = endpoint({
  method: 'post',
  path: '/jobs/:jobId/cancel',
  tag,
  summary: 'Stop a job; what was done stays done',
  access: 'signedIn',
  params,
  body: reasonBody,
  response: jobDoc,
});
export const requeueJob = endpoint({
  method: 'post',
  path: '/jobs/:jobId/requeue',
  tag,
  summary: 'Run an ended job again, whole or what has not succeeded',
  access: SUPERADMIN,
  params,
  body: requeueBody,
  response: jobDoc,
});
export const pauseJob = endpoint({
  method: 'post',
  path: '/jobs/:jobId/pause',
  tag,
  summary: 'Rest between two chunks',
  access: SUPERADMIN,
  params,
  body: z.strictObject({}),
  response: jobDoc,
});
export const resumeJob = endpoint({
  method: 'post',
  path: '/jobs/:jobId/resume',
  tag,
  summary: 'Go on after a pause, a trial or a limit',
  access: 'signedIn',
  params,
  body: z.strictObject({}),
  response: jobDoc,
});
export const prioritizeJob = endpoint({
  method: 'post',
  path: '/jobs/:jobId/prioritize',
  tag,
  summary: 'Change the priority, or make it the next to start',
  access: SUPERADMIN,
  params,
  body: prioritizeBody,
  response: jobDoc,
});
export const deleteJob = endpoint({
  method: 'delete',
  path: '/jobs/:jobId',
  tag,
  summary: 'Remove an ended job with its rows, log and report',
  access: LIST_READERS,
  params,
  status: 204,
});

export const exportJobs = endpoint({
  method: 'get',
  path: '/export/jobs.csv',
  tag,
  summary: 'The filtered list as CSV, formulas neutralised',
  access: 'signedIn',
  query: z.strictObject(jobFilterQuery),
  contentType: 'text/csv',
});

export const listJobKinds = endpoint({
  method: 'get',
  path: '/job-kinds',
  tag,
  summary: 'The kinds of job that the caller may start',
  access: 'signedIn',
  query: z.strictObject(paging),
  response: page(
    z.object({
      kind: z.string(),
      title: z.string(),
      menu: z.array(z.string()),
      shape: z.enum(['job', 'massAction', 'process']),
      takesRows: z.boolean(),
      paramsSchema: z.unknown(),
      rowSchema: z.unknown(),
      policy: z.object({
        cancelable: z.boolean(),
        requeueable: z.boolean(),
        restartable: z.boolean(),
        needsApproval: z.boolean(),
        isolated: z.boolean(),
        timeoutMs: z.int().nullable(),
        durationTolerancePercent: z.number(),
        retentionDays: z.number().nullable(),
        undoable: z.boolean(),
      }),
    }),
  ),
});
