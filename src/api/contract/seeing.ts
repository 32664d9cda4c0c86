// The endpoints that tell what a job did: its log and its report.
import { z } from 'zod';
import { LOG_LEVELS } from '../../db/queries/logLines';
import { instant, jsonObject, page, runNumber, uuid } from './common';
import { endpoint } from './endpoint';

const params = z.object({ jobId: uuid });
/** This level and those above it: errors are in any log. */
const level = z.enum(LOG_LEVELS).default('debug');
const count = z.int().nonnegative();

export const getJobLog = endpoint({
  method: 'get',
  path: '/jobs/:jobId/log',
  tag: 'jobs',
  summary:
    'The whole log of a job as text, streamed: timeline and lines of each run, then its chunks with their failed rows; `level` and those above it',
  access: 'signedIn',
  params,
  query: z.strictObject({ run: runNumber.optional(), level }),
  contentType: 'text/plain',
});

export const listJobLogLines = endpoint({
  method: 'get',
  path: '/jobs/:jobId/log/lines',
  tag: 'jobs',
  summary:
    'Log lines of a run (the latest if none is named), numbered from 1 on. To follow a log, ask again with `after` = the last number seen',
  access: 'signedIn',
  params,
  query: z.strictObject({
    run: runNumber.optional(),
    level,
    after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(200),
    cursor: z.string().min(1).max(500).optional(),
  }),
  response: page(
    z.object({ seq: z.int().min(1), run: z.int(), at: instant, level: z.enum(LOG_LEVELS), message: z.string() }),
  ),
});

export const SEVERITIES = ['info', 'warning', 'error'] as const;

export const getJobReport = endpoint({
  method: 'get',
  path: '/jobs/:jobId/report',
  tag: 'jobs',
  summary:
    'The result report of a run (the latest if none is named): what its handler returned, and the lines it reported',
  access: 'signedIn',
  params,
  query: z.strictObject({ run: runNumber.optional(), severity: z.enum(SEVERITIES).default('info') }),
  response: z.object({
    run: z.int(),
    /** The object that the handler returned. */
    result: jsonObject.nullable(),
    /** The highest of the lines'. */
    severity: z.enum(SEVERITIES).nullable(),
    /** Of all lines that were reported. */
    counts: z.object({ info: count, warning: count, error: count }),
    /** The first 1,000 lines, in order; of these the ones of the severity asked for and above. */
    entries: z.array(z.object({ severity: z.enum(SEVERITIES), message: z.string(), data: jsonObject.nullable() })),
  }),
});
