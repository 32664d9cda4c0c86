// The endpoints of the audit.
import { z } from 'zod';
import { instant, page, paging, uuid } from './common';
import { endpoint, SUPERADMIN } from './endpoint';
import { isTimeZone } from '../../lib/relativeTime';

export const listAudit = endpoint({
  method: 'get',
  path: '/audit',
  tag: 'system',
  summary: 'Who did what, and what was denied to whom, newest first',
  access: SUPERADMIN,
  query: z.strictObject({
    ...paging,
    actorId: uuid.optional(),
    /** Id or e-mail. */
    actor: z.string().min(1).max(320).optional(),
    action: z.string().max(100).optional(),
    subjectType: z.string().max(50).optional(),
    subjectId: z.string().max(300).optional(),
    requestId: uuid.optional(),
    since: z.string().max(60).optional(),
    until: z.string().max(60).optional(),
    timeZone: z.string().max(60).refine(isTimeZone, 'takes an IANA time zone such as Europe/Berlin').optional(),
  }),
  response: page(
    z.object({
      id: z.int(),
      at: instant,
      actor: z.object({ id: z.string().nullable(), name: z.string() }),
      action: z.string(),
      subjectType: z.string(),
      subjectId: z.string(),
      before: z.unknown(),
      after: z.unknown(),
      reason: z.string().nullable(),
      requestId: z.string().nullable(),
      /** The job whose work did it. */
      jobId: uuid.nullable(),
    }),
  ),
});

export const verifyAudit = endpoint({
  method: 'get',
  path: '/audit/verify',
  tag: 'system',
  summary:
    'Whether audit rows were changed, removed or slipped in, by their hash chain; go on with `after` = `last.id`',
  access: SUPERADMIN,
  query: z.strictObject({
    after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
    limit: z.coerce.number().int().min(1).max(20_000).default(20_000),
  }),
  response: z.object({
    ok: z.boolean(),
    checked: z.int(),
    faults: z.array(z.object({ id: z.int(), what: z.enum(['changed', 'removed', 'slipped_in']) })),
    last: z.object({ id: z.int(), hash: z.string() }).nullable(),
    more: z.boolean(),
  }),
});
