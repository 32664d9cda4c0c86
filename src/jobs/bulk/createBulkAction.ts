// A command on a set of jobs: counted beforehand, frozen when it is asked for, taken back while it is under way.
// Called by the routes of bulk actions; workers carry it out (carryOut.ts).
import type { Db } from '../../db/database';
import { insertAudit } from '../../db/queries/audit';
import {
  countSeenStates,
  findBulkAction,
  groupMatching,
  insertBulkAction,
  insertMatching,
  insertMissing,
  markBulkAborted,
  setBulkTotal,
  type BulkRow,
} from '../../db/queries/bulkActions';
import { insertChange } from '../../db/queries/events';
import { finishKey, type Reservation } from '../../db/queries/idempotency';
import type { JobFilter } from '../../db/queries/jobs';
import { withRetry } from '../../db/retry';
import { GantryError, invalid, notFound } from '../../lib/errors';
import type { Actor } from '../actor';
import { mayEver } from '../allowedActions';
import type { CommandDeps } from '../commandDeps';
import { judgeJob, SKIP_REASONS, type BulkRequest } from './judgeJob';

/** What is gone cannot be fetched back, so it is not taken away before this. */
const DELETE_UNDO_MS = 10_000;

export interface BulkSet {
  /** With the asker's rights applied. */
  filter: JobFilter;
  /** Null for a set by filter. */
  ids: string[] | null;
  /** As it was asked for, to be shown: the filter, or how many ids. */
  selection: Record<string, unknown>;
}

export interface SetCounts {
  total: number;
  /** Jobs that the command would be tried on. */
  matched: number;
  byState: Record<string, number>;
  skippedBy: Record<string, number>;
}

/** @throws GantryError forbidden when the role may never do this to any job. */
export function requireMayAct(actor: Actor, request: BulkRequest): void {
  if (mayEver({ ownerId: actor.id, waitingFor: 'trial' }, request.action, actor)) return;
  throw new GantryError(
    'forbidden',
    `Your role may not ${request.action} jobs. Nothing was changed; ask a superadmin.`,
  );
}

/** What the command would come to; changes nothing. */
export async function countSet(
  deps: CommandDeps,
  db: Db,
  actor: Actor,
  request: BulkRequest,
  set: BulkSet,
): Promise<SetCounts> {
  const groups = await groupMatching(db, set.filter, actor.id);
  const counts: SetCounts = { total: 0, matched: 0, byState: {}, skippedBy: {} };
  const add = (to: Record<string, number>, name: string, count: number): void => {
    to[name] = (to[name] ?? 0) + count;
  };
  for (const group of groups) {
    counts.total += group.count;
    add(counts.byState, group.state, group.count);
    const reason = judgeJob(group, await deps.catalog.get(group.kind), request, actor);
    if (reason === null) counts.matched += group.count;
    else add(counts.skippedBy, reason, group.count);
  }
  const missing = set.ids ? new Set(set.ids).size - counts.total : 0;
  if (missing > 0) {
    add(counts.skippedBy, 'not_found', missing);
    counts.total += missing;
  }
  return counts;
}

export interface NewBulk {
  id: string;
  request: BulkRequest;
  set: BulkSet;
  /** The total that the preview showed. */
  expected?: number;
  idempotency?: { reservation: Reservation; hash: Buffer };
}

/** Freezes the set. @throws GantryError set_changed, and nothing is kept, when it is not as large as was expected. */
export async function createBulkAction(deps: CommandDeps, actor: Actor, bulk: NewBulk): Promise<BulkRow> {
  const { id, request, set, expected } = bulk;
  requireMayAct(actor, request);
  if (request.action === 'cancel' && deps.settings.requireCancelReason && !request.reason?.trim()) {
    throw invalid([{ path: 'reason', message: 'say why: this installation asks for a reason of every cancel' }]);
  }
  const { action, ...input } = request;
  const row = await withRetry(() =>
    deps.db.transaction().execute(async (tx) => {
      await insertBulkAction(
        tx,
        {
          id,
          action,
          input: JSON.stringify(input),
          selection: JSON.stringify(set.selection),
          ownerId: actor.id,
          ownerName: actor.name,
          ownerEmail: actor.email,
          ownerRole: actor.role,
          requestId: actor.requestId ?? null,
        },
        action === 'delete' ? DELETE_UNDO_MS : 0,
      );
      const found = await insertMatching(tx, id, set.filter);
      const why = { code: 'not_found', message: SKIP_REASONS.not_found };
      const total = found + (set.ids ? await insertMissing(tx, id, set.ids, found, why) : 0);
      if (expected !== undefined && expected !== total) {
        const counts = await countSet(deps, tx, actor, request, set);
        throw new GantryError(
          'set_changed',
          `The set holds ${total} jobs now, not ${expected}. Nothing was done; look at the new counts and ask again.`,
          { more: { counts } },
        );
      }
      await setBulkTotal(tx, id, total);
      await insertAudit(tx, {
        actor,
        action: 'bulk-action.create',
        subjectType: 'bulk-action',
        subjectId: id,
        after: { ...request, selection: set.selection, total, byState: await countSeenStates(tx, id) },
        reason: request.reason ?? null,
      });
      await insertChange(tx, 'bulk-action', id, actor.id);
      if (bulk.idempotency && !(await finishKey(tx, bulk.idempotency.reservation, id, bulk.idempotency.hash))) {
        throw new GantryError(
          'idempotency_mismatch',
          'The Idempotency-Key was taken over by a later call; nothing was done.',
        );
      }
      return findBulkAction(tx, id);
    }),
  );
  deps.waker.wake('gantry_bulk');
  deps.waker.wake('gantry_change');
  if (!row) throw notFound('bulk action');
  return row;
}

/** Superadmins see all, others their own. */
export async function findVisibleBulk(db: Db, actor: Actor, id: string): Promise<BulkRow> {
  const bulk = await findBulkAction(db, id);
  if (!bulk || (actor.role !== 'superadmin' && bulk.ownerId !== actor.id)) throw notFound('bulk action');
  return bulk;
}

/** Stops what has not been done; what was done stays done. Asked twice, the first answer stands. */
export async function abortBulkAction(deps: CommandDeps, actor: Actor, id: string): Promise<BulkRow> {
  const seen = await findVisibleBulk(deps.db, actor, id);
  if (seen.state === 'aborted') return seen;
  const aborted = await withRetry(() =>
    deps.db.transaction().execute(async (tx) => {
      if (!(await markBulkAborted(tx, id, null))) return false;
      const { counts, total } = await findVisibleBulk(tx, actor, id);
      await insertAudit(tx, {
        actor,
        action: 'bulk-action.abort',
        subjectType: 'bulk-action',
        subjectId: id,
        before: { state: seen.state },
        after: { state: 'aborted', total, ...counts },
      });
      await insertChange(tx, 'bulk-action', id, seen.ownerId);
      return true;
    }),
  );
  deps.waker.wake('gantry_change');
  const now = await findVisibleBulk(deps.db, actor, id);
  if (aborted || now.state === 'aborted') return now;
  throw new GantryError(
    'state_forbids',
    'The bulk action has ended: every job of it was dealt with, and nothing is left to stop.',
  );
}
