// Sign-in by the provider. Answers with redirects; what went wrong is told by a code in the address of the sign-in page.
import { notFound, messageOf } from '../../lib/errors';
import { finishOidcSignIn } from '../auth/oidcSignIn';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/oidc';

const START = '/api/v1/auth/oidc/start';
const signInPage = (code: string): string => `/admin/?signIn=${code}`;

export const oidcRoutes: Route[] = [
  implement(contract.getSignInMethods, ({ deps }) =>
    Promise.resolve({
      password: true as const,
      oidc: deps.oidc ? { name: deps.oidc.config.name, url: START } : null,
    }),
  ),
  implement(contract.startOidc, async ({ query, request, response, deps }) => {
    if (!deps.oidc) throw notFound('way to sign in');
    try {
      const { pending, url } = await deps.oidc.begin(query.returnTo);
      request.session.oidc = pending;
      response.redirect(303, url.href);
    } catch (error) {
      deps.logger.error(
        { requestId: request.id, error: messageOf(error, 300) },
        'the sign-in provider does not answer',
      );
      response.redirect(303, signInPage('oidc_away'));
    }
  }),
  implement(contract.finishOidc, async ({ request, response, deps }) => {
    if (!deps.oidc) throw notFound('way to sign in');
    const result = await finishOidcSignIn(deps, request);
    response.redirect(303, 'returnTo' in result ? result.returnTo : signInPage(result.refused));
  }),
];
