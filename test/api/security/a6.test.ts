// A6: what ends a session, at once; how long its id is; the exact flags of its cookie. Its limits in time: signIn.test.ts.
import { PASSWORD, startTestServer, type Answer, type TestServer } from '../../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

const OURS = { 'Sec-Fetch-Site': 'same-origin' };
const signIn = (email: string): Promise<Answer> =>
  server.call(null, 'POST', '/api/v1/session', { email, password: PASSWORD }, OURS);
const cookieOf = (answer: Answer): string => answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
const me = async (cookie: string): Promise<number> =>
  (await server.call(null, 'GET', '/api/v1/me', undefined, { Cookie: cookie })).status;

let count = 0;
async function signedIn(): Promise<{ id: string; version: string; cookie: string }> {
  const email = `person${(count += 1)}@example.org`;
  const made = await server.call('superadmin', 'POST', '/api/v1/users', {
    email,
    name: 'A person',
    role: 'user',
    password: PASSWORD,
  });
  return { id: made.body.id, version: `"${made.body.version}"`, cookie: cookieOf(await signIn(email)) };
}
type Person = Awaited<ReturnType<typeof signedIn>>;
const patch = ({ id, version }: Person, body: object): Promise<Answer> =>
  server.call('superadmin', 'PATCH', `/api/v1/users/${id}`, body, { 'If-Match': version });

it.each<[string, (person: Person) => Promise<Answer>]>([
  [
    'signing out',
    ({ cookie }) => server.call(null, 'DELETE', '/api/v1/session', undefined, { ...OURS, Cookie: cookie }),
  ],
  ['closing the account', (person) => patch(person, { disabled: true })],
  ['another password', (person) => patch(person, { password: 'another password' })],
  ['another role', (person) => patch(person, { role: 'power_user' })],
  ['deleting the account', ({ id }) => server.call('superadmin', 'DELETE', `/api/v1/users/${id}`)],
])('%s ends the session within a second', async (_name, act) => {
  const person = await signedIn();
  expect(await me(person.cookie)).toBe(200);
  const start = performance.now();
  expect((await act(person)).status).toBeLessThan(300);
  expect(await me(person.cookie)).toBe(401);
  expect(performance.now() - start).toBeLessThan(1000);
});

it('ends no session by a new name', async () => {
  const person = await signedIn();
  await patch(person, { name: 'Another name' });
  expect(await me(person.cookie)).toBe(200);
});

it('gives ids of 128 bits or more, each another', async () => {
  const ids = [];
  for (let i = 0; i < 3; i += 1) {
    const value = decodeURIComponent(cookieOf(await signIn('user@example.org')).replace(/^[^=]+=/, ''));
    ids.push(/^s:([\w-]+)\./.exec(value)?.[1] ?? '');
  }
  for (const id of ids) expect(Buffer.from(id, 'base64url').length).toBeGreaterThanOrEqual(16);
  expect(new Set(ids).size).toBe(3);
});

it('sets a cookie with exactly these flags, and none for those who are not signed in', async () => {
  const [cookie] = (await signIn('user@example.org')).headers.getSetCookie();
  expect(cookie).toMatch(/^gantry=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/);
  for (const path of ['/healthz', '/api/v1/me', '/admin/', '/api/v1/auth/methods'])
    expect((await server.call(null, 'GET', path)).headers.getSetCookie()).toEqual([]);
});

it('takes no cookie whose signature is wrong or missing', async () => {
  const { cookie } = await signedIn();
  for (const forged of [cookie.slice(0, -2), cookie.replace(/\.[^.]+$/, ''), cookie.replace('s%3A', ''), `${cookie}x`])
    expect(await me(forged)).toBe(401);
});
