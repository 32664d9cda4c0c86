// The notification area, and the export of the job list.
import { countOpenAlerts } from '../../db/queries/alerts';
import type { JobFilter } from '../../db/queries/jobs';
import { countNotedJobs, listNotedJobs, markNotificationsRead } from '../../db/queries/notifications';
import { jobLines } from '../../jobs/export/jobLines';
import type { ApiDeps } from '../apiDeps';
import { implement, type Route } from '../contract/endpoint';
import { exportJobs } from '../contract/jobs';
import * as contract from '../contract/notifications';
import { sendText } from '../sendText';
import { jobFilterOf } from '../../jobs/jobFilterOf';
import { showJobs } from './showJob';

async function* exportText(deps: ApiDeps, filter: JobFilter): AsyncGenerator<string> {
  for await (const { text } of jobLines(deps.db, filter, 'csv')) yield text;
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
    await sendText(response, 'text/csv', 'jobs.csv', exportText(deps, filter));
  }),
];
