// Docebo's job API of 2017, read only, at the root of the server (domain.md D3).
import { z } from 'zod';
import { instant, uuid } from './common';
import { endpoint } from './endpoint';

export const DOCEBO_STATUSES = ['queued', 'running', 'aborted', 'completed'] as const;

export const doceboJob = z.object({
  hash: uuid,
  name: z.string(),
  domain: z.string(),
  author: z.object({ id: uuid, name: z.string() }),
  date_created: instant,
  last_update: instant,
  status: z.enum(DOCEBO_STATUSES),
  percent: z.int().min(0).max(100),
  /** Failed rows so far. */
  errors: z.int(),
  /** Null for work without rows. */
  total_records: z.int().nullable(),
  notify: z.boolean(),
  notify_email: z.string(),
  log_file: z.string(),
});

/** What lies further back is found by the filters of GET /api/v1/jobs. */
const MAX_DEPTH = 10_000;

export const listDoceboJobs = endpoint({
  method: 'get',
  path: '/manage/v1/job',
  root: true,
  tag: 'compatibility',
  summary: 'Jobs in the shape of Docebo, newest first; without `author` one’s own',
  access: 'signedIn',
  scope: 'jobs:read',
  query: z
    .strictObject({
      author: z
        .string()
        .max(320)
        .regex(/^[^-,\s][^,\s]*$/, 'takes one id or e-mail')
        .optional(),
      status: z.enum(DOCEBO_STATUSES).optional(),
      page: z.coerce.number().int().min(1).max(MAX_DEPTH).default(1),
      page_size: z.coerce.number().int().min(1).max(200).default(100),
    })
    .refine(({ page, page_size }) => page * page_size <= MAX_DEPTH, {
      path: ['page'],
      message: `reaches no further than the first ${MAX_DEPTH} jobs`,
    }),
  response: z.object({
    data: z.object({
      items: z.array(doceboJob),
      count: z.int(),
      has_more_data: z.boolean(),
      current_page: z.int(),
      current_page_size: z.int(),
    }),
  }),
});

export const getDoceboJob = endpoint({
  method: 'get',
  path: '/manage/v1/job/:hash',
  root: true,
  tag: 'compatibility',
  summary: 'One job in the shape of Docebo',
  access: 'signedIn',
  scope: 'jobs:read',
  params: z.object({ hash: uuid }),
  response: z.object({ data: doceboJob }),
});
