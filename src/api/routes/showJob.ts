// Finding a job that the caller may see, and showing it. Used by every route of jobs: a foreign job is not there.
import { databaseNow } from '../../db/queries/clock';
import { findJob, type JobRow } from '../../db/queries/jobs';
import { readJobSight } from '../../db/queries/jobSight';
import type { Actor } from '../../jobs/actor';
import { maySee } from '../../jobs/allowedActions';
import { policyOfKind } from '../../jobs/commands/onJob';
import { notFound } from '../../lib/errors';
import type { ApiDeps } from '../apiDeps';
import type { JobDoc } from '../contract/jobShapes';
import { presentJob } from '../presenters/job';

export async function getVisibleJob(
  deps: ApiDeps,
  actor: Actor,
  jobId: string,
  sees: (job: JobRow, actor: Actor) => boolean = maySee,
): Promise<JobRow> {
  const job = await findJob(deps.db, jobId);
  if (!job || !sees(job, actor)) throw notFound('job');
  return job;
}

export async function showJob(deps: ApiDeps, actor: Actor, row: JobRow): Promise<JobDoc> {
  const [shown] = await showJobs(deps, actor, [row]);
  return shown as JobDoc;
}

export async function showJobs(deps: ApiDeps, actor: Actor, rows: JobRow[]): Promise<JobDoc[]> {
  const kinds = [...new Set(rows.map((row) => row.kind))];
  const policies = new Map(
    await Promise.all(kinds.map(async (kind) => [kind, policyOfKind(await deps.commands.catalog.get(kind))] as const)),
  );
  if (rows.length === 0) return [];
  const [now, sight] = await Promise.all([databaseNow(deps.db), readJobSight(deps.db, rows, deps.config.leaseMs)]);
  const viewer = { actor, now, selfApproval: deps.commands.settings.selfApproval };
  return rows.map((row) => presentJob(row, policies.get(row.kind) ?? policyOfKind(null), sight, viewer));
}
