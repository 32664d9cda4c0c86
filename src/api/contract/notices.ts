// The endpoints of notices: what became of each, addresses that are not written to any more, and what is wrong with the installation.
import { z } from 'zod';
import { instant, page, paging, uuid } from './common';
import { endpoint, SUPERADMIN } from './endpoint';

const noticeState = z.enum(['due', 'sending', 'sent', 'failed', 'unknown']);

const noticeDoc = z.object({
  id: uuid,
  kind: z.string(),
  /** Null: it is about no single job. */
  jobId: uuid.nullable(),
  run: z.int().nullable(),
  recipient: z.string(),
  /** `unknown`: the link was lost twice when the mail may have been taken. */
  state: noticeState,
  /** Waits for the next digest. */
  held: z.boolean(),
  /** The digest that told of it; state, attempts and errors are then the digest's. */
  digestId: uuid.nullable(),
  attempts: z.int(),
  createdAt: instant,
  nextAttemptAt: instant.nullable(),
  sentAt: instant.nullable(),
  /** Of the last try that was not delivered: `temporary` is tried again, `suppressed` was not tried. */
  failure: z.enum(['temporary', 'permanent', 'suppressed']).nullable(),
  lastError: z.string().nullable(),
  /** The same on every try. */
  messageId: z.string(),
});
export type NoticeDoc = z.infer<typeof noticeDoc>;

export const listJobNotices = endpoint({
  method: 'get',
  path: '/jobs/:jobId/notices',
  tag: 'jobs',
  summary: 'The notices of a job and what became of them, oldest first',
  access: 'signedIn',
  params: z.object({ jobId: uuid }),
  query: z.strictObject(paging),
  response: page(noticeDoc),
});

export const listNotices = endpoint({
  method: 'get',
  path: '/notices',
  tag: 'notices',
  summary: 'All notices, newest first',
  access: SUPERADMIN,
  query: z.strictObject({ ...paging, state: noticeState.optional() }),
  response: page(noticeDoc),
});

export const retryNotice = endpoint({
  method: 'post',
  path: '/notices/:noticeId/retry',
  tag: 'notices',
  summary: 'Try a notice again now that failed, whose delivery is unknown, or that waits for its next try',
  access: SUPERADMIN,
  params: z.object({ noticeId: uuid }),
  body: z.strictObject({}),
  response: noticeDoc,
});

export const listSuppressions = endpoint({
  method: 'get',
  path: '/mail-suppressions',
  tag: 'notices',
  summary: 'Addresses that a mail server refused for good; nothing is sent to them',
  access: SUPERADMIN,
  query: z.strictObject(paging),
  response: page(z.object({ address: z.string(), reason: z.string(), since: instant })),
});

export const liftSuppression = endpoint({
  method: 'delete',
  path: '/mail-suppressions/:address',
  tag: 'notices',
  summary: 'Write to an address again',
  access: SUPERADMIN,
  params: z.object({ address: z.string().min(3).max(320) }),
  status: 204,
});

export const listAlerts = endpoint({
  method: 'get',
  path: '/alerts',
  tag: 'notices',
  summary: 'What is wrong with the installation and what was, newest first, in words of the caller’s language',
  access: SUPERADMIN,
  query: z.strictObject({ ...paging, state: z.enum(['open', 'over']).optional() }),
  response: page(
    z.object({
      id: uuid,
      kind: z.string(),
      state: z.enum(['open', 'over']),
      title: z.string(),
      message: z.string(),
      figures: z.record(z.string(), z.unknown()),
      openedAt: instant,
      closedAt: instant.nullable(),
    }),
  ),
});
