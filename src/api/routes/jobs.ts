// Jobs: lists, one job and what hangs on it, and the commands. Thin: find, check, command, present.
import { listErrorGroups, listRowErrors } from '../../db/queries/rowErrors';
import { listEvents } from '../../db/queries/events';
import { findInputForm } from '../../db/queries/inputColumns';
import { countJobs, listJobs, type JobSort } from '../../db/queries/jobs';
import { listRuns } from '../../db/queries/runs';
import { maySeeRequest } from '../../jobs/allowedActions';
import { cancelJob } from '../../jobs/commands/cancelJob';
import { deleteJob } from '../../jobs/commands/deleteJob';
import { pauseJob } from '../../jobs/commands/pauseJob';
import { prioritizeJob } from '../../jobs/commands/prioritizeJob';
import { requeueAfterCancel } from '../../jobs/commands/requeueAfterCancel';
import { requeueJob } from '../../jobs/commands/requeueJob';
import { resumeJob } from '../../jobs/commands/resumeJob';
import { setNotify } from '../../jobs/commands/setNotify';
import { errorFileCsv, errorFileNdjson } from '../../jobs/massActions/errorFile';
import { idCursor, numberCursor } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import { afterKey, cursorKey, jobCursor } from '../contract/jobCursor';
import * as contract from '../contract/jobs';
import { paged } from '../paged';
import { presentEvent, presentRun } from '../presenters/job';
import { rowOf } from '../presenters/rowOf';
import { sendText } from '../sendText';
import { jobFilterOf } from '../../jobs/jobFilterOf';
import { getVisibleJob, showJob, showJobs } from './showJob';

export const jobRoutes: Route[] = [
  implement(contract.listJobs, async ({ query, actor, deps }) => {
    const filter = await jobFilterOf(deps, actor, query);
    const sort = query.sort.replace('-', '') as JobSort;
    const descending = query.sort.startsWith('-');
    return paged(
      query,
      jobCursor(sort),
      ({ after, limit }) => listJobs(deps.db, filter, { sort, descending, after: afterKey(sort, after), limit }),
      cursorKey,
      (rows) => showJobs(deps, actor, rows),
    );
  }),
  implement(contract.countJobs, async ({ query, actor, deps }) => ({
    counts: await countJobs(deps.db, await jobFilterOf(deps, actor, query)),
  })),
  implement(contract.getJob, async ({ params, actor, deps }) =>
    showJob(deps, actor, await getVisibleJob(deps, actor, params.jobId, maySeeRequest)),
  ),
  implement(contract.listJobEvents, async ({ params, query, actor, deps }) => {
    await getVisibleJob(deps, actor, params.jobId, maySeeRequest);
    return paged(
      query,
      numberCursor,
      ({ after, limit }) => listEvents(deps.db, params.jobId, { after: after?.[0] ?? null, limit }),
      (row) => [row.id],
      (rows) => rows.map(presentEvent),
    );
  }),
  implement(contract.listJobRuns, async ({ params, query, actor, deps }) => {
    await getVisibleJob(deps, actor, params.jobId);
    return paged(
      query,
      idCursor,
      ({ after, limit }) => listRuns(deps.db, params.jobId, { before: after?.[0] ?? null, limit }),
      (row) => [row.run],
      (rows) => rows.map(presentRun),
    );
  }),
  implement(contract.listJobErrors, async ({ params, query, actor, deps }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    const { columns } = await findInputForm(deps.db, job.id);
    return paged(
      query,
      numberCursor,
      ({ after, limit }) =>
        listRowErrors(deps.db, job.id, query.run ?? job.run, { after: after?.[0] ?? null, limit, code: query.code }),
      (row) => [row.rowIndex],
      (rows) => rows.map(({ line, ...row }) => ({ ...row, row: rowOf(line, columns) })),
    );
  }),
  implement(contract.listJobErrorGroups, async ({ params, query, actor, deps }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    return { items: await listErrorGroups(deps.db, job.id, query.run ?? job.run, 100), nextCursor: null };
  }),
  implement(contract.getErrorsCsv, async ({ params, query, actor, deps, response }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    const run = query.run ?? job.run;
    await sendText(response, 'text/csv', `errors-${job.id}-${run}.csv`, errorFileCsv(deps.db, job.id, run, query.code));
  }),
  implement(contract.getErrorsNdjson, async ({ params, query, actor, deps, response }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    const run = query.run ?? job.run;
    await sendText(
      response,
      'application/x-ndjson',
      `errors-${job.id}-${run}.ndjson`,
      errorFileNdjson(deps.db, job.id, run, query.code),
    );
  }),
  implement(contract.changeNotify, async ({ params, body, actor, deps }) =>
    showJob(deps, actor, await setNotify(deps.commands, actor, params.jobId, body)),
  ),
  implement(contract.cancelJob, async ({ params, body, actor, deps }) =>
    showJob(deps, actor, await cancelJob(deps.commands, actor, params.jobId, body)),
  ),
  implement(contract.requeueJob, async ({ params, body: { cancelFirst, ...input }, actor, deps }) => {
    const requeue = cancelFirst ? requeueAfterCancel : requeueJob;
    return showJob(deps, actor, await requeue(deps.commands, actor, params.jobId, input));
  }),
  implement(contract.pauseJob, async ({ params, actor, deps }) =>
    showJob(deps, actor, await pauseJob(deps.commands, actor, params.jobId)),
  ),
  implement(contract.resumeJob, async ({ params, actor, deps }) =>
    showJob(deps, actor, await resumeJob(deps.commands, actor, params.jobId)),
  ),
  implement(contract.prioritizeJob, async ({ params, body, actor, deps }) =>
    showJob(deps, actor, await prioritizeJob(deps.commands, actor, params.jobId, body)),
  ),
  implement(contract.deleteJob, async ({ params, actor, deps }) => {
    await deleteJob(deps.commands, actor, params.jobId);
    return undefined;
  }),
];
