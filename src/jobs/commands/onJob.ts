// The frame of every command on one job: find it, see whether the actor may know of it, lock it, act, wake after commit.
// The job's lock comes first, so commands, claims and endings of one job pass one after the other.
import type { Tx } from '../../db/database';
import { findJob, lockJob, type JobRow } from '../../db/queries/jobs';
import { withRetry } from '../../db/retry';
import type { WakeChannel } from '../../db/wake';
import { GantryError, notFound } from '../../lib/errors';
import { isUuid } from '../../lib/ids';
import type { Actor } from '../actor';
import { allowedActions, maySee } from '../allowedActions';
import type { CommandDeps } from '../commandDeps';
import { policyOf, type Definition, type Policy } from '../define';
import type { JobAction } from '../lifecycle';

/** What a command may look at; `definition` is null when the kind is gone. */
export interface Commanded {
  tx: Tx;
  job: JobRow;
  definition: Definition | null;
  policy: Policy;
  /** ALLOW_SELF_APPROVAL. */
  selfApproval: boolean;
}

/** Kinds that are gone leave jobs that can still be stopped and deleted, but not run. */
const POLICY_OF_GONE: Policy = {
  cancelable: true,
  requeueable: false,
  restartable: false,
  needsApproval: false,
  isolated: false,
  timeoutMs: null,
  retentionDays: null,
  durationTolerancePercent: 50,
  undoable: false,
};

export function policyOfKind(definition: Definition | null): Policy {
  return definition ? policyOf(definition) : POLICY_OF_GONE;
}

/** `act` returns whom to wake after the commit; nobody: nothing was changed. @returns the job as it is then. */
export async function onJob(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  act: (commanded: Commanded) => Promise<WakeChannel[]>,
  sees: (job: JobRow, actor: Actor) => boolean = maySee,
): Promise<JobRow> {
  const known = await commandOnJob(deps, actor, jobId, act, sees);
  return (await findJob(deps.db, jobId)) ?? known;
}

/** As onJob, for commands after which there is no job any more. @returns the job as it was. */
export async function commandOnJob(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  act: (commanded: Commanded) => Promise<WakeChannel[]>,
  sees: (job: JobRow, actor: Actor) => boolean = maySee,
): Promise<JobRow> {
  const seen = isUuid(jobId) ? await findJob(deps.db, jobId) : null;
  if (!seen || !sees(seen, actor)) throw notFound('job');
  // Looked up before the transaction: one that waits for a second connection could starve the pool.
  const definition = await deps.catalog.get(seen.kind);
  const { job, channels } = await withRetry(() =>
    deps.db.transaction().execute(async (tx) => {
      const job = await lockJob(tx, jobId);
      if (!job) throw notFound('job');
      const { selfApproval = false } = deps.settings;
      const channels = await act({ tx, job, definition, policy: policyOfKind(definition), selfApproval });
      await deps.alongside?.(tx, job, channels.length > 0);
      return { job, channels };
    }),
  );
  channels.forEach((channel) => deps.waker.wake(channel));
  return job;
}

export function forbidden(action: JobAction): GantryError {
  return new GantryError('forbidden', `Your role may not ${action} this job. Nothing was changed; ask a superadmin.`);
}

/** 409, with what may be asked of the job instead. */
export function stateForbids(commanded: Commanded, actor: Actor, action: string, why?: string): GantryError {
  const { job, policy, selfApproval } = commanded;
  const allowed = allowedActions(job, policy, actor, selfApproval);
  const instead = allowed.length > 0 ? `Possible now: ${allowed.join(', ')}.` : 'Nothing can be asked of it now.';
  return new GantryError(
    'job_state_forbids',
    `The job is ${job.state}${why ? ` and ${why}` : ''}, so ${action} is not possible. Nothing was changed. ${instead}`,
    { more: { allowedActions: allowed } },
  );
}
