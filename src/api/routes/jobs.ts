// Jobs: lists, one job and what hangs on it, and the commands. Thin: find, check, command, present.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import { listErrorGroups, listRowErrors } from '../../db/queries/rowErrors';
import { listEvents } from '../../db/queries/events';
import { findInputForm } from '../../db/queries/inputColumns';
import { countJobs, findReport, listJobs, type JobSort, type ListedJob } from '../../db/queries/jobs';
import { streamLogLines } from '../../db/queries/logLines';
import { listRuns } from '../../db/queries/runs';
import { cancelJob } from '../../jobs/commands/cancelJob';
import { approveJob, rejectJob, withdrawJob } from '../../jobs/commands/decideJob';
import { deleteJob } from '../../jobs/commands/deleteJob';
import { pauseJob } from '../../jobs/commands/pauseJob';
import { prioritizeJob } from '../../jobs/commands/prioritizeJob';
import { requeueJob } from '../../jobs/commands/requeueJob';
import { resumeJob } from '../../jobs/commands/resumeJob';
import { setNotify } from '../../jobs/commands/setNotify';
import { errorFileCsv, errorFileNdjson } from '../../jobs/massActions/errorFile';
import { invalid, notFound } from '../../lib/errors';
import { decodeCursor, encodeCursor } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/jobs';
import { presentRun } from '../presenters/job';
import { jobFilterOf } from './jobFilterOf';
import { getVisibleJob, showJob, showJobs } from './showJob';

export function badCursor(): Error {
  return invalid([{ path: 'cursor', message: 'is no cursor of this list; leave it out to begin at the start' }]);
}

const NO_TIME = 'none';

async function sendText(
  response: Response,
  type: string,
  fileName: string | null,
  text: AsyncIterable<string>,
): Promise<void> {
  response.status(200).type(type);
  if (fileName) response.attachment(fileName);
  // attachment() guesses a type of its own by the ending.
  response.setHeader('Content-Type', `${type}; charset=utf-8`);
  await pipeline(Readable.from(text), response);
}

async function* logText(lines: ReturnType<typeof streamLogLines>): AsyncGenerator<string> {
  for await (const { at, run, seq, level, message } of lines) {
    yield `${at.toISOString()} run=${run} #${seq} ${level.toUpperCase().padEnd(5)} ${message.replace(/\r?\n/g, '\n    ')}\n`;
  }
}

export const jobRoutes: Route[] = [
  implement(contract.listJobs, async ({ query, actor, deps }) => {
    const { sort, limit } = query;
    const cursor = decodeCursor(query.cursor, 2);
    if (query.cursor !== undefined && !cursor) throw badCursor();
    const rows = await listJobs(deps.db, await jobFilterOf(deps, actor, query), {
      sort: sort.replace('-', '') as JobSort,
      descending: sort.startsWith('-'),
      after: cursor ? { key: cursor[0] === NO_TIME ? null : Number(cursor[0]), id: String(cursor[1]) } : null,
      limit: limit + 1,
    });
    const last: ListedJob | undefined = rows.length > limit ? rows[limit - 1] : undefined;
    return {
      items: await showJobs(deps, actor, rows.slice(0, limit)),
      nextCursor: last ? encodeCursor([last.sortKey ?? NO_TIME, last.id]) : null,
    };
  }),
  implement(contract.countJobs, async ({ query, actor, deps }) => ({
    counts: await countJobs(deps.db, await jobFilterOf(deps, actor, query)),
  })),
  implement(contract.getJob, async ({ params, actor, deps }) =>
    showJob(deps, actor, await getVisibleJob(deps, actor, params.jobId)),
  ),
  implement(contract.listJobEvents, async ({ params, query, actor, deps }) => {
    await getVisibleJob(deps, actor, params.jobId);
    const cursor = decodeCursor(query.cursor, 1);
    const rows = await listEvents(deps.db, params.jobId, {
      after: cursor ? Number(cursor[0]) : null,
      limit: query.limit,
    });
    const items = rows.map((row) => ({
      id: row.id,
      run: row.run,
      type: row.type,
      at: row.at.toISOString(),
      actor: row.actorName === null ? null : { id: row.actorId, name: row.actorName },
      data: row.data === null ? null : (JSON.parse(row.data) as Record<string, unknown>),
    }));
    return { items, nextCursor: rows.length === query.limit ? encodeCursor([rows[rows.length - 1]?.id]) : null };
  }),
  implement(contract.listJobRuns, async ({ params, query, actor, deps }) => {
    await getVisibleJob(deps, actor, params.jobId);
    const cursor = decodeCursor(query.cursor, 1);
    const rows = await listRuns(deps.db, params.jobId, {
      before: cursor ? Number(cursor[0]) : null,
      limit: query.limit,
    });
    return {
      items: rows.map(presentRun),
      nextCursor: rows.length === query.limit ? encodeCursor([rows[rows.length - 1]?.run]) : null,
    };
  }),
  implement(contract.listJobErrors, async ({ params, query, actor, deps }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    const cursor = decodeCursor(query.cursor, 1);
    const { columns } = await findInputForm(deps.db, job.id);
    const rows = await listRowErrors(deps.db, job.id, query.run ?? job.run, {
      after: cursor ? Number(cursor[0]) : null,
      limit: query.limit,
      code: query.code,
    });
    const items = rows.map(({ line, ...row }) => ({ ...row, row: rowOf(line, columns) }));
    return { items, nextCursor: rows.length === query.limit ? encodeCursor([rows[rows.length - 1]?.rowIndex]) : null };
  }),
  implement(contract.listJobErrorGroups, async ({ params, query, actor, deps }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    return { items: await listErrorGroups(deps.db, job.id, query.run ?? job.run, 100), nextCursor: null };
  }),
  implement(contract.getErrorsCsv, async ({ params, query, actor, deps, response }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    const run = query.run ?? job.run;
    await sendText(response, 'text/csv', `errors-${job.id}-${run}.csv`, errorFileCsv(deps.db, job.id, run));
  }),
  implement(contract.getErrorsNdjson, async ({ params, query, actor, deps, response }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    const run = query.run ?? job.run;
    await sendText(
      response,
      'application/x-ndjson',
      `errors-${job.id}-${run}.ndjson`,
      errorFileNdjson(deps.db, job.id, run),
    );
  }),
  implement(contract.getJobLog, async ({ params, query, actor, deps, response }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    await sendText(response, 'text/plain', null, logText(streamLogLines(deps.db, job.id, query.run ?? null)));
  }),
  implement(contract.getJobReport, async ({ params, query, actor, deps }) => {
    const job = await getVisibleJob(deps, actor, params.jobId);
    const report = await findReport(deps.db, job.id, query.run ?? job.run);
    if (report === null) throw notFound('report');
    return JSON.parse(report) as unknown;
  }),
  implement(contract.changeNotify, async ({ params, body, actor, deps }) =>
    showJob(deps, actor, await setNotify(deps.commands, actor, params.jobId, body)),
  ),
  implement(contract.cancelJob, async ({ params, body, actor, deps }) =>
    showJob(deps, actor, await cancelJob(deps.commands, actor, params.jobId, body)),
  ),
  implement(contract.requeueJob, async ({ params, body, actor, deps }) =>
    showJob(deps, actor, await requeueJob(deps.commands, actor, params.jobId, body)),
  ),
  implement(contract.pauseJob, async ({ params, actor, deps }) =>
    showJob(deps, actor, await pauseJob(deps.commands, actor, params.jobId)),
  ),
  implement(contract.resumeJob, async ({ params, actor, deps }) =>
    showJob(deps, actor, await resumeJob(deps.commands, actor, params.jobId)),
  ),
  implement(contract.prioritizeJob, async ({ params, body, actor, deps }) =>
    showJob(deps, actor, await prioritizeJob(deps.commands, actor, params.jobId, body)),
  ),
  implement(contract.approveJob, async ({ params, actor, deps }) =>
    showJob(deps, actor, await approveJob(deps.commands, actor, params.jobId)),
  ),
  implement(contract.rejectJob, async ({ params, body, actor, deps }) =>
    showJob(deps, actor, await rejectJob(deps.commands, actor, params.jobId, body)),
  ),
  implement(contract.withdrawJob, async ({ params, body, actor, deps }) =>
    showJob(deps, actor, await withdrawJob(deps.commands, actor, params.jobId, body)),
  ),
  implement(contract.deleteJob, async ({ params, actor, deps }) => {
    await deleteJob(deps.commands, actor, params.jobId);
    return undefined;
  }),
];

/** CSV lines are stored as their cells; clients get them under their column names. */
function rowOf(line: string, columns: string[] | null): unknown {
  const row: unknown = JSON.parse(line);
  if (!Array.isArray(row) || !columns) return row;
  return Object.fromEntries(columns.map((column, index) => [column, (row as unknown[])[index] ?? '']));
}
