// The endpoints of sign-in, the caller, users and tokens.
import { z } from 'zod';
import { instant, page, paging, uuid } from './common';
import { endpoint, SUPERADMIN } from './endpoint';
import { isTimeZone } from '../../lib/relativeTime';
import { SCOPE_NAMES } from './scopes';

const role = z.enum(['user', 'power_user', 'superadmin']);
const name = z.string().trim().min(1).max(200);
const password = z.string().min(8).max(256);
const language = z.enum(['en', 'fr', 'ko']);
const timeZone = z.string().max(60).refine(isTimeZone, 'takes an IANA time zone such as Europe/Berlin');
const noticePreference = z.enum(['always', 'failures', 'never', 'digest']);

export const userDoc = z.object({
  id: uuid,
  email: z.string(),
  name: z.string(),
  role,
  language: z.string(),
  timeZone: z.string(),
  noticePreference,
  /** Whether a superadmin gets mails about what is wrong with the installation. */
  alerts: z.boolean(),
  disabled: z.boolean(),
  createdAt: instant,
  version: z.int(),
});
export const meDoc = userDoc.extend({
  /** What the role may do, for the pages to show. */
  may: z.object({ listJobs: z.boolean(), seeAllJobs: z.boolean(), steerAllJobs: z.boolean(), administer: z.boolean() }),
});

export const signIn = endpoint({
  method: 'post',
  path: '/session',
  tag: 'account',
  summary: 'Sign in: sets the session cookie',
  access: 'anonymous',
  body: z.strictObject({ email: z.string().min(1).max(320), password: z.string().min(1).max(256) }),
  response: z.object({ user: meDoc }),
});
export const signOut = endpoint({
  method: 'delete',
  path: '/session',
  tag: 'account',
  summary: 'Sign out',
  access: 'anonymous',
  status: 204,
});
export const getMe = endpoint({
  method: 'get',
  path: '/me',
  tag: 'account',
  summary: 'Who one is and what one may do',
  access: 'signedIn',
  scope: null,
  response: meDoc,
});
export const changeMe = endpoint({
  method: 'patch',
  path: '/me',
  tag: 'account',
  summary: 'Change own name, language, time zone, notice preference or password; If-Match takes the version',
  access: 'signedIn',
  headers: ['If-Match'],
  body: z.strictObject({
    name: name.optional(),
    language: language.optional(),
    timeZone: timeZone.optional(),
    noticePreference: noticePreference.optional(),
    alerts: z.boolean().optional(),
    password: password.optional(),
    currentPassword: z.string().max(256).optional(),
  }),
  response: meDoc,
});

const userParams = z.object({ userId: uuid });
export const listUsers = endpoint({
  method: 'get',
  path: '/users',
  tag: 'users',
  summary: 'Users, newest first',
  access: SUPERADMIN,
  query: z.strictObject(paging),
  response: page(userDoc),
});
export const createUser = endpoint({
  method: 'post',
  path: '/users',
  tag: 'users',
  summary: 'Make an account',
  access: SUPERADMIN,
  body: z.strictObject({ email: z.email().max(320), name, role, password: password.optional() }),
  status: 201,
  response: userDoc,
});
export const getUser = endpoint({
  method: 'get',
  path: '/users/:userId',
  tag: 'users',
  summary: 'One user',
  access: SUPERADMIN,
  params: userParams,
  response: userDoc,
});
export const changeUser = endpoint({
  method: 'patch',
  path: '/users/:userId',
  tag: 'users',
  summary: 'Change an account; If-Match takes the version',
  access: SUPERADMIN,
  params: userParams,
  headers: ['If-Match'],
  body: z.strictObject({
    name: name.optional(),
    role: role.optional(),
    disabled: z.boolean().optional(),
    password: password.optional(),
  }),
  response: userDoc,
});
export const deleteUser = endpoint({
  method: 'delete',
  path: '/users/:userId',
  tag: 'users',
  summary: 'Delete an account; its jobs stay under the name it had',
  access: SUPERADMIN,
  params: userParams,
  status: 204,
});

const scopes = z.array(z.enum(SCOPE_NAMES)).min(1);
export const tokenDoc = z.object({
  id: uuid,
  userId: uuid,
  name: z.string(),
  createdAt: instant,
  expiresAt: instant.nullable(),
  lastUsedAt: instant.nullable(),
  /** Null: all that its user may do. */
  scopes: scopes.nullable(),
});
export const listTokens = endpoint({
  method: 'get',
  path: '/tokens',
  tag: 'tokens',
  summary: 'Own tokens; a superadmin sees all',
  access: 'signedIn',
  query: z.strictObject(paging),
  response: page(tokenDoc),
});
export const createToken = endpoint({
  method: 'post',
  path: '/tokens',
  tag: 'tokens',
  summary: 'Make a token; it is shown once. Without `scopes` it may do all that its user, or the token in hand, may do',
  access: 'signedIn',
  body: z.strictObject({
    name,
    userId: uuid.optional(),
    expiresAt: z.iso.datetime({ offset: true }).optional(),
    scopes: scopes.optional(),
  }),
  status: 201,
  response: tokenDoc.extend({ token: z.string() }),
});
export const deleteToken = endpoint({
  method: 'delete',
  path: '/tokens/:tokenId',
  tag: 'tokens',
  summary: 'Delete a token; it is refused from then on',
  access: 'signedIn',
  params: z.object({ tokenId: uuid }),
  status: 204,
});
