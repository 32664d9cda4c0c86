// The endpoints of commands on sets of jobs.
import { z } from 'zod';
import { BULK_ACTIONS } from '../../jobs/bulk/judgeJob';
import { instant, page, paging, uuid } from './common';
import { endpoint, LIST_READERS } from './endpoint';
import { jobFilterQuery } from '../../jobs/jobFilter';
import { jobState } from './jobShapes';

const tag = 'jobs';
const params = z.object({ bulkId: uuid });
const count = z.int().nonnegative();
const counts = z.record(z.string(), count);
const MAX_IDS = 10_000;

export const bulkDoc = z.object({
  id: uuid,
  action: z.enum(BULK_ACTIONS),
  state: z.enum(['waiting', 'running', 'done', 'aborted']),
  /** Jobs of the frozen set; done of them: succeeded, skipped or failed. */
  total: count,
  done: count,
  succeeded: count,
  skipped: count,
  failed: count,
  /** How many were skipped for each reason. */
  skippedBy: counts,
  only: z.enum(['failed', 'unfinished']).nullable(),
  code: z.string().nullable(),
  priority: z.int().nullable(),
  reason: z.string().nullable(),
  /** The filter as it was sent, or the number of ids. */
  selection: z.record(z.string(), z.unknown()),
  createdAt: instant,
  /** Nothing is done before; until then an abort leaves everything as it is. */
  startsAt: instant,
  finishedAt: instant.nullable(),
  createdBy: z.object({ id: uuid, name: z.string(), email: z.string() }),
  /** Why it was aborted, when nobody asked for that. */
  abortedBecause: z.string().nullable(),
  allowedActions: z.array(z.enum(['abort'])),
});

export const bulkPreviewDoc = z.object({
  dryRun: z.literal(true),
  action: z.enum(BULK_ACTIONS),
  /** Send it back as `expected`. */
  total: count,
  matched: count,
  byState: counts,
  skipped: count,
  skippedBy: counts,
});

const body = z.strictObject({
  action: z.enum(BULK_ACTIONS),
  ids: z.array(uuid).min(1).max(MAX_IDS).optional(),
  filter: z.strictObject(jobFilterQuery).optional(),
  all: z.literal(true).optional(),
  dryRun: z.boolean().default(false),
  expected: count.optional(),
  only: z.enum(['failed', 'unfinished']).optional(),
  code: z.string().min(1).max(200).optional(),
  priority: z.int().min(-100).max(100).optional(),
  reason: z.string().max(2000).optional(),
});
export type BulkBody = z.infer<typeof body>;

export const createBulkAction = endpoint({
  method: 'post',
  path: '/bulk-actions',
  tag,
  summary:
    'Act on a set of jobs, by ids or by filter, frozen now. `dryRun` answers what it would come to, and changes nothing. ' +
    'A requeue by filter, and a cancel by owner, kind or `all`, want `expected`: the total of the dry run',
  access: LIST_READERS,
  body,
  headers: ['Idempotency-Key'],
  status: 202,
  response: bulkDoc,
  also: { status: 200, description: 'What it would come to (`dryRun`)', response: bulkPreviewDoc },
});

export const listBulkActions = endpoint({
  method: 'get',
  path: '/bulk-actions',
  tag,
  summary: 'Commands on sets, newest first; power users get their own',
  access: LIST_READERS,
  query: z.strictObject(paging),
  response: page(bulkDoc),
});

export const getBulkAction = endpoint({
  method: 'get',
  path: '/bulk-actions/:bulkId',
  tag,
  summary: 'How far a command on a set is',
  access: LIST_READERS,
  params,
  response: bulkDoc,
});

export const listBulkResults = endpoint({
  method: 'get',
  path: '/bulk-actions/:bulkId/results',
  tag,
  summary: 'What became of each job of the set, and why',
  access: LIST_READERS,
  params,
  query: z.strictObject({ ...paging, result: z.enum(['waiting', 'succeeded', 'skipped', 'failed']).optional() }),
  response: page(
    z.object({
      jobId: uuid,
      /** Null for an id that named no job of the asker's. */
      title: z.string().nullable(),
      seenState: jobState.nullable(),
      /** waiting: not done yet, or left out by an abort. */
      result: z.enum(['waiting', 'succeeded', 'skipped', 'failed']),
      code: z.string().nullable(),
      why: z.string().nullable(),
    }),
  ),
});

export const abortBulkAction = endpoint({
  method: 'post',
  path: '/bulk-actions/:bulkId/abort',
  tag,
  summary: 'Stop what has not been done yet',
  access: LIST_READERS,
  params,
  body: z.strictObject({}),
  response: bulkDoc,
});
