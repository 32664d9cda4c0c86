// Makes a job: checks it against its kind and publishes it with its staged rows in one short transaction.
// Called by POST /jobs and by whoever starts jobs of its own (deployments, by publishJob inside their transaction).
import { insertAudit } from '../../db/queries/audit';
import type { Tx } from '../../db/database';
import { insertChange, insertEvent } from '../../db/queries/events';
import { finishKey, type Reservation } from '../../db/queries/idempotency';
import { claimUpload } from '../../db/queries/input';
import { findJob, type JobRow } from '../../db/queries/jobs';
import { insertRunDue } from '../../db/queries/outbox';
import { countChunksOf, insertChunksOfAll, insertJob, insertRun } from '../../db/queries/runs';
import { databaseNow } from '../../db/queries/clock';
import { withRetry } from '../../db/retry';
import { GantryError, invalid, notFound, type FieldFault } from '../../lib/errors';
import { newId } from '../../lib/ids';
import { currentTraceparent } from '../../lib/tracing';
import type { Actor } from '../actor';
import { requestApproval } from '../approvals/requestApproval';
import { findBadText } from '../badText';
import type { CommandDeps } from '../commandDeps';
import { policyOf, type Definition } from '../define';
import { chunkSizeOf } from '../massActions/chunkSize';
import { checkRecipient } from './checkRecipient';
import type { StagedInput } from './stageRows';

export interface CreateJobInput {
  kind: string;
  /** Default: the kind's. */
  title?: string;
  params: unknown;
  /** The parameters' JSON as it was sent, kept byte for byte; default: params printed anew. */
  paramsText?: string;
  notify?: { email: boolean; to?: string };
  priority?: number;
  runAt?: Date;
  trial?: number;
  limits?: { maxFailed?: number; maxFailedPercent?: number; then?: 'pause' | 'fail' };
  derivedFrom?: string;
  /** The job whose kept values are the rows of this one. */
  undoOf?: string;
  /** The reserved Idempotency-Key and the hash of the whole request, tied to the job as it is published. */
  idempotency?: { reservation: Reservation; jobHash: Buffer };
}

/** @throws GantryError invalid, forbidden, no_rows; staged rows stay for the caller to discard. */
export async function createJob(
  deps: CommandDeps,
  actor: Actor,
  input: CreateJobInput,
  rows: StagedInput | null,
): Promise<JobRow> {
  const definition = await checkJob(deps, actor, input, rows);
  const jobId = rows?.jobId ?? newId();
  await withRetry(() => deps.db.transaction().execute((tx) => publishJob(tx, definition, actor, input, rows, jobId)));
  deps.waker.wake('gantry_work');
  deps.waker.wake('gantry_change');
  const job = await findJob(deps.db, jobId);
  if (!job) throw notFound('job');
  if (job.state === 'awaiting_approval') deps.waker.wake('gantry_notice');
  return job;
}

/** Everything that can be refused before anything is written. @returns the kind's definition. */
export async function checkJob(
  deps: CommandDeps,
  actor: Actor,
  input: CreateJobInput,
  rows: Pick<StagedInput, 'rowTotal'> | null,
): Promise<Definition> {
  const definition = await findKind(deps, actor, input.kind);
  const faults: FieldFault[] = [];
  const fault = (path: string, message: string): void => void faults.push({ path, message });

  const badText = findBadText(input.title ?? '', 'title') ?? findBadText(input.params, 'params');
  if (badText) fault(badText, 'holds U+0000 or half of a surrogate pair');
  const parsed = definition.params.safeParse(input.params);
  if (!parsed.success) {
    parsed.error.issues.forEach((issue) => fault(['params', ...issue.path].join('.'), issue.message));
  }
  if (input.title !== undefined && (input.title.trim() === '' || input.title.length > MAX_TITLE)) {
    fault('title', `takes 1 to ${MAX_TITLE} characters`);
  }
  const { priority = 0, trial, limits } = input;
  if (!Number.isInteger(priority) || Math.abs(priority) > 100)
    fault('priority', 'takes a whole number from -100 to 100');
  if (trial !== undefined && (!Number.isInteger(trial) || trial < 1 || trial > MAX_TRIAL)) {
    fault('trial', 'takes the number of rows to try first, 1 or more');
  }
  const { maxFailed, maxFailedPercent } = limits ?? {};
  if (maxFailed !== undefined && (!Number.isSafeInteger(maxFailed) || maxFailed < 0)) {
    fault('limits.maxFailed', 'takes a number of rows, 0 or more');
  }
  if (maxFailedPercent !== undefined && !(maxFailedPercent >= 0 && maxFailedPercent <= 100)) {
    fault('limits.maxFailedPercent', 'takes a share from 0 to 100');
  }
  if (definition.shape !== 'massAction') {
    if (rows) fault('rows', `"${definition.kind}" takes no rows`);
    if (trial !== undefined) fault('trial', `"${definition.kind}" takes no rows, so there is nothing to try first`);
    if (limits !== undefined) fault('limits', `"${definition.kind}" takes no rows, so none can fail`);
  }
  if (faults.length > 0) throw invalid(faults);
  if (definition.shape === 'massAction' && (rows?.rowTotal ?? 0) === 0) {
    throw new GantryError('no_rows', `"${definition.kind}" works on rows and none were sent; no job was made.`);
  }
  if (input.notify?.to !== undefined) await checkRecipient(deps, actor, input.notify.to);
  return definition;
}

const MAX_TITLE = 500;
/** The column's type. */
const MAX_TRIAL = 2_147_483_647;

/** The kind as it is open to the actor. @throws GantryError invalid when there is none, forbidden by role. */
export async function findKind(deps: CommandDeps, actor: Actor, kind: string): Promise<Definition> {
  const definition = await deps.catalog.get(kind);
  if (!definition) throw invalid([{ path: 'kind', message: 'there is no such job kind; GET /job-kinds lists them' }]);
  if (definition.roles.includes(actor.role)) {
    requireScopeOf(definition, actor);
    return definition;
  }
  throw new GantryError(
    'forbidden',
    `Your role may not start "${kind}". No job was made; ask a superadmin to open it.`,
  );
}

/** A token for jobs makes no accounts by a job. */
function requireScopeOf({ kind, scope }: Definition, { scopes }: Actor): void {
  if (scope === undefined || !scopes || scopes.includes(scope)) return;
  throw new GantryError(
    'scope_missing',
    `This token lacks the scope \`${scope}\`, which "${kind}" asks for. No job was made; make a token with it.`,
    { more: { scope } },
  );
}

/** Writes the job, run 1, its chunks, its outbox row, event and audit. The caller has checked it and wakes after commit. */
export async function publishJob(
  tx: Tx,
  definition: Definition,
  actor: Actor,
  input: CreateJobInput,
  rows: StagedInput | null,
  jobId: string,
): Promise<void> {
  if (rows && !(await claimUpload(tx, jobId))) {
    throw new GantryError(
      'unavailable',
      'The staged rows were cleared before the job was made. Send the request again.',
      {
        retryAfterSeconds: 1,
      },
    );
  }
  const now = await databaseNow(tx);
  const state = policyOf(definition).needsApproval
    ? 'awaiting_approval'
    : input.runAt && input.runAt > now
      ? 'scheduled'
      : 'queued';
  const title = input.title ?? definition.title;
  const priority = input.priority ?? 0;
  await insertJob(tx, {
    id: jobId,
    kind: definition.kind,
    title,
    state,
    ownerId: actor.id,
    ownerName: actor.name,
    ownerEmail: actor.email,
    priority,
    params: input.paramsText ?? JSON.stringify(input.params ?? {}),
    inputFormat: rows?.format ?? null,
    inputColumns: rows?.columns ? JSON.stringify(rows.columns) : null,
    rowTotal: rows?.rowTotal ?? null,
    inputSha256: rows?.sha256 ?? null,
    derivedFrom: input.derivedFrom ?? null,
    undoOf: input.undoOf ?? null,
    traceParent: currentTraceparent(),
    notifyEmail: input.notify?.email ?? true,
    notifyTo: input.notify?.to ?? null,
    trial: input.trial ?? null,
    maxFailed: input.limits?.maxFailed ?? null,
    maxFailedPercent: input.limits?.maxFailedPercent ?? null,
    limitThen: input.limits?.then ?? 'pause',
    runAt: input.runAt ?? null,
    retentionDays: policyOf(definition).retentionDays,
    createdAt: now,
    queuedAt: state === 'queued' ? now : null,
  });
  await insertRun(tx, { jobId, run: 1, scope: 'all', requestedBy: actor.name });
  if (definition.shape === 'massAction') {
    await insertChunksOfAll(tx, jobId, 1, { chunkSize: await chunkSizeOf(tx, definition), trial: input.trial ?? null });
    await countChunksOf(tx, jobId, 1);
  }
  if (state === 'awaiting_approval') {
    await requestApproval(tx, { jobId, run: 1, ownerId: actor.id }, definition, actor);
  } else {
    await insertRunDue(tx, {
      jobId,
      run: 1,
      ownerId: actor.id,
      priority,
      dueAt: input.runAt ?? null,
      ...outboxShape(definition),
    });
  }
  await insertEvent(tx, { jobId, run: 1, type: 'requested', actor, data: { state } });
  await insertAudit(tx, {
    actor,
    action: 'job.create',
    subjectType: 'job',
    subjectId: jobId,
    after: {
      kind: definition.kind,
      title,
      state,
      priority,
      rows: rows?.rowTotal ?? null,
      derivedFrom: input.derivedFrom ?? null,
    },
  });
  await insertChange(tx, 'job', jobId, actor.id);
  if (input.idempotency) {
    const { reservation, jobHash } = input.idempotency;
    if (!(await finishKey(tx, reservation, jobId, jobHash))) {
      throw new GantryError(
        'idempotency_mismatch',
        'The Idempotency-Key was taken over by a later call; no job was made.',
      );
    }
  }
}

/** How a run of this kind is dealt to the workers. */
export function outboxShape(definition: Definition): { shape: 'run' | 'chunks'; maxOnWay: number } {
  return definition.shape === 'massAction'
    ? { shape: 'chunks', maxOnWay: definition.concurrency }
    : { shape: 'run', maxOnWay: 1 };
}
