// What the Background jobs page shows, as it stands in the address: back and forward bring it back, a copied link shares it.
// Pure but for useJobFilters.
import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { JobQuery, JobState, Role } from '../../api/types';
import { readQuickDate, sinceOf, type QuickDate } from '../../format/QuickDates';
import { useMe } from '../../session/useMe';
import { STATE_NAMES } from '../jobStates';

export interface JobFilters {
  scope: 'all' | 'mine';
  group: 'all' | 'processed' | 'unprocessed';
  states: JobState[];
  kind: string;
  owner: string;
  q: string;
  date: QuickDate;
}

export function readFilters(params: URLSearchParams, role: Role): JobFilters {
  const group = params.get('group');
  const states = (params.get('state') ?? '').split(',');
  return {
    scope: role === 'superadmin' && params.get('scope') !== 'mine' ? 'all' : 'mine',
    group: group === 'processed' || group === 'unprocessed' ? group : 'all',
    states: STATE_NAMES.filter((state) => states.includes(state)),
    kind: params.get('kind') ?? '',
    owner: role === 'superadmin' && params.get('scope') !== 'mine' ? (params.get('owner') ?? '') : '',
    q: params.get('q') ?? '',
    date: readQuickDate(params.get('since'), 'all'),
  };
}

export function writeFilters(filters: JobFilters): URLSearchParams {
  const params = new URLSearchParams();
  if (filters.scope === 'mine') params.set('scope', 'mine');
  if (filters.group !== 'all') params.set('group', filters.group);
  if (filters.states.length > 0) params.set('state', filters.states.join(','));
  if (filters.kind !== '') params.set('kind', filters.kind);
  if (filters.owner !== '') params.set('owner', filters.owner);
  if (filters.q !== '') params.set('q', filters.q);
  if (filters.date !== 'all') params.set('since', filters.date);
  return params;
}

/** The parameters of GET /jobs and GET /jobs/counts. */
export function queryOf(filters: JobFilters, timeZone: string): JobQuery {
  const { scope, group, states, kind, owner, q, date } = filters;
  const query: JobQuery = { scope, group, ...sinceOf(date, timeZone) };
  // The server refuses what is empty.
  if (states.length > 0) query.state = states.join(',');
  if (kind !== '') query.kind = kind;
  if (owner !== '') query.owner = owner;
  if (q !== '') query.q = q;
  return query;
}

/** What the list shows when nothing is chosen, whoever reads it. */
export const NO_FILTERS = {
  group: 'all',
  states: [],
  kind: '',
  owner: '',
  q: '',
  date: 'all',
} as const satisfies Partial<JobFilters>;

export function isFiltered(filters: JobFilters): boolean {
  return writeFilters({ ...filters, scope: 'all' }).size > 0;
}

export function useJobFilters(): [JobFilters, (change: Partial<JobFilters>) => void] {
  const { role } = useMe();
  const [params, setParams] = useSearchParams();
  const filters = useMemo(() => readFilters(params, role), [params, role]);
  const change = useCallback(
    (part: Partial<JobFilters>) => setParams((now) => writeFilters({ ...readFilters(now, role), ...part })),
    [setParams, role],
  );
  return [filters, change];
}
