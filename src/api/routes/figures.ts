// Figures of the queue, and counters for charts.
import { z } from 'zod';
import { databaseNow } from '../../db/queries/clock';
import { readFigures } from '../../db/queries/figures';
import { listStatistics, readFlow, type StatisticRow } from '../../db/queries/statistics';
import { invalid } from '../../lib/errors';
import { instant } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import { instantOf, type Fault } from '../../jobs/jobFilter';
import * as contract from '../contract/seeing';
import { paged } from '../paged';

const statisticCursor = z.tuple([
  z
    .string()
    .max(200)
    .regex(/^[^\u0000]+$/),
  instant,
]);

function presentStatistic({
  at,
  kind,
  created,
  started,
  rowsGood,
  rowsFailed,
  waitMs,
  processMs,
  ...ended
}: StatisticRow) {
  const { completedWithErrors, ...outcomes } = ended;
  return {
    at: at.toISOString(),
    kind,
    created,
    started,
    ended: { ...outcomes, completed_with_errors: completedWithErrors },
    rows: { good: rowsGood, failed: rowsFailed },
    waitMs,
    processMs,
  };
}

const perMinute = ({ created, ended }: { created: number; ended: number }, minutes: number) => ({
  inPerMinute: created / minutes,
  outPerMinute: ended / minutes,
});

export const figureRoutes: Route[] = [
  implement(contract.getQueueFigures, async ({ deps }) => {
    const [now, figures, queue, last5, last60] = await Promise.all([
      databaseNow(deps.db),
      readFigures(deps.db, deps.config.leaseMs),
      deps.queue.inspect(),
      readFlow(deps.db, 5),
      readFlow(deps.db, 60),
    ]);
    const { live, lastSeenAt, ...slots } = figures.workers;
    return {
      at: now.toISOString(),
      depths: figures.depths,
      oldest: figures.oldest && { ...figures.oldest, queuedAt: figures.oldest.queuedAt.toISOString() },
      rates: { last5Minutes: perMinute(last5, 5), last60Minutes: perMinute(last60, 60) },
      workers: { connected: live, ...slots, lastSeenAt: lastSeenAt?.toISOString() ?? null },
      messages: { due: figures.outboxDue, waiting: queue.waiting, active: queue.active },
      notices: figures.notices,
    };
  }),
  implement(contract.listStatistics, async ({ query, deps }) => {
    const now = await databaseNow(deps.db);
    const faults: Fault[] = [];
    const since = instantOf('since', query.since, undefined, now, faults);
    const until = instantOf('until', query.until, undefined, now, faults);
    if (!since || !until) throw invalid(faults);
    const filter = { since, until, step: query.step, kind: query.kind };
    return paged(
      query,
      statisticCursor,
      ({ after, limit }) =>
        listStatistics(deps.db, filter, { after: after ? { kind: after[0], at: new Date(after[1]) } : null, limit }),
      (row) => [row.kind, row.at.toISOString()],
      (rows) => rows.map(presentStatistic),
    );
  }),
];
