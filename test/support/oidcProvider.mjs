// A real OpenID Connect provider in a process of its own, without hands: it signs in whoever `login_hint` names, or says no for
// the hint `unwilling`. PUT /people/<subject> sets the claims of a person. Started by test/support/oidc.ts.
import { createServer } from 'node:http';
import process from 'node:process';
import { URL } from 'node:url';
import Provider from 'oidc-provider';

const [clientId, clientSecret, redirectUri] = process.argv.slice(2);
const people = new Map();
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = providerOf(issuer);
  const callback = provider.callback();
  server.on('request', (request, response) => {
    const at = new URL(request.url, issuer).pathname.split('/');
    if (at[1] === 'people') return void setPerson(at[2], request, response);
    if (at[1] === 'interaction') return void interact(provider, request, response);
    callback(request, response);
  });
  process.send({ issuer });
});
process.on('disconnect', () => process.exit());

function providerOf(issuer) {
  return new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    cookies: { keys: ['only for tests'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
    findAccount: (_context, subject) =>
      people.has(subject)
        ? { accountId: subject, claims: () => ({ sub: subject, ...people.get(subject) }) }
        : undefined,
  });
}

async function setPerson(subject, request, response) {
  let text = '';
  for await (const part of request) text += part;
  people.set(subject, JSON.parse(text));
  response.writeHead(204).end();
}

async function interact(provider, request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (params.login_hint === 'unwilling')
    return provider.interactionFinished(request, response, { error: 'access_denied' });
  if (prompt.name === 'login')
    return provider.interactionFinished(request, response, { login: { accountId: params.login_hint } });
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope('openid email profile');
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}
