// Resubmit: a new job made from an old one, with what is to be different. The caller becomes its owner; the old one stays as
// it is. Parameters that are not given keep their bytes; rows are copied inside the database.
import { createHash } from 'node:crypto';
import { copyInput, findInputFacts, type InputFacts } from '../../db/queries/copyInput';
import { insertUpload } from '../../db/queries/input';
import { findJob, type JobRow } from '../../db/queries/jobs';
import { withRetry } from '../../db/retry';
import { GantryError, invalid, notFound } from '../../lib/errors';
import { newId } from '../../lib/ids';
import type { Actor } from '../actor';
import { maySee } from '../allowedActions';
import type { CommandDeps } from '../commandDeps';
import { isFinal } from '../lifecycle';
import { checkJob, createJob, findKind, type CreateJobInput } from './createJob';
import { discardStaged, type StagedInput } from './stageRows';

export interface ResubmitInput extends Pick<
  CreateJobInput,
  'title' | 'paramsText' | 'notify' | 'priority' | 'runAt' | 'idempotency'
> {
  params?: unknown;
  rows?: 'same' | 'failed' | 'unfinished';
  /** Null: none; left out: those of the old job. */
  trial?: number | null;
  limits?: CreateJobInput['limits'] | null;
}

/** Input chunks copied by one statement: sixteen megabytes. */
const COPY_BATCH = 64;

export async function resubmitJob(
  deps: CommandDeps,
  actor: Actor,
  jobId: string,
  input: ResubmitInput,
): Promise<JobRow> {
  const source = await findJob(deps.db, jobId);
  if (!source || !maySee(source, actor)) throw notFound('job');
  await findKind(deps, actor, source.kind);
  checkScope(source, input.rows);
  const next = nextOf(source, actor, input);
  // Refused before anything is copied.
  await checkJob(deps, actor, next, source.rowTotal === null ? null : { rowTotal: source.rowTotal });
  if (source.rowTotal === null) return createJob(deps, actor, next, null);
  const to = newId();
  await insertUpload(deps.db, to, actor.id);
  try {
    const staged = await copyRows(deps, source, to, input.rows ?? 'same');
    // Rows go only after their job: one that is still there had all of them until now.
    if (!(await findJob(deps.db, jobId))) throw notFound('job');
    return await createJob(deps, actor, next, staged);
  } catch (error) {
    await discardStaged(deps.db, to);
    throw error;
  }
}

/** @throws GantryError when those rows cannot be told. */
function checkScope(source: JobRow, rows: ResubmitInput['rows']): void {
  if (source.undoOf !== null) {
    throw new GantryError(
      'state_forbids',
      'This job takes another one back, and belongs to it. No job was made; undo the other job again instead.',
    );
  }
  if (rows === undefined || rows === 'same') return;
  if (source.rowTotal === null) {
    throw invalid([{ path: 'rows', message: `"${source.kind}" takes no rows, so there are none to choose from` }]);
  }
  if (isFinal(source.state)) return;
  throw new GantryError(
    'state_forbids',
    `The job is ${source.state}, so which rows have ${rows === 'failed' ? 'failed' : 'not succeeded'} is not settled. ` +
      'No job was made; wait for its end, or take rows: "same".',
  );
}

function nextOf(source: JobRow, actor: Actor, input: ResubmitInput): CreateJobInput {
  const hasParams = input.params !== undefined;
  const limits = input.limits === undefined ? limitsOf(source) : (input.limits ?? undefined);
  // Somebody else's address is not handed on to whoever resubmits.
  const to = source.ownerId === actor.id && source.notifyTo !== null ? { to: source.notifyTo } : {};
  return {
    kind: source.kind,
    title: input.title ?? source.title,
    params: hasParams ? input.params : (JSON.parse(source.params) as unknown),
    ...(hasParams ? { paramsText: input.paramsText } : { paramsText: source.params }),
    notify: input.notify ?? { email: source.notifyEmail, ...to },
    priority: input.priority ?? source.priority,
    runAt: input.runAt,
    trial: input.trial === undefined ? (source.trial ?? undefined) : (input.trial ?? undefined),
    limits,
    derivedFrom: source.id,
    idempotency: input.idempotency,
  };
}

function limitsOf(source: JobRow): CreateJobInput['limits'] {
  const { maxFailed, maxFailedPercent, limitThen } = source;
  if (maxFailed === null && maxFailedPercent === null) return undefined;
  return {
    ...(maxFailed === null ? {} : { maxFailed }),
    ...(maxFailedPercent === null ? {} : { maxFailedPercent }),
    then: limitThen as 'pause' | 'fail',
  };
}

async function copyRows(
  deps: CommandDeps,
  source: JobRow,
  to: string,
  scope: 'same' | 'failed' | 'unfinished',
): Promise<StagedInput> {
  const facts = await findInputFacts(deps.db, source.id);
  if (!facts) throw notFound('job');
  const hash = createHash('sha256');
  let at = { after: -1, chunks: 0, rows: 0 };
  for (;;) {
    const part = { from: source.id, to, scope, limit: COPY_BATCH, ...at };
    const copied = await withRetry(() => deps.db.transaction().execute((tx) => copyInput(tx, part)));
    if (!copied) throw new GantryError('unavailable', 'The copied rows were cleared. Send the request again.');
    if (copied.last === null) break;
    if (copied.digest) hash.update(copied.digest);
    at = { after: copied.last, chunks: at.chunks + copied.chunks, rows: at.rows + copied.rows };
  }
  if (at.rows === 0) {
    throw new GantryError(
      'nothing_to_requeue',
      `No row of the job has ${scope === 'failed' ? 'failed' : 'been left out'}. No job was made; take rows: "same" for all of them.`,
    );
  }
  return stagedOf(facts, to, at.rows, scope === 'same' && facts.sha256 ? facts.sha256 : hash.digest());
}

function stagedOf(facts: InputFacts, jobId: string, rowTotal: number, sha256: Buffer): StagedInput {
  return { jobId, format: facts.format ?? 'json', columns: facts.columns, rowTotal, sha256 };
}
