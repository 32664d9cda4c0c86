// Commands on sets of jobs: preview, ask, follow, abort. Thin: read the set, command, present.
import { createHash } from 'node:crypto';
import { listBulkActions, listBulkItems } from '../../db/queries/bulkActions';
import type { JobFilter } from '../../db/queries/jobs';
import type { Actor } from '../../jobs/actor';
import {
  abortBulkAction,
  countSet,
  createBulkAction,
  findVisibleBulk,
  requireMayAct,
  type BulkSet,
} from '../../jobs/bulk/createBulkAction';
import type { BulkRequest } from '../../jobs/bulk/judgeJob';
import { invalid, type FieldFault } from '../../lib/errors';
import { newId } from '../../lib/ids';
import { canonicalJson } from '../../lib/signing';
import type { ApiDeps } from '../apiDeps';
import * as contract from '../contract/bulkActions';
import { idCursor, uuidCursor } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import { sides } from '../../jobs/jobFilter';
import { paged } from '../paged';
import { presentBulk, presentBulkItem } from '../presenters/bulkAction';
import { makeOnce, reservationOf } from './idempotentStart';
import { jobFilterOf, type FilterQuery } from '../../jobs/jobFilterOf';

const ROUTE = 'POST /bulk-actions';

export const bulkActionRoutes: Route[] = [
  implement(contract.createBulkAction, async ({ body, actor, deps, request, response }) => {
    checkBody(body);
    const asked = requestOf(body);
    requireMayAct(actor, asked);
    const set = await setOf(deps, actor, body);
    if (body.dryRun) {
      const counts = await countSet(deps.commands, deps.db, actor, asked, set);
      response
        .status(200)
        .json({ dryRun: true, action: asked.action, ...counts, skipped: counts.total - counts.matched });
      return undefined;
    }
    const id = newId();
    const { expected } = body;
    const hash = createHash('sha256').update(canonicalJson(body)).digest();
    const outcome = await makeOnce(deps, reservationOf(request, actor, ROUTE, id), hash, (idempotency) =>
      createBulkAction(deps.commands, actor, { id, request: asked, set, expected, idempotency }),
    );
    if ('standing' in outcome) response.setHeader('Idempotency-Replayed', 'true');
    const bulk = 'made' in outcome ? outcome.made : await findVisibleBulk(deps.db, actor, outcome.standing);
    response.location(`/api/v1/bulk-actions/${bulk.id}`);
    return presentBulk(bulk);
  }),
  implement(contract.listBulkActions, async ({ query, actor, deps }) =>
    paged(
      query,
      uuidCursor,
      ({ after, limit }) =>
        listBulkActions(deps.db, {
          ownerId: actor.role === 'superadmin' ? null : actor.id,
          before: after?.[0] ?? null,
          limit,
        }),
      (row) => [row.id],
      (rows) => rows.map(presentBulk),
    ),
  ),
  implement(contract.getBulkAction, async ({ params, actor, deps }) =>
    presentBulk(await findVisibleBulk(deps.db, actor, params.bulkId)),
  ),
  implement(contract.listBulkResults, async ({ params, query, actor, deps }) => {
    await findVisibleBulk(deps.db, actor, params.bulkId);
    return paged(
      query,
      idCursor,
      ({ after, limit }) =>
        listBulkItems(deps.db, params.bulkId, { result: query.result ?? null, after: after?.[0] ?? null, limit }),
      (row) => [row.place],
      (rows) => rows.map(presentBulkItem),
    );
  }),
  implement(contract.abortBulkAction, async ({ params, actor, deps }) =>
    presentBulk(await abortBulkAction(deps.commands, actor, params.bulkId)),
  ),
];

function requestOf({ action, only, code, priority, reason }: contract.BulkBody): BulkRequest {
  return {
    action,
    ...(only === undefined ? {} : { only }),
    ...(code === undefined ? {} : { code }),
    ...(priority === undefined ? {} : { priority }),
    ...(reason === undefined ? {} : { reason }),
  };
}

async function setOf(deps: ApiDeps, actor: Actor, { ids, filter, all }: contract.BulkBody): Promise<BulkSet> {
  if (ids) {
    // A foreign job is as little there as one that does not exist.
    const own: JobFilter = actor.role === 'superadmin' ? {} : { owners: { in: [actor.id] } };
    return { filter: { ...own, ids }, ids, selection: { ids: new Set(ids).size } };
  }
  const query: FilterQuery = filter ?? { group: 'all', hidden: 'show' };
  return {
    filter: await jobFilterOf(deps, actor, query),
    ids: null,
    selection: { filter: query, ...(all ? { all } : {}) },
  };
}

/** What no schema says: which members go together. @throws GantryError invalid */
function checkBody(body: contract.BulkBody): void {
  const { action, ids, filter, all, only, code, priority } = body;
  const faults: FieldFault[] = [];
  const fault = (path: string, message: string): void => void faults.push({ path, message });
  if (ids && (filter || all)) fault('ids', 'go without a filter and without all');
  if (!ids && !all && !(filter && chooses(filter))) {
    fault(filter ? 'filter' : 'ids', 'name the jobs by ids, or choose them by a filter; all: true takes every job');
  }
  if (only !== undefined && action !== 'requeue') fault('only', 'goes with requeue');
  if (code !== undefined && only !== 'failed') fault('code', 'goes with only: "failed", whose rows it chooses from');
  if ((priority !== undefined) !== (action === 'prioritize')) fault('priority', 'goes with prioritize, and only there');
  if (!ids && !body.dryRun && body.expected === undefined && needsPreview(body)) {
    fault('expected', 'say how many jobs the preview counted: ask with dryRun: true first, and send its total');
  }
  if (faults.length > 0) throw invalid(faults);
}

/** Whether a filter leaves anything out. Scope and owner rights are no choice: they hold anyway. */
function chooses(filter: NonNullable<contract.BulkBody['filter']>): boolean {
  const { state, kind, owner, group, q, since, until } = filter;
  const isSaid = (text: string | undefined): boolean => {
    const { include, exclude } = sides(text);
    return include.length + exclude.length > 0;
  };
  return (
    [state, kind, owner].some(isSaid) ||
    group !== 'all' ||
    since !== undefined ||
    until !== undefined ||
    /[^*\s]/.test(q ?? '')
  );
}

/** Running everything again, and emptying what an owner or a kind has waiting, are never done unseen. */
function needsPreview({ action, filter, all }: contract.BulkBody): boolean {
  if (action === 'requeue') return true;
  return action === 'cancel' && (all === true || filter?.owner !== undefined || filter?.kind !== undefined);
}
