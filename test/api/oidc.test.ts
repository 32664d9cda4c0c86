// Sign-in by a real OpenID Connect provider: whom it brings back, and everything that must not get in that way.
import { freePort } from '../support/redisServer';
import { createBrowser, startOidcProvider, type Browser, type TestProvider } from '../support/oidc';
import { PASSWORD, startTestServer, type TestServer } from '../support/webServer';

let provider: TestProvider;
let server: TestServer;
beforeAll(async () => {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const client = { id: 'gantry', secret: 'a secret of the test', redirectUri: `${base}/api/v1/auth/oidc/callback` };
  provider = await startOidcProvider(client);
  server = await startTestServer({
    env: {
      PORT: String(port),
      BASE_URL: base,
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: client.id,
      OIDC_CLIENT_SECRET: client.secret,
      OIDC_NAME: 'the test provider',
      OIDC_ROLE_MAP: 'staff=user, leads=power_user, ops=superadmin',
    },
  });
}, 60_000);
afterAll(async () => {
  await server?.stop();
  await provider?.stop();
});

const person = (name: string, claims: object = {}): Promise<void> =>
  provider.setPerson(name, {
    email: `${name}@corp.example`,
    email_verified: true,
    name: `Dr. ${name}`,
    groups: ['staff'],
    ...claims,
  });

/** To the provider as somebody, up to the way back; `bend` changes what the browser carries there. */
async function toCallback(
  browser: Browser,
  who: string,
  bend: (url: URL) => void = () => undefined,
  query = '',
): Promise<URL> {
  const begun = await browser.go(
    `${server.url}/api/v1/auth/oidc/start${query}`,
    (url) => url.origin === provider.issuer,
  );
  begun.url.searchParams.set('login_hint', who);
  bend(begun.url);
  const back = await browser.go(begun.url.href, (url) => url.pathname.endsWith('/callback'));
  return back.url;
}

/** @returns the address of the page at which the browser ends. */
async function signIn(who: string, browser = createBrowser(), query = ''): Promise<string> {
  const { url } = await browser.go((await toCallback(browser, who, undefined, query)).href, (at) =>
    at.pathname.startsWith('/admin/'),
  );
  return url.pathname + url.search;
}

const me = async (browser: Browser) =>
  server.call(null, 'GET', '/api/v1/me', undefined, { Cookie: browser.cookie(server.url) });
const usersOf = async (email: string) =>
  server.database.kysely.selectFrom('appUser').selectAll().where('email', '=', email).execute();

it('tells the sign-in page of both ways', async () => {
  const { body } = await server.call(null, 'GET', '/api/v1/auth/methods');
  expect(body).toEqual({ password: true, oidc: { name: 'the test provider', url: '/api/v1/auth/oidc/start' } });
});

it('makes an account at the first sign-in, with the role of its groups, and audits it', async () => {
  await person('ada', { groups: ['staff', 'leads', 'else'] });
  const browser = createBrowser();
  expect(await signIn('ada', browser, '?returnTo=/admin/jobs')).toBe('/admin/jobs');
  const { body } = await me(browser);
  expect(body).toMatchObject({ email: 'ada@corp.example', name: 'Dr. ada', role: 'power_user' });
  const { items } = (await server.call('superadmin', 'GET', `/api/v1/audit?subjectId=${body.id}`)).body;
  expect(items.map((row: { action: string }) => row.action)).toEqual(['session.sign_in', 'user.link', 'user.create']);
  for (const row of items) expect(row.requestId).not.toBeNull();
  expect(items[0].after).toEqual({ by: 'oidc', issuer: provider.issuer });
});

it('finds the account by subject, even when its address changed', async () => {
  await person('bob');
  await signIn('bob');
  await person('bob', { email: 'robert@corp.example', email_verified: false });
  const browser = createBrowser();
  await signIn('bob', browser);
  expect((await me(browser)).body.email).toBe('bob@corp.example');
  expect(await usersOf('robert@corp.example')).toEqual([]);
});

it('joins an account that was there by its verified address, once', async () => {
  const made = { email: 'carla@corp.example', name: 'Carla', role: 'user', password: PASSWORD };
  const { body } = await server.call('superadmin', 'POST', '/api/v1/users', made);
  await person('carla-1', { email: 'Carla@corp.example' });
  const browser = createBrowser();
  await signIn('carla-1', browser);
  expect((await me(browser)).body.id).toBe(body.id);
  // Somebody else who was given the address does not get the account.
  await person('carla-2', { email: 'carla@corp.example' });
  expect(await signIn('carla-2')).toBe('/admin/?signIn=oidc_other_person');
});

it('follows the groups at each sign-in, and ends the sessions of the earlier role', async () => {
  await person('dora', { groups: ['ops'] });
  const before = createBrowser();
  await signIn('dora', before);
  expect((await me(before)).body.role).toBe('superadmin');
  await person('dora', { groups: ['staff'] });
  const after = createBrowser();
  await signIn('dora', after);
  expect((await me(after)).body.role).toBe('user');
  expect((await me(before)).status).toBe(401);
});

it.each([
  ['an address that is not verified', { email_verified: false }, 'oidc_unverified'],
  ['an address that nobody vouches for', { email_verified: 'true' }, 'oidc_unverified'],
  ['no address', { email: undefined }, 'oidc_unverified'],
  ['no group that gives a role', { groups: ['guests'] }, 'oidc_no_role'],
  ['no groups', { groups: undefined }, 'oidc_no_role'],
])('refuses %s and makes nothing', async (_name, claims, code) => {
  await person('nobody', claims);
  const browser = createBrowser();
  expect(await signIn('nobody', browser)).toBe(`/admin/?signIn=${code}`);
  expect((await me(browser)).status).toBe(401);
  expect(await usersOf('nobody@corp.example')).toEqual([]);
});

it('refuses a closed account and who says no to the provider', async () => {
  await person('erik');
  await signIn('erik');
  await server.database.kysely
    .updateTable('appUser')
    .set({ disabledAt: new Date() })
    .where('email', '=', 'erik@corp.example')
    .execute();
  expect(await signIn('erik')).toBe('/admin/?signIn=oidc_closed');
  expect(await signIn('unwilling')).toBe('/admin/?signIn=oidc_denied');
});

describe('a way back that was tampered with', () => {
  const finish = async (browser: Browser, url: URL): Promise<string> => {
    const end = await browser.go(url.href, (at) => at.pathname.startsWith('/admin/'));
    return end.url.search;
  };
  beforeAll(() => person('fay'));

  it('is taken once', async () => {
    const browser = createBrowser();
    const back = await toCallback(browser, 'fay');
    expect(await finish(browser, back)).toBe('');
    expect(await finish(browser, back)).toBe('?signIn=oidc_expired');
  });

  it('with a code that was used is refused by the provider', async () => {
    const first = createBrowser();
    const used = await toCallback(first, 'fay');
    await finish(first, used);
    const second = createBrowser();
    const back = await toCallback(second, 'fay');
    back.searchParams.set('code', used.searchParams.get('code') ?? '');
    expect(await finish(second, back)).toBe('?signIn=oidc_failed');
    expect((await me(second)).status).toBe(401);
  });

  it('with another state is refused, and so is the right one after it', async () => {
    const browser = createBrowser();
    const back = await toCallback(browser, 'fay');
    const bent = new URL(back);
    bent.searchParams.set('state', 'another');
    expect(await finish(browser, bent)).toBe('?signIn=oidc_failed');
    expect(await finish(browser, back)).toBe('?signIn=oidc_expired');
  });

  it('with another nonce or another verifier is refused', async () => {
    for (const name of ['nonce', 'code_challenge']) {
      const browser = createBrowser();
      const other = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
      const back = await toCallback(browser, 'fay', (url) => url.searchParams.set(name, other));
      expect(await finish(browser, back)).toBe('?signIn=oidc_failed');
      expect((await me(browser)).status).toBe(401);
    }
  });

  it('in another browser is refused: nobody is signed in as somebody else', async () => {
    const back = await toCallback(createBrowser(), 'fay');
    expect(await finish(createBrowser(), back)).toBe('?signIn=oidc_expired');
  });

  it('without a start, or naming an error of its own, is refused', async () => {
    for (const query of ['', '?code=x&state=y', '?error=access_denied', '?error=%3Cscript%3E&state=y']) {
      const end = await finish(createBrowser(), new URL(`${server.url}/api/v1/auth/oidc/callback${query}`));
      expect(end).toBe('?signIn=oidc_expired');
    }
  });
});

it('gives a new session id, whatever cookie was there before', async () => {
  await person('gus');
  const browser = createBrowser();
  const back = await toCallback(browser, 'gus');
  const before = browser.cookie(server.url);
  await browser.go(back.href, (at) => at.pathname.startsWith('/admin/'));
  expect(before).not.toBe('');
  expect(browser.cookie(server.url)).not.toBe(before);
  expect((await server.call(null, 'GET', '/api/v1/me', undefined, { Cookie: before })).status).toBe(401);
});

it.each([
  'https://evil.example/',
  '//evil.example/',
  '/\\evil.example',
  '/admin/\\evil',
  '/api/v1/session',
  'admin/',
  '/administrator',
  '/admin/%0a\n',
])('sends nobody to %j after the sign-in', async (returnTo) => {
  const answer = await server.call(null, 'GET', `/api/v1/auth/oidc/start?returnTo=${encodeURIComponent(returnTo)}`);
  expect([answer.status, answer.body.fields[0].path]).toEqual([422, 'returnTo']);
});

it('keeps the password of an account that never used the provider', async () => {
  const body = { email: 'user@example.org', password: PASSWORD };
  const answer = await server.call(null, 'POST', '/api/v1/session', body, { 'Sec-Fetch-Site': 'same-origin' });
  expect(answer.status).toBe(200);
});

it('tells the sign-in page that the provider is away, and that there is none where none is set', async () => {
  const env = { OIDC_ISSUER: 'http://127.0.0.1:1', OIDC_CLIENT_ID: 'gantry', OIDC_DEFAULT_ROLE: 'user' };
  const lonely = await startTestServer({ env });
  try {
    const answer = await lonely.call(null, 'GET', '/api/v1/auth/oidc/start');
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/admin/?signIn=oidc_away']);
  } finally {
    await lonely.stop();
  }
  const without = await startTestServer();
  try {
    expect((await without.call(null, 'GET', '/api/v1/auth/methods')).body.oidc).toBeNull();
    for (const way of ['start', 'callback'])
      expect((await without.call(null, 'GET', `/api/v1/auth/oidc/${way}`)).status).toBe(404);
  } finally {
    await without.stop();
  }
});
