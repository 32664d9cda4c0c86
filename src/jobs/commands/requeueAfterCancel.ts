// Requeue with cancelFirst: stops what has not ended, waits for its end, and starts the next run. Called by POST …/requeue.
// Nothing is canceled for a requeue that would be refused afterwards.
import { findJob, type JobRow } from '../../db/queries/jobs';
import { pause } from '../../lib/abort';
import { GantryError, notFound } from '../../lib/errors';
import type { Actor } from '../actor';
import { mayEver, maySee } from '../allowedActions';
import type { CommandDeps } from '../commandDeps';
import { isFinal } from '../lifecycle';
import { cancelJob } from './cancelJob';
import { forbidden, policyOfKind } from './onJob';
import { requeueJob, requireScope, type RequeueInput } from './requeueJob';

/** After the grace time the work is fenced; a little later the run has ended. */
const END_MS = 3000;
const LOOK_MS = 100;

export async function requeueAfterCancel(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  input: RequeueInput,
): Promise<JobRow> {
  const job = await findJob(deps.db, jobId);
  if (!job || !maySee(job, actor)) throw notFound('job');
  if (!mayEver(job, 'requeue', actor)) throw forbidden('requeue');
  const definition = await deps.catalog.get(job.kind);
  if (policyOfKind(definition).requeueable && !isFinal(job.state)) {
    requireScope(definition, job.kind, input);
    await cancelJob(deps, actor, jobId, { reason: 'to be run again' });
    await untilEnd(deps, jobId);
  }
  return requeueJob(deps, actor, jobId, input);
}

async function untilEnd(deps: CommandDeps, jobId: string): Promise<void> {
  const deadline = performance.now() + deps.settings.cancelGraceMs + END_MS;
  while (performance.now() < deadline) {
    const job = await findJob(deps.db, jobId);
    if (!job || isFinal(job.state)) return;
    await pause(LOOK_MS);
  }
  throw new GantryError(
    'job_state_forbids',
    'The job was asked to stop and has not ended yet. It was not requeued; ask again when it has.',
    { more: { allowedActions: [] } },
  );
}
