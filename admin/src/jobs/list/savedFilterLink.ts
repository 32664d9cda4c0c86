// A saved filter -> the address of the Background jobs page that shows it, and back. Pure.
import type { SavedFilter } from '../../api/types';
import { QUICK_DATES } from '../../format/QuickDates';
import type { JobFilters } from './jobFilters';

/** What the page has a control for. Filters made through the API may say more. */
const SHOWN = ['scope', 'group', 'state', 'kind', 'owner', 'q', 'since', 'timeZone'];

/** Null: the page can show it. */
export function whyNotShown({ filter }: SavedFilter): string | null {
  const more = Object.keys(filter).filter((name) => !SHOWN.includes(name));
  if (filter.since !== undefined && !QUICK_DATES.some((date) => date === filter.since)) more.push('since');
  return more.length === 0 ? null : `This page has no control for: ${more.join(', ')}. The API shows it.`;
}

export function addressOf({ filter }: SavedFilter): string {
  const params = new URLSearchParams();
  for (const name of ['group', 'state', 'kind', 'owner', 'q', 'since'] as const) {
    const value = filter[name];
    if (value !== undefined && value !== 'all') params.set(name, value);
  }
  if (filter.scope === 'mine') params.set('scope', 'mine');
  return params.toString();
}

/** The parameters of GET /jobs, as they are stored: relative times stay relative. */
export function storedFilterOf(filters: JobFilters, timeZone: string): SavedFilter['filter'] {
  const { scope, group, states, kind, owner, q, date } = filters;
  return {
    scope,
    ...(group === 'all' ? {} : { group }),
    ...(states.length === 0 ? {} : { state: states.join(',') }),
    ...(kind === '' ? {} : { kind }),
    ...(owner === '' ? {} : { owner }),
    ...(q === '' ? {} : { q }),
    ...(date === 'all' ? {} : { since: date, timeZone }),
  };
}
