// The notification area, and the export of the job list.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { countOpenAlerts } from '../../db/queries/alerts';
import { listJobs, type JobFilter, type JobRow, type SortKey } from '../../db/queries/jobs';
import { countNotedJobs, listNotedJobs, markNotificationsRead } from '../../db/queries/notifications';
import { csvLine } from '../../jobs/massActions/errorFile';
import type { ApiDeps } from '../apiDeps';
import { implement, type Route } from '../contract/endpoint';
import { exportJobs } from '../contract/jobs';
import * as contract from '../contract/notifications';
import { jobFilterOf } from '../../jobs/jobFilterOf';
import { showJobs } from './showJob';

const COLUMNS = [
  'id',
  'kind',
  'title',
  'state',
  'owner',
  'createdAt',
  'startedAt',
  'finishedAt',
  'total',
  'good',
  'failed',
  'skipped',
  'host',
];
const PAGE = 500;

async function* exportText(deps: ApiDeps, filter: JobFilter): AsyncGenerator<string> {
  yield csvLine(COLUMNS);
  let after: { key: SortKey; id: string } | null = null;
  for (;;) {
    const rows: Awaited<ReturnType<typeof listJobs>> = await listJobs(deps.db, filter, {
      sort: 'createdAt',
      descending: true,
      after,
      limit: PAGE,
    });
    for (const row of rows) yield csvLine(cellsOf(row));
    const last = rows[rows.length - 1];
    if (rows.length < PAGE || !last) return;
    after = { key: last.sortKey, id: last.id };
  }
}

function cellsOf(row: JobRow): string[] {
  const time = (at: Date | null): string => at?.toISOString() ?? '';
  return [
    ...[
      row.id,
      row.kind,
      row.title,
      row.state,
      row.ownerEmail,
      time(row.createdAt),
      time(row.startedAt),
      time(row.finishedAt),
    ],
    ...[row.total, row.good, row.failed, row.skipped].map((count) => String(count ?? '')),
    row.host ?? '',
  ];
}

export const notificationRoutes: Route[] = [
  implement(contract.listNotifications, async ({ query, actor, deps }) => {
    const rows = await listNotedJobs(deps.db, actor.id, query.limit);
    const shown = await showJobs(deps, actor, rows);
    const items = shown.map((job, index) => ({ ...job, read: !rows[index]?.unread }));
    // Mail may be what is wrong, so that alerts are shown here as well.
    const alerts = actor.role === 'superadmin' ? await countOpenAlerts(deps.db) : 0;
    return { items, nextCursor: null, ...(await countNotedJobs(deps.db, actor.id)), alerts };
  }),
  implement(contract.markNotificationsRead, async ({ actor, deps }) => ({
    readAt: (await markNotificationsRead(deps.db, actor.id)).toISOString(),
  })),
  implement(exportJobs, async ({ query, actor, deps, response }) => {
    const filter = await jobFilterOf(deps, actor, query);
    response.status(200).attachment('jobs.csv').setHeader('Content-Type', 'text/csv; charset=utf-8');
    await pipeline(Readable.from(exportText(deps, filter)), response);
  }),
];
