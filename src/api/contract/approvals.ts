// The endpoints of approvals: the decisions, what a request asks for, what waits for the caller, and the link in the mail.
import { z } from 'zod';
import { instant, page, paging, runNumber, uuid } from './common';
import { endpoint } from './endpoint';
import { jobDoc, jobState } from './jobShapes';

const tag = 'jobs';
const params = z.object({ jobId: uuid });
const reason = z.string().max(2000);
/** The hash that was looked at: another request is not decided by it. */
const requestHash = z.string().regex(/^[0-9a-fA-F]{64}$/, 'takes the 64 hex characters of the request');

export const approveJob = endpoint({
  method: 'post',
  path: '/jobs/:jobId/approve',
  tag,
  summary:
    'Approve a job that waits for it; the last approval of the quorum lets it run. Nobody approves an own request',
  access: 'signedIn',
  params,
  body: z.strictObject({ reason: reason.optional(), requestHash: requestHash.optional() }),
  response: jobDoc,
});
export const rejectJob = endpoint({
  method: 'post',
  path: '/jobs/:jobId/reject',
  tag,
  summary: 'End a job that waits for approval, and say why',
  access: 'signedIn',
  params,
  body: z.strictObject({ reason: reason.trim().min(1, 'say why you reject it'), requestHash: requestHash.optional() }),
  response: jobDoc,
});
export const withdrawJob = endpoint({
  method: 'post',
  path: '/jobs/:jobId/withdraw',
  tag,
  summary: 'Take back an own request that nobody has decided yet',
  access: 'signedIn',
  params,
  body: z.strictObject({ reason: reason.optional() }),
  response: jobDoc,
});

export const approvalDoc = z.object({
  jobId: uuid,
  run: z.int().min(1),
  /** open: decisions are still taken, until it expires. canceled: the job ended before it was decided. */
  state: z.enum(['open', 'approved', 'rejected', 'withdrawn', 'expired', 'canceled']),
  jobState,
  requester: z.object({ id: uuid, name: z.string() }),
  requestedAt: instant,
  expiresAt: instant,
  quorum: z.int().min(1),
  /** Null: every superadmin. */
  approvers: z.array(z.string()).nullable(),
  /** SHA-256 over the canonical JSON of { kind, title, params, rowTotal, rowsSha256 }, where `params` is paramsText. */
  requestHash: z.string(),
  kind: z.string(),
  title: z.string(),
  params: z.unknown(),
  /** The parameters as they were sent, byte for byte. */
  paramsText: z.string(),
  rows: z
    .object({
      /** Of the whole input. */
      total: z.int(),
      sha256: z.string().nullable(),
      /** Those that this run would deal with. */
      ofRun: z.int(),
      first: z.array(z.object({ rowIndex: z.int(), row: z.unknown() })),
    })
    .nullable(),
  decisions: z.array(
    z.object({
      user: z.object({ id: uuid, name: z.string() }),
      decision: z.enum(['approved', 'rejected', 'withdrawn']),
      reason: z.string().nullable(),
      byLink: z.boolean(),
      at: instant,
    }),
  ),
});
export type ApprovalDoc = z.infer<typeof approvalDoc>;

export const getApproval = endpoint({
  method: 'get',
  path: '/jobs/:jobId/approval',
  tag,
  summary:
    'What a run asks approval for: the frozen payload with its hash and first rows, the rules, the decisions so far',
  access: 'signedIn',
  params,
  query: z.strictObject({ run: runNumber.optional() }),
  response: approvalDoc,
});

export const listApprovals = endpoint({
  method: 'get',
  path: '/approvals',
  tag,
  summary: 'Jobs that wait for a decision of the caller, newest first',
  access: 'signedIn',
  query: z.strictObject(paging),
  response: page(jobDoc),
});

const link = z.object({ token: z.string().min(1).max(300) });

/** A page without script: mail scanners follow links, so opening it decides nothing. */
export const openApprovalLink = endpoint({
  method: 'get',
  path: '/approvals/link/:token',
  tag,
  summary: 'The page behind the link in a mail that asks for approval; opening it decides nothing',
  access: 'anonymous',
  params: link,
  contentType: 'text/html',
});
export const decideByLink = endpoint({
  method: 'post',
  path: '/approvals/link/:token',
  tag,
  summary:
    'The form of that page: `decision` (approve or reject) and `reason`, decided in the name of whom the mail went to',
  access: 'anonymous',
  params: link,
  rawBody: { contentTypes: ['application/x-www-form-urlencoded'], parts: { decision: 'text', reason: 'text' } },
  contentType: 'text/html',
});
export const linkForm = z.strictObject({
  decision: z.enum(['approve', 'reject']),
  reason: reason.default(''),
});
