// The calls about one's own settings and saved filters: beside client.ts, since only dialogs that are loaded later need them.
import { answer, http } from './client';
import type { MeChange, SavedFilter } from './types';

export const ownClient = {
  /** Refused when somebody changed the account since that version. */
  changeMe: (body: MeChange, version: number) =>
    answer(http.PATCH('/api/v1/me', { params: { header: { 'If-Match': String(version) } }, body })),
  savedFilters: async (signal?: AbortSignal) =>
    (await answer(http.GET('/api/v1/saved-filters', { params: { query: { limit: 100 } }, signal }))).items,
  saveFilter: (name: string, filter: SavedFilter['filter']) =>
    answer(http.POST('/api/v1/saved-filters', { body: { name, filter, shared: false } })),
  deleteFilter: (filterId: string) =>
    answer(http.DELETE('/api/v1/saved-filters/{filterId}', { params: { path: { filterId } } })),
};
