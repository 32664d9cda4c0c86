// The filter in the address -> the filter of the query, with the caller's rights applied.
import { databaseNow } from '../db/queries/clock';
import type { Choice, JobFilter } from '../db/queries/jobs';
import { findHiddenKinds } from '../db/queries/savedFilters';
import { findUser, findUserByEmail } from '../db/queries/users';
import type { Actor } from './actor';
import { GantryError, invalid } from '../lib/errors';
import { isUuid } from '../lib/ids';
import type { Db } from '../db/database';
import { instantOf, sides, stateSides, type Fault, type Sides } from './jobFilter';

const TODAY = 'today';

export interface FilterQuery {
  scope?: 'mine' | 'all' | undefined;
  group: 'all' | 'processed' | 'unprocessed';
  state?: string | undefined;
  kind?: string | undefined;
  owner?: string | undefined;
  q?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  timeZone?: string | undefined;
  hidden?: 'hide' | 'show' | undefined;
}

/** @throws GantryError invalid with the parameters at fault; forbidden for somebody else's jobs. */
export async function jobFilterOf(deps: { db: Db }, actor: Actor, query: FilterQuery): Promise<JobFilter> {
  const faults: Fault[] = [];
  const now = await databaseNow(deps.db);
  const states = stateSides(query.state, faults);
  const zoneOf = await zones(deps, actor, query);
  const since = instantOf('since', query.since, zoneOf(query.since), now, faults);
  const until = instantOf('until', query.until, zoneOf(query.until), now, faults);
  if (faults.length > 0) throw invalid(faults);
  return {
    owners: await ownersOf(deps, actor, query),
    states: choiceOf(states),
    kinds: await kindsOf(deps, actor, query),
    ...(query.group === 'all' ? {} : { group: query.group }),
    ...(query.q ? { q: query.q } : {}),
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
  };
}

/** A day begins where the caller is, unless another zone is asked for. */
async function zones(
  deps: { db: Db },
  actor: Actor,
  { timeZone, since, until }: FilterQuery,
): Promise<(text: string | undefined) => string | undefined> {
  const isWanted = timeZone === undefined && (since === TODAY || until === TODAY);
  const own = isWanted ? (await findUser(deps.db, actor.id))?.timeZone : undefined;
  return (text) => timeZone ?? (text === TODAY ? own : undefined);
}

function choiceOf<T>(both: Sides<T>): Choice<T> {
  return {
    ...(both.include.length > 0 ? { in: both.include } : {}),
    ...(both.exclude.length > 0 ? { notIn: both.exclude } : {}),
  };
}

/** What one hides is left out, unless one asks for it by name. */
async function kindsOf(deps: { db: Db }, actor: Actor, query: FilterQuery): Promise<Choice<string>> {
  const { include, exclude } = sides(query.kind);
  const hidden = query.hidden === 'hide' && include.length === 0 ? await findHiddenKinds(deps.db, actor.id) : [];
  return choiceOf({ include, exclude: [...exclude, ...hidden] });
}

async function ownersOf(deps: { db: Db }, actor: Actor, query: FilterQuery): Promise<Choice<string>> {
  const asked = sides(query.owner);
  const include = await idsOf(deps, asked.include);
  const exclude = await idsOf(deps, asked.exclude);
  const seesAll = actor.role === 'superadmin';
  if (!seesAll && (query.scope === 'all' || include.some((id) => id !== actor.id))) {
    throw new GantryError(
      'forbidden',
      'You see your own jobs only. Leave `scope` and `owner` out, or ask a superadmin.',
    );
  }
  const isMine = !seesAll || query.scope === 'mine';
  const wanted = isMine ? (include.length === 0 || include.includes(actor.id) ? [actor.id] : []) : include;
  return {
    ...(isMine || asked.include.length > 0 ? { in: wanted } : {}),
    ...(exclude.length > 0 ? { notIn: exclude } : {}),
  };
}

/** Ids as they are; e-mails of nobody become an id that owns nothing. */
async function idsOf(deps: { db: Db }, owners: string[]): Promise<string[]> {
  const NOBODY = '00000000-0000-0000-0000-00000000dead';
  return Promise.all(
    owners.map(async (owner) => (isUuid(owner) ? owner : ((await findUserByEmail(deps.db, owner))?.id ?? NOBODY))),
  );
}
