// The endpoint that shows the retention duty: its settings, its next time and what its latest runs took away.
import { z } from 'zod';
import { instant } from './common';
import { endpoint, SUPERADMIN } from './endpoint';

export const getRetention = endpoint({
  method: 'get',
  path: '/retention',
  tag: 'system',
  summary: 'How long ended jobs stay, when the duty runs next, and what its latest runs took away',
  access: SUPERADMIN,
  response: z.object({
    days: z.number(),
    cron: z.string(),
    window: z.string().nullable(),
    nextDueAt: instant.nullable(),
    runs: z.array(
      z.object({
        dueAt: instant,
        startedAt: instant.nullable(),
        finishedAt: instant.nullable(),
        /** Null while it runs, or when its process died. */
        removed: z
          .object({ jobs: z.int(), batches: z.int(), ended: z.enum(['done', 'window', 'stopping']) })
          .nullable(),
      }),
    ),
  }),
});
