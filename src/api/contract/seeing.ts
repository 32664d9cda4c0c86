// The endpoints that tell what a job did: its log and its report.
import { z } from 'zod';
import { LOG_LEVELS } from '../../db/queries/logLines';
import { instant, jsonObject, page, runNumber, uuid } from './common';
import { endpoint, SUPERADMIN } from './endpoint';

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

const flow = z.object({ inPerMinute: z.number(), outPerMinute: z.number() });

export const getQueueFigures = endpoint({
  method: 'get',
  path: '/queue-figures',
  tag: 'system',
  summary: 'How deep and how old the queue is, how fast it moves, and who works on it',
  access: SUPERADMIN,
  response: z.object({
    at: instant,
    /** Jobs that have not ended. */
    depths: z.array(z.object({ state: z.string(), kind: z.string(), count })),
    oldest: z.object({ jobId: uuid, queuedAt: instant, ageMs: z.number() }).nullable(),
    /** Runs made and runs ended, on average over so many minutes. */
    rates: z.object({ last5Minutes: flow, last60Minutes: flow }),
    workers: z.object({ connected: count, slots: count, busy: count, stuck: count, lastSeenAt: instant.nullable() }),
    /** Runs that wait to be sent, messages that wait in the queue, and messages in hand. */
    messages: z.object({ due: count, waiting: count, active: count }),
    notices: z.array(z.object({ state: z.string(), count })),
  }),
});

export const listStatistics = endpoint({
  method: 'get',
  path: '/statistics',
  tag: 'system',
  summary:
    'Counters a kind and minute, hour or day, for charts; minutes are kept for two days, hours for ninety. `since` and `until` as in job lists',
  access: SUPERADMIN,
  query: z.strictObject({
    since: z.string().max(60).default('-24h'),
    until: z.string().max(60).default('0'),
    step: z.enum(['minute', 'hour', 'day']).default('hour'),
    kind: z.string().min(1).max(200).optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(200),
    cursor: z.string().min(1).max(500).optional(),
  }),
  response: page(
    z.object({
      at: instant,
      kind: z.string(),
      created: count,
      started: count,
      ended: z.object({
        succeeded: count,
        completed_with_errors: count,
        failed: count,
        canceled: count,
        rejected: count,
        withdrawn: count,
        expired: count,
      }),
      rows: z.object({ good: count, failed: count }),
      /** Summed over the runs that started, and that ended. */
      waitMs: count,
      processMs: count,
    }),
  ),
});
