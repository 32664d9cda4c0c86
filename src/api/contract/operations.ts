// The endpoints of operations: mass actions without code.
import { z } from 'zod';
import { approvalRules } from '../../jobs/approvals/rules';
import { faultOfSchema } from '../../jobs/massActions/jsonSchema';
import { instant, jsonObject, page, paging } from './common';
import { endpoint, SUPERADMIN } from './endpoint';

const role = z.enum(['user', 'power_user', 'superadmin']);
const schema = jsonObject.superRefine((value, context) => {
  const fault = faultOfSchema(value);
  if (fault) context.addIssue({ code: 'custom', message: fault });
});
const retry = z.strictObject({
  attempts: z.int().min(1).max(100).optional(),
  minDelayMs: z.int().min(1).max(3_600_000).optional(),
  maxDelayMs: z.int().min(1).max(86_400_000).optional(),
});
const menu = z.union([
  z
    .string()
    .min(1)
    .max(200)
    .transform((text) => text.split('/').map((part) => part.trim())),
  z.array(z.string().min(1).max(100)).min(1).max(5),
]);

const fields = {
  title: z.string().trim().min(1).max(200),
  menu,
  endpoint: z.url({ protocol: /^https?$/ }).max(2000),
  supportsDryRun: z.boolean(),
  supportsUndo: z.boolean(),
  adaptive: z.boolean(),
  needsApproval: z.boolean(),
  /** Null: one superadmin, within seven days. */
  approval: approvalRules.nullable(),
  secret: z.string().min(8).max(500).nullable(),
  chunkSize: z.int().min(1).max(1000),
  concurrency: z.int().min(1).max(100),
  ratePerSecond: z.number().positive().max(1_000_000).nullable(),
  timeoutMs: z.int().min(100).max(600_000),
  retry,
  paramsSchema: schema.nullable(),
  rowSchema: schema.nullable(),
  roles: z.array(role).min(1),
};

export const operationKey = z
  .string()
  .regex(/^[a-z][a-z0-9_.-]{0,99}$/, 'takes a small letter, then letters, digits, `_`, `.`, `-`');

/** The list is sorted by key. */
export const operationCursor = z.tuple([operationKey]);

export const operationDoc = z.object({
  key: z.string(),
  kind: z.string(),
  title: z.string(),
  menu: z.array(z.string()),
  endpoint: z.string(),
  supportsDryRun: z.boolean(),
  /** Its endpoint answers `before` for each row, and takes `undo: true` with it later. */
  supportsUndo: z.boolean(),
  /** Chunks of new runs are sized by how long earlier rows took, up to chunkSize. */
  adaptive: z.boolean(),
  needsApproval: z.boolean(),
  /** Null: one superadmin, within seven days. */
  approval: z
    .object({ quorum: z.int(), approvers: z.array(z.string()).nullable(), expiresAfterMs: z.int() })
    .nullable(),
  /** Whether calls are signed; the secret itself is never shown again. */
  hasSecret: z.boolean(),
  chunkSize: z.int(),
  concurrency: z.int(),
  ratePerSecond: z.number().nullable(),
  timeoutMs: z.int(),
  retry: z.object({ attempts: z.int(), minDelayMs: z.int(), maxDelayMs: z.int() }),
  paramsSchema: z.unknown(),
  rowSchema: z.unknown(),
  roles: z.array(role),
  createdAt: instant,
  updatedAt: instant,
  version: z.int(),
});

const params = z.object({ key: operationKey });
const tag = 'operations';

export const listOperations = endpoint({
  method: 'get',
  path: '/operations',
  tag,
  summary: 'Operations by key',
  access: SUPERADMIN,
  query: z.strictObject(paging),
  response: page(operationDoc),
});
export const createOperation = endpoint({
  method: 'post',
  path: '/operations',
  tag,
  summary: 'Make the job kind operation.<key>: each chunk of rows is one signed POST to the endpoint',
  access: SUPERADMIN,
  body: z.strictObject({
    key: operationKey,
    ...fields,
    menu: menu.optional(),
    supportsDryRun: z.boolean().default(false),
    supportsUndo: z.boolean().default(false),
    adaptive: z.boolean().default(false),
    needsApproval: z.boolean().default(false),
    approval: fields.approval.optional(),
    secret: fields.secret.optional(),
    chunkSize: fields.chunkSize.default(100),
    concurrency: fields.concurrency.default(2),
    ratePerSecond: fields.ratePerSecond.optional(),
    timeoutMs: fields.timeoutMs.default(30_000),
    retry: retry.default({}),
    paramsSchema: fields.paramsSchema.optional(),
    rowSchema: fields.rowSchema.optional(),
    roles: fields.roles.default(['superadmin']),
  }),
  status: 201,
  response: operationDoc,
});
export const getOperation = endpoint({
  method: 'get',
  path: '/operations/:key',
  tag,
  summary: 'One operation',
  access: SUPERADMIN,
  params,
  response: operationDoc,
});
export const changeOperation = endpoint({
  method: 'patch',
  path: '/operations/:key',
  tag,
  summary: 'Change an operation; If-Match takes the version',
  access: SUPERADMIN,
  params,
  headers: ['If-Match'],
  body: z.strictObject(fields).partial(),
  response: operationDoc,
});
export const deleteOperation = endpoint({
  method: 'delete',
  path: '/operations/:key',
  tag,
  summary: 'Delete an operation that no job needs any more',
  access: SUPERADMIN,
  params,
  status: 204,
});
