// The endpoints of saved filters, and of the kinds that one hides from lists.
import { z } from 'zod';
import { instant, page, paging, uuid } from './common';
import { endpoint } from './endpoint';
import { jobFilterQuery, SORTS } from '../../jobs/jobFilter';

/** The parameters of GET /jobs, none of them filled in. */
const filter = z.strictObject({
  ...jobFilterQuery,
  group: jobFilterQuery.group.unwrap().optional(),
  hidden: jobFilterQuery.hidden.unwrap().optional(),
  sort: z.enum(SORTS).optional(),
});
const name = z.string().trim().min(1).max(30);

export const savedFilterDoc = z.object({
  id: uuid,
  name,
  filter,
  /** Everybody may read it; only its owner changes it. */
  shared: z.boolean(),
  owner: z.object({ id: uuid, name: z.string() }),
  isOwn: z.boolean(),
  createdAt: instant,
  version: z.int(),
});

const tag = 'saved filters';
const params = z.object({ filterId: uuid });

export const listSavedFilters = endpoint({
  method: 'get',
  path: '/saved-filters',
  tag,
  summary: 'Own saved filters and those that are shared, newest first',
  access: 'signedIn',
  query: z.strictObject(paging),
  response: page(savedFilterDoc),
});
export const createSavedFilter = endpoint({
  method: 'post',
  path: '/saved-filters',
  tag,
  summary: 'Keep a filter of the job list under a name; `shared` is for superadmins',
  access: 'signedIn',
  body: z.strictObject({ name, filter, shared: z.boolean().default(false) }),
  status: 201,
  response: savedFilterDoc,
});
export const changeSavedFilter = endpoint({
  method: 'patch',
  path: '/saved-filters/:filterId',
  tag,
  summary: 'Change an own saved filter; If-Match takes the version',
  access: 'signedIn',
  params,
  headers: ['If-Match'],
  body: z.strictObject({ name: name.optional(), filter: filter.optional(), shared: z.boolean().optional() }),
  response: savedFilterDoc,
});
export const deleteSavedFilter = endpoint({
  method: 'delete',
  path: '/saved-filters/:filterId',
  tag,
  summary: 'Delete an own saved filter',
  access: 'signedIn',
  params,
  status: 204,
});

const hiddenKinds = z.object({ kinds: z.array(z.string()) });
export const getHiddenKinds = endpoint({
  method: 'get',
  path: '/me/hidden-kinds',
  tag,
  summary: 'The kinds that one hides from the lists of jobs',
  access: 'signedIn',
  response: hiddenKinds,
});
export const setHiddenKinds = endpoint({
  method: 'put',
  path: '/me/hidden-kinds',
  tag,
  summary: 'Hide these kinds and no others; an empty list shows all again. Changes what one sees, and no job',
  access: 'signedIn',
  body: z.strictObject({ kinds: z.array(z.string().min(1).max(200)).max(200) }),
  response: hiddenKinds,
});
