// The decisions on a job that needs approval: approve and reject by those who may and did not ask for it, withdraw by who did.
// What is approved is what was asked for: parameters and rows were frozen when the job was made, and the hash says so.
import { findFrozenPayload, insertDecision, type NewDecision } from '../../db/queries/approvals';
import { insertAudit } from '../../db/queries/audit';
import { databaseNow } from '../../db/queries/clock';
import { insertChange, insertEvent } from '../../db/queries/events';
import { findJob, type JobRow } from '../../db/queries/jobs';
import { markRunQueued, moveJob, NOW } from '../../db/queries/moves';
import { insertRunDue } from '../../db/queries/outbox';
import type { WakeChannel } from '../../db/wake';
import { GantryError, invalid, notFound } from '../../lib/errors';
import type { Actor } from '../actor';
import { maySeeRequest } from '../allowedActions';
import { isApprover, mayDecide, requesterOf } from '../approvals/mayDecide';
import { requestApproval } from '../approvals/requestApproval';
import { hashOfRequest } from '../approvals/requestHash';
import type { CommandDeps } from '../commandDeps';
import { finishRun } from '../finishRun';
import type { JobAction, JobState } from '../lifecycle';
import { outboxShape } from './createJob';
import { onJob, stateForbids, type Commanded } from './onJob';

export interface DecisionInput {
  reason?: string | undefined;
  /** What was looked at; another run or payload is not decided by it. */
  run?: number | undefined;
  requestHash?: string | undefined;
  byLink?: boolean;
}

/** The last approval of the quorum lets the job go on. Whoever approves twice is counted once. */
export function approveJob(deps: CommandDeps, actor: Actor, jobId: string, input: DecisionInput = {}): Promise<JobRow> {
  return decide(deps, actor, jobId, 'approve', input, async (commanded) => {
    const { tx, job, definition } = commanded;
    if (!definition) throw stateForbids(commanded, actor, 'approve', 'its kind does not exist any more');
    if (job.approvedBy.includes(actor.id)) return [];
    await requireSamePayload(commanded, actor);
    const { run, ownerId, priority, runAt } = job;
    const quorum = job.quorum ?? 1;
    const approvals = job.approvedBy.length + 1;
    await insertDecision(tx, decisionOf(job, actor, 'approved', input));
    const isLater = runAt !== null && runAt > (await databaseNow(tx));
    const state: JobState = approvals < quorum ? 'awaiting_approval' : isLater ? 'scheduled' : 'queued';
    const change = state === 'queued' ? { state, queuedAt: NOW } : { state };
    if (!(await moveJob(tx, jobId, run, ['awaiting_approval'], change)))
      throw stateForbids(commanded, actor, 'approve');
    if (state !== 'awaiting_approval') {
      await markRunQueued(tx, jobId, run);
      await insertRunDue(tx, { jobId, run, ownerId, priority, dueAt: runAt, ...outboxShape(definition) });
    }
    const said = { ...(input.reason ? { reason: input.reason } : {}), ...(input.byLink ? { byLink: true } : {}) };
    await insertEvent(tx, { jobId, run, type: 'approved', actor, data: { approvals, quorum, state, ...said } });
    await insertAudit(tx, {
      actor,
      action: 'job.approve',
      subjectType: 'job',
      subjectId: jobId,
      before: { state: job.state, approvals: approvals - 1, quorum },
      after: { state, approvals, quorum, run, requestHash: job.requestHash?.toString('hex'), byLink: input.byLink },
      reason: input.reason ?? null,
    });
    await insertChange(tx, 'job', jobId, ownerId);
    return ['gantry_work', 'gantry_change'];
  });
}

/** One rejection ends the request, whoever has approved; the person must say why. */
export async function rejectJob(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  input: DecisionInput & { reason: string },
): Promise<JobRow> {
  if (input.reason.trim() === '') throw invalid([{ path: 'reason', message: 'say why you reject it' }]);
  return decide(deps, actor, jobId, 'reject', input, (commanded) => end(deps, commanded, actor, 'rejected', input));
}

export function withdrawJob(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  input: DecisionInput = {},
): Promise<JobRow> {
  return decide(deps, actor, jobId, 'withdraw', input, (commanded) => end(deps, commanded, actor, 'withdrawn', input));
}

type Decision = Extract<JobAction, 'approve' | 'reject' | 'withdraw'>;

/** The frame of all three: right, then state, then time. A decision is taken once: later ones are refused. */
function decide(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  decision: Decision,
  input: DecisionInput,
  act: (commanded: Commanded) => Promise<WakeChannel[]>,
): Promise<JobRow> {
  const under = async (found: Commanded): Promise<WakeChannel[]> => {
    requireRight(found, actor, decision);
    if (input.run !== undefined && found.job.run !== input.run) {
      throw stateForbids(found, actor, decision, `in run ${found.job.run}, not in run ${input.run} any more`);
    }
    if (found.job.state !== 'awaiting_approval') throw stateForbids(found, actor, decision);
    const commanded = found.job.requestHash ? found : await withRequest(found);
    const { requestIsOver, requestExpiresAt, requestHash } = commanded.job;
    if (requestIsOver) {
      const end = requestExpiresAt?.toISOString() ?? '';
      throw stateForbids(commanded, actor, decision, `the request expired at ${end}`);
    }
    if (input.requestHash !== undefined && input.requestHash.toLowerCase() !== requestHash?.toString('hex')) {
      throw stateForbids(commanded, actor, decision, 'the request is another than the one you saw');
    }
    return act(commanded);
  };
  return onJob(deps, actor, jobId, under, maySeeRequest);
}

/** A job of the version before requests were kept gets its request now. */
async function withRequest(commanded: Commanded): Promise<Commanded> {
  const { tx, job, definition } = commanded;
  const { id: jobId, run, ownerId, ownerName } = job;
  await requestApproval(tx, { jobId, run, ownerId }, definition, { id: ownerId, name: ownerName });
  const requested = await findJob(tx, jobId);
  if (!requested) throw notFound('job');
  return { ...commanded, job: requested };
}

function requireRight({ job, selfApproval }: Commanded, actor: Actor, decision: Decision): void {
  if (decision === 'withdraw') {
    if (requesterOf(job) === actor.id) return;
    throw new GantryError(
      'forbidden',
      'Only who asked for this job may withdraw it. Nothing was changed; cancel or reject it instead.',
    );
  }
  if (mayDecide(job, actor, selfApproval)) return;
  if (isApprover(job, actor)) {
    throw new GantryError(
      'forbidden',
      `Nobody may ${decision} an own request. Nothing was changed; ask another approver, or withdraw it.`,
    );
  }
  const approvers = job.approvers?.join(', ') ?? 'a superadmin';
  throw new GantryError('forbidden', `You may not ${decision} this job. Nothing was changed; ask ${approvers}.`);
}

/** Nothing of Gantry changes a payload; a hand in the database might. */
async function requireSamePayload(commanded: Commanded, actor: Actor): Promise<void> {
  const { tx, job } = commanded;
  const hash = hashOfRequest(await findFrozenPayload(tx, job.id));
  if (!job.requestHash?.equals(hash)) {
    throw stateForbids(commanded, actor, 'approve', 'its content is not what was asked for any more');
  }
}

function decisionOf(
  job: JobRow,
  actor: Actor,
  decision: NewDecision['decision'],
  { reason, byLink = false }: DecisionInput,
): NewDecision {
  const { id: jobId, run } = job;
  return { jobId, run, userId: actor.id, userName: actor.name, decision, reason: reason ?? null, byLink };
}

async function end(
  deps: CommandDeps,
  commanded: Commanded,
  actor: Actor,
  outcome: 'rejected' | 'withdrawn',
  input: DecisionInput,
): Promise<WakeChannel[]> {
  const { tx, job } = commanded;
  await insertDecision(tx, decisionOf(job, actor, outcome, input));
  const ended = await finishRun(tx, {
    jobId: job.id,
    run: job.run,
    epoch: null,
    outcome,
    actor,
    retentionDays: deps.settings.retentionDays,
    ...(input.reason === undefined ? {} : { reason: input.reason }),
  });
  if (!ended) throw stateForbids(commanded, actor, outcome === 'rejected' ? 'reject' : 'withdraw');
  return ['gantry_change', 'gantry_notice'];
}
