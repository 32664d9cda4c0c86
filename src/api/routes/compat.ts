// Shapes of other systems over the same jobs and the same rules of who may see them. Read only.
import { listJobs } from '../../db/queries/jobs';
import { presentDoceboJob, statesOf } from '../compat/doceboJob';
import * as contract from '../contract/compat';
import { implement, type Route } from '../contract/endpoint';
import { jobFilterOf } from '../../jobs/jobFilterOf';
import { getVisibleJob, showJob, showJobs } from './showJob';

export const compatRoutes: Route[] = [
  implement(contract.listDoceboJobs, async ({ query, actor, deps }) => {
    const { author, status, page, page_size: size } = query;
    const filter = await jobFilterOf(deps, actor, {
      group: 'all',
      ...(author === undefined ? { scope: 'mine' as const } : { owner: author }),
      state: status && statesOf(status).join(','),
    });
    const order = { sort: 'createdAt' as const, descending: true, after: null };
    const rows = await listJobs(deps.db, filter, { ...order, offset: (page - 1) * size, limit: size + 1 });
    const jobs = await showJobs(deps, actor, rows.slice(0, size));
    const items = jobs.map((job) => presentDoceboJob(job, deps.config.baseUrl));
    return {
      data: {
        items,
        count: items.length,
        has_more_data: rows.length > size,
        current_page: page,
        current_page_size: size,
      },
    };
  }),
  implement(contract.getDoceboJob, async ({ params, actor, deps }) => {
    const job = await showJob(deps, actor, await getVisibleJob(deps, actor, params.hash));
    return { data: presentDoceboJob(job, deps.config.baseUrl) };
  }),
];
