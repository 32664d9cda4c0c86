// What a job did: its log as a file and by lines, and its report.
import { listLogLines, type LogLevel } from '../../db/queries/logLines';
import { findRunReport, listReportEntries } from '../../db/queries/reports';
import { notFound } from '../../lib/errors';
import { numberCursor } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/seeing';
import { paged } from '../paged';
import { logText } from '../presenters/logText';
import { presentReport } from '../presenters/report';
import { sendText } from '../sendText';
import { getVisibleJob } from './showJob';

export const jobLogRoutes: Route[] = [
  implement(contract.getJobLog, async ({ params, query, actor, deps, response }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    const runs: [number, number] = query.run === undefined ? [1, job.run] : [query.run, Math.min(query.run, job.run)];
    await sendText(response, 'text/plain', null, logText(deps.db, { jobId: job.id, runs, level: query.level }));
  }),
  implement(contract.listJobLogLines, async ({ params, query, actor, deps }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    const run = query.run ?? job.run;
    return paged(
      query,
      numberCursor,
      ({ after, limit }) =>
        listLogLines(deps.db, job.id, run, { after: after?.[0] ?? query.after ?? 0, limit, level: query.level }),
      (row) => [row.seq],
      (rows) => rows.map((row) => ({ ...row, at: row.at.toISOString(), level: row.level as LogLevel })),
    );
  }),
  implement(contract.getJobReport, async ({ params, query, actor, deps }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    const run = query.run ?? job.run;
    const report = await findRunReport(deps.db, job.id, run);
    if (!report) throw notFound('report');
    return presentReport(run, report, await listReportEntries(deps.db, job.id, run), query.severity);
  }),
];
