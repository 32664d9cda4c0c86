// The attempts of a job: thin, find, list, present.
import type { z } from 'zod';
import { listAttempts, type AttemptRow } from '../../db/queries/attempts';
import { listJobAttempts, type attemptDoc } from '../contract/attempts';
import { numberCursor } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import { paged } from '../paged';
import { getVisibleJob } from './showJob';

export const attemptRoutes: Route[] = [
  implement(listJobAttempts, async ({ params, query, actor, deps }) => {
    const { id } = await getVisibleJob(deps, actor, params.jobId);
    return paged(
      query,
      numberCursor,
      ({ after, limit }) => listAttempts(deps.db, id, { run: query.run ?? null, after: after?.[0] ?? null, limit }),
      (row) => [row.id],
      (rows) => rows.map(present),
    );
  }),
];

function present(row: AttemptRow): z.infer<typeof attemptDoc> {
  const { run, attempt, workerId, host, ended, errorCode, errorMessage } = row;
  return {
    run,
    attempt,
    workerId,
    host,
    startedAt: row.startedAt.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
    ended,
    error: errorMessage === null ? null : { code: errorCode, message: errorMessage },
  };
}
