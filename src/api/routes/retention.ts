// The retention duty as superadmins see it.
import { z } from 'zod';
import { readSchedule } from '../../db/queries/schedules';
import { implement, type Route } from '../contract/endpoint';
import { getRetention } from '../contract/retention';

const RUNS = 20;
const report = z.object({
  result: z.object({ jobs: z.int(), batches: z.int(), ended: z.enum(['done', 'window', 'stopping']) }),
});

/** Runs of a version before this one left another report. */
function removedOf(result: string | null): z.infer<typeof report>['result'] | null {
  const parsed = result === null ? null : report.safeParse(JSON.parse(result));
  return parsed?.success ? parsed.data.result : null;
}

export const retentionRoutes: Route[] = [
  implement(getRetention, async ({ deps }) => {
    const { days, cron, window = null } = deps.config.retention;
    const schedule = await readSchedule(deps.db, 'retention', RUNS);
    return {
      days,
      cron,
      window,
      nextDueAt: schedule?.nextDueAt.toISOString() ?? null,
      runs: (schedule?.runs ?? []).map((run) => ({
        dueAt: run.dueAt.toISOString(),
        startedAt: run.startedAt?.toISOString() ?? null,
        finishedAt: run.finishedAt?.toISOString() ?? null,
        removed: removedOf(run.result),
      })),
    };
  }),
];
