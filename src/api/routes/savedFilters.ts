// Saved filters, and the kinds that one hides. A filter is held against the same rules as the list it is for.
import type { z } from 'zod';
import { insertAudit } from '../../db/queries/audit';
import {
  deleteSavedFilter,
  findHiddenKinds,
  findSavedFilter,
  insertSavedFilter,
  listSavedFilters,
  setHiddenKinds,
  updateSavedFilter,
  type SavedFilterRow,
} from '../../db/queries/savedFilters';
import type { Actor } from '../../jobs/actor';
import { GantryError, invalid, notFound } from '../../lib/errors';
import { newId } from '../../lib/ids';
import type { ApiDeps } from '../apiDeps';
import { uuidCursor } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/savedFilters';
import { paged } from '../paged';
import { versionOf } from '../router';
import { jobFilterOf } from '../../jobs/jobFilterOf';

type Doc = z.infer<typeof contract.savedFilterDoc>;

function present(row: SavedFilterRow, actor: Actor): Doc {
  return {
    id: row.id,
    name: row.name,
    filter: JSON.parse(row.filter) as Doc['filter'],
    shared: row.shared,
    owner: { id: row.userId, name: row.ownerName },
    isOwn: row.userId === actor.id,
    createdAt: row.createdAt.toISOString(),
    version: row.version,
  };
}

async function show(deps: ApiDeps, actor: Actor, id: string): Promise<Doc> {
  const row = await findSavedFilter(deps.db, id, actor.id);
  if (!row) throw notFound('filter');
  return present(row, actor);
}

/** @throws GantryError as GET /jobs would with these parameters. */
async function checkFilter(deps: ApiDeps, actor: Actor, filter: Doc['filter']): Promise<void> {
  try {
    await jobFilterOf(deps, actor, { group: 'all', ...filter });
  } catch (error) {
    if (!(error instanceof GantryError) || !error.extras.fields) throw error;
    throw invalid(error.extras.fields.map(({ path, message }) => ({ path: `filter.${path}`, message })));
  }
}

function checkShare(actor: Actor, shared: boolean | undefined): void {
  if (shared && actor.role !== 'superadmin')
    throw new GantryError('forbidden', 'Only superadmins share filters. Nothing was stored; leave `shared` out.');
}

function taken(name: string): GantryError {
  return new GantryError('already_exists', `You have a filter named "${name}" already. Nothing was stored.`);
}

/** Own ones only: a shared filter may be read by others, not changed. */
async function ownFilter(deps: ApiDeps, actor: Actor, id: string): Promise<SavedFilterRow> {
  const row = await findSavedFilter(deps.db, id, actor.id);
  if (!row) throw notFound('filter');
  if (row.userId !== actor.id)
    throw new GantryError('forbidden', `This filter is ${row.ownerName}'s; nothing was changed. Save one of your own.`);
  return row;
}

const audited = (action: string, actor: Actor, id: string) => ({
  actor,
  action: `saved_filter.${action}`,
  subjectType: 'saved_filter',
  subjectId: id,
});

export const savedFilterRoutes: Route[] = [
  implement(contract.listSavedFilters, ({ query, actor, deps }) =>
    paged(
      query,
      uuidCursor,
      ({ after, limit }) => listSavedFilters(deps.db, { userId: actor.id, after: after?.[0] ?? null, limit }),
      (row) => [row.id],
      (rows) => rows.map((row) => present(row, actor)),
    ),
  ),
  implement(contract.createSavedFilter, async ({ body, actor, deps }) => {
    checkShare(actor, body.shared);
    await checkFilter(deps, actor, body.filter);
    const id = newId();
    await deps.db.transaction().execute(async (tx) => {
      const values = { name: body.name, filter: JSON.stringify(body.filter), shared: body.shared };
      if (!(await insertSavedFilter(tx, { id, userId: actor.id, ...values }))) throw taken(body.name);
      await insertAudit(tx, { ...audited('create', actor, id), after: body });
    });
    return show(deps, actor, id);
  }),
  implement(contract.changeSavedFilter, async ({ params, body, actor, deps, request }) => {
    const before = await ownFilter(deps, actor, params.filterId);
    checkShare(actor, body.shared);
    if (body.filter) await checkFilter(deps, actor, body.filter);
    const { filter, ...plain } = body;
    const change = { ...plain, ...(filter ? { filter: JSON.stringify(filter) } : {}) };
    await deps.db.transaction().execute(async (tx) => {
      const result = await updateSavedFilter(tx, before.id, versionOf(request), change);
      if (result === 'taken') throw taken(body.name ?? before.name);
      if (result === 'moved')
        throw new GantryError('version_moved', 'This filter was changed meanwhile; nothing was stored. Read it again.');
      const was = { name: before.name, filter: JSON.parse(before.filter) as unknown, shared: before.shared };
      await insertAudit(tx, { ...audited('change', actor, before.id), before: was, after: body });
    });
    return show(deps, actor, before.id);
  }),
  implement(contract.deleteSavedFilter, async ({ params, actor, deps }) => {
    const before = await ownFilter(deps, actor, params.filterId);
    await deps.db.transaction().execute(async (tx) => {
      await deleteSavedFilter(tx, before.id);
      await insertAudit(tx, { ...audited('delete', actor, before.id), before: { name: before.name } });
    });
    return undefined;
  }),
  implement(contract.getHiddenKinds, async ({ actor, deps }) => ({
    kinds: await findHiddenKinds(deps.db, actor.id),
  })),
  implement(contract.setHiddenKinds, async ({ body, actor, deps }) => {
    const kinds = [...new Set(body.kinds)].sort();
    await deps.db.transaction().execute(async (tx) => {
      const before = { kinds: await findHiddenKinds(tx, actor.id) };
      await setHiddenKinds(tx, actor.id, kinds);
      const subject = { subjectType: 'user', subjectId: actor.id };
      await insertAudit(tx, { actor, action: 'user.hide_kinds', ...subject, before, after: { kinds } });
    });
    return { kinds };
  }),
];
