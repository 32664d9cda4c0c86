// Carries out commands on sets, a batch of jobs at a time, by the single commands and under the asker's role as it is now.
// Called by worker processes; any number may work at one set. A result commits with its command, so a kill repeats nothing.
import {
  claimBulkItems,
  findBulkHead,
  listJudged,
  markBulkItems,
  releaseBulkItems,
  type BulkHold,
  type ClaimedItem,
  type ItemEnd,
} from '../../db/queries/bulkItems';
import { markBulkAborted, markBulkDone } from '../../db/queries/bulkActions';
import { insertChange } from '../../db/queries/events';
import { findUser } from '../../db/queries/users';
import { GantryError, messageOf } from '../../lib/errors';
import { newId } from '../../lib/ids';
import type { Actor } from '../actor';
import type { CommandDeps } from '../commandDeps';
import { cancelJob } from '../commands/cancelJob';
import { deleteJob } from '../commands/deleteJob';
import { pauseJob } from '../commands/pauseJob';
import { prioritizeJob } from '../commands/prioritizeJob';
import { requeueJob } from '../commands/requeueJob';
import { resumeJob } from '../commands/resumeJob';
import { judgeJob, SKIP_REASONS, type BulkActionName, type BulkRequest, type SkipReason } from './judgeJob';

type Command = (deps: CommandDeps, actor: Actor, jobId: string, request: BulkRequest) => Promise<unknown>;

const COMMANDS: Record<BulkActionName, Command> = {
  cancel: (deps, actor, jobId, { reason }) => cancelJob(deps, actor, jobId, reason === undefined ? {} : { reason }),
  requeue: (deps, actor, jobId, { only, code }) => requeueJob(deps, actor, jobId, { only, code }),
  delete: deleteJob,
  pause: pauseJob,
  resume: resumeJob,
  prioritize: (deps, actor, jobId, { priority = 0 }) => prioritizeJob(deps, actor, jobId, { priority }),
};

/** Jobs claimed at once, and commands on their way at once. */
const BATCH = 100;
const PARALLEL = 4;
/** A command that failed without a refusal, as by a lost connection, is tried so often. */
const MAX_ATTEMPTS = 5;
const RETRY_MS = 1000;
const RANK = { user: 0, power_user: 1, superadmin: 2 } as const;

/** The action was aborted, the claim ran out, or the asker is not who they were: the command is taken back. */
class HoldLost extends Error {}
/** Another run than the one that was seen: the command is taken back. */
class ChangedSince extends Error {}

/** @returns true while there may be more to do at once. */
export async function carryOutSome(deps: CommandDeps, bulkId: string, leaseMs: number): Promise<boolean> {
  const bulk = await findBulkHead(deps.db, bulkId);
  if (bulk?.state !== 'running') return false;
  const user = await findUser(deps.db, bulk.ownerId);
  if (!user || user.disabledAt || RANK[user.role] < RANK[bulk.ownerRole]) {
    return stop(deps, bulkId, bulk.ownerId, 'Whoever asked for it may not do this any more.');
  }
  const actor: Actor = {
    id: user.id,
    name: user.name,
    email: user.email,
    role: user.role,
    ...(bulk.requestId === null ? {} : { requestId: bulk.requestId }),
  };
  const request = { action: bulk.action, ...(JSON.parse(bulk.input) as object) } as BulkRequest;
  const hold: BulkHold = { bulkId, claim: newId(), ownerId: actor.id, role: actor.role };
  const claimed = await claimBulkItems(deps.db, bulkId, hold.claim, leaseMs, BATCH);
  if (claimed.length === 0) {
    if (await deps.db.transaction().execute((tx) => markBulkDone(tx, bulkId)))
      await announce(deps, bulkId, bulk.ownerId);
    return false;
  }
  const left = await skipRefused(deps, actor, request, hold, claimed);
  const inHand = left.values();
  let isLost = false;
  const work = async (): Promise<void> => {
    for (const item of inHand) {
      if (isLost) return;
      try {
        await carryOut(deps, actor, request, hold, item);
      } catch (error) {
        if (!(error instanceof HoldLost)) throw error;
        isLost = true;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: PARALLEL }, work));
  } finally {
    await releaseBulkItems(deps.db, bulkId, hold.claim, isLost ? 0 : RETRY_MS);
  }
  await announce(deps, bulkId, bulk.ownerId);
  return true;
}

/** Plain refusals are written together; no job is locked for them. @returns the rest. */
async function skipRefused(
  deps: CommandDeps,
  actor: Actor,
  request: BulkRequest,
  hold: BulkHold,
  claimed: ClaimedItem[],
): Promise<ClaimedItem[]> {
  const jobs = await listJudged(
    deps.db,
    claimed.map((item) => item.jobId),
  );
  const jobOf = new Map(jobs.map((job) => [job.id, job]));
  const kinds = [...new Set(jobs.map((job) => job.kind))];
  const definitions = new Map(
    await Promise.all(kinds.map(async (kind) => [kind, await deps.catalog.get(kind)] as const)),
  );
  const refusals: ItemEnd[] = [];
  const left: ClaimedItem[] = [];
  for (const item of claimed) {
    const job = jobOf.get(item.jobId);
    const reason = !job
      ? 'not_found'
      : job.run !== item.seenRun
        ? 'changed_since'
        : judgeJob(job, definitions.get(job.kind) ?? null, request, actor);
    if (reason === null) left.push(item);
    else refusals.push(skipped(item, reason));
  }
  if (refusals.length > 0) await markBulkItems(deps.db, hold, refusals);
  return left;
}

function skipped(item: ClaimedItem, reason: SkipReason): ItemEnd {
  return { place: item.place, result: 'skipped', code: reason, message: SKIP_REASONS[reason] };
}

async function carryOut(
  deps: CommandDeps,
  actor: Actor,
  request: BulkRequest,
  hold: BulkHold,
  item: ClaimedItem,
): Promise<void> {
  const alongside: CommandDeps['alongside'] = async (tx, job, changed) => {
    if (job.run !== item.seenRun) throw new ChangedSince();
    const end: ItemEnd = changed
      ? { place: item.place, result: 'succeeded', code: null, message: null }
      : skipped(item, 'already_so');
    if ((await markBulkItems(tx, hold, [end])) === 0) throw new HoldLost();
  };
  try {
    await COMMANDS[request.action]({ ...deps, alongside }, actor, item.jobId, request);
  } catch (error) {
    const end = endOf(error, item);
    if (end && (await markBulkItems(deps.db, hold, [end])) === 0) throw new HoldLost();
  }
}

/** @returns null for what is worth another try. */
function endOf(error: unknown, item: ClaimedItem): ItemEnd | null {
  if (error instanceof HoldLost) throw error;
  if (error instanceof ChangedSince) return skipped(item, 'changed_since');
  if (error instanceof GantryError && error.status < 500) {
    const fields = error.extras.fields?.map(({ path, message }) => `${path} ${message}`).join('; ');
    return { place: item.place, result: 'skipped', code: error.code, message: fields ?? error.message };
  }
  if (item.attempts < MAX_ATTEMPTS) return null;
  return { place: item.place, result: 'failed', code: 'internal', message: messageOf(error, 500) };
}

async function stop(deps: CommandDeps, bulkId: string, ownerId: string, why: string): Promise<false> {
  await deps.db.transaction().execute((tx) => markBulkAborted(tx, bulkId, why));
  await announce(deps, bulkId, ownerId);
  return false;
}

async function announce(deps: CommandDeps, bulkId: string, ownerId: string): Promise<void> {
  await deps.db.transaction().execute((tx) => insertChange(tx, 'bulk-action', bulkId, ownerId));
  deps.waker.wake('gantry_change');
}
