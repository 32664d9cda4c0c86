// The endpoints of sign-in by an OpenID Connect provider, and the ways to sign in that there are.
import { z } from 'zod';
import { endpoint } from './endpoint';

/** A page of the admin UI and nothing else: nobody is sent elsewhere after a sign-in. */
const returnTo = z
  .string()
  .max(500)
  .regex(/^\/admin\/[\x21-\x7e]*$/, 'takes a page of the admin UI, such as /admin/jobs')
  .refine((text) => !text.includes('\\'), 'takes no backslash');

export const getSignInMethods = endpoint({
  method: 'get',
  path: '/auth/methods',
  tag: 'account',
  summary: 'The ways to sign in',
  access: 'anonymous',
  response: z.object({ password: z.literal(true), oidc: z.object({ name: z.string(), url: z.string() }).nullable() }),
});
export const startOidc = endpoint({
  method: 'get',
  path: '/auth/oidc/start',
  tag: 'account',
  summary: 'Sends the browser to the provider to sign in',
  access: 'anonymous',
  query: z.strictObject({ returnTo: returnTo.default('/admin/') }),
  status: 303,
});
export const finishOidc = endpoint({
  method: 'get',
  path: '/auth/oidc/callback',
  tag: 'account',
  summary: 'Where the provider sends the browser back: signs in, or tells the sign-in page why not',
  access: 'anonymous',
  // Whatever the provider adds; what counts is checked by the state.
  query: z.object({ code: z.string().max(5000).optional(), state: z.string().max(1000).optional() }),
  status: 303,
});
