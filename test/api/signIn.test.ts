// What guards the sign-in: throttle, timing, cross-site check, and the life of a session.
import { sql } from 'kysely';
import { startTestServer, PASSWORD, type Answer, type TestServer } from '../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

const OURS = { 'Sec-Fetch-Site': 'same-origin' };
const post = (email: string, password = PASSWORD, headers: Record<string, string> = OURS): Promise<Answer> =>
  server.call(null, 'POST', '/api/v1/session', { email, password }, headers);
const cookieOf = (answer: Answer): string => answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
const me = (cookie: string): Promise<Answer> => server.call(null, 'GET', '/api/v1/me', undefined, { Cookie: cookie });
const makeUser = async (name: string, role = 'user'): Promise<{ id: string; email: string; version: number }> =>
  (
    await server.call('superadmin', 'POST', '/api/v1/users', {
      email: `${name}@example.org`,
      name,
      role,
      password: PASSWORD,
    })
  ).body;

it('counts guesses that come at the same moment', async () => {
  await makeUser('flooded');
  const tries = await Promise.all(Array.from({ length: 25 }, () => post('flooded@example.org', 'wrong-wrong')));
  const statuses = tries.map((each) => each.status);
  expect(statuses.filter((status) => status === 401)).toHaveLength(10);
  expect(statuses.filter((status) => status === 429)).toHaveLength(15);
  const right = await post('flooded@example.org');
  expect([right.status, right.headers.get('retry-after')]).toEqual([429, '900']);
});

it('lets the right one in after the window', async () => {
  await makeUser('patient');
  for (let i = 0; i < 10; i += 1) await post('patient@example.org', 'wrong-wrong');
  const age = (minutes: string): Promise<unknown> =>
    sql`update sign_in_failure set at = gantry_now() - ${minutes}::interval where account = 'patient@example.org'`.execute(
      server.database.kysely,
    );
  await age('14 minutes 59 seconds');
  expect((await post('patient@example.org')).status).toBe(429);
  await age('15 minutes 1 second');
  expect((await post('patient@example.org')).status).toBe(200);
});

it('forgets the failures after a right password', async () => {
  await makeUser('typist');
  for (let round = 0; round < 2; round += 1) {
    for (let i = 0; i < 9; i += 1) await post('typist@example.org', 'wrong-wrong');
    expect((await post('typist@example.org')).status).toBe(200);
  }
});

it('counts an invented forwarding address as nothing', async () => {
  await makeUser('spoofed');
  const statuses = [];
  for (let i = 0; i < 11; i += 1) {
    const headers = { ...OURS, 'X-Forwarded-For': `10.0.0.${i}`, Forwarded: `for=10.0.0.${i}` };
    statuses.push((await post('spoofed@example.org', 'wrong-wrong', headers)).status);
  }
  expect(statuses[10]).toBe(429);
});

it('does the same work for an account that is not there', async () => {
  await makeUser('known');
  const median = async (emails: string[]): Promise<number> => {
    const times = [];
    for (const email of emails) {
      const start = performance.now();
      await post(email, 'wrong-wrong');
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  };
  const known = await median(Array.from({ length: 7 }, () => 'known@example.org'));
  const unknown = await median(Array.from({ length: 7 }, (_, i) => `unknown${i}@example.org`));
  // Without the hashing one of them would be many times faster.
  expect(Math.max(known, unknown) / Math.min(known, unknown)).toBeLessThan(3);
});

it.each(['/api/v1/session', '/api/v1/session/', '/api/v1/session?'])(
  'refuses a sign-in from another site at %s',
  async (at) => {
    const body = { email: 'user@example.org', password: PASSWORD };
    for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'https://evil.example' }, {}]) {
      const answer = await server.call(null, 'POST', at, body, headers as Record<string, string>);
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([403, []]);
    }
  },
);

it('gives a form of another site no way: only JSON is read', async () => {
  const answer = await server.call(null, 'POST', '/api/v1/session', 'email=user@example.org', {
    ...OURS,
    'Content-Type': 'application/x-www-form-urlencoded',
  });
  expect(answer.status).toBe(415);
});

describe('a session', () => {
  const moveAll = (column: 'expires_at' | 'created_at', by: string): Promise<unknown> =>
    sql`update session set ${sql.ref(column)} = gantry_now() + ${by}::interval`.execute(server.database.kysely);

  it('is over after 30 idle minutes, and each call moves that limit', async () => {
    const cookie = cookieOf(await post('user@example.org'));
    await moveAll('expires_at', '10 minutes');
    expect((await me(cookie)).status).toBe(200);
    const { rows } = await sql<{ left: number }>`
      select extract(epoch from max(expires_at) - gantry_now())::int as left from session`.execute(
      server.database.kysely,
    );
    expect(rows[0]?.left).toBeGreaterThan(29 * 60);
    expect(rows[0]?.left).toBeLessThanOrEqual(30 * 60);
    await moveAll('expires_at', '-1 second');
    expect((await me(cookie)).status).toBe(401);
  });

  it('is over 12 hours after the sign-in, whatever happens in it', async () => {
    const cookie = cookieOf(await post('user@example.org'));
    await moveAll('created_at', '-11:59:00');
    expect((await me(cookie)).status).toBe(200);
    await moveAll('created_at', '-12:00:01');
    expect((await me(cookie)).status).toBe(401);
  });

  it('ends with the role it was opened under', async () => {
    const user = await makeUser('promoted');
    const cookie = cookieOf(await post(user.email));
    await server.call(
      'superadmin',
      'PATCH',
      `/api/v1/users/${user.id}`,
      { role: 'power_user' },
      { 'If-Match': String(user.version) },
    );
    expect((await me(cookie)).status).toBe(401);
  });

  it('goes on under a new id when its user changes the password, and all others end', async () => {
    const user = await makeUser('careful');
    const [mine, other] = [cookieOf(await post(user.email)), cookieOf(await post(user.email))];
    const change = (currentPassword: string): Promise<Answer> =>
      server.call(
        null,
        'PATCH',
        '/api/v1/me',
        { password: 'a password of my own', currentPassword },
        { ...OURS, Cookie: mine, 'If-Match': String(user.version) },
      );
    expect((await change('wrong-wrong')).status).toBe(403);
    const changed = await change(PASSWORD);
    expect(changed.status).toBe(200);
    expect((await me(cookieOf(changed))).status).toBe(200);
    expect((await me(mine)).status).toBe(401);
    expect((await me(other)).status).toBe(401);
    expect((await post(user.email)).status).toBe(401);
  });

  it('does not let a thief guess the password that a change asks for', async () => {
    const user = await makeUser('stolen');
    const cookie = cookieOf(await post(user.email));
    const statuses = [];
    for (let i = 0; i < 11; i += 1) {
      const body = { password: 'a password of my own', currentPassword: `guess ${i}` };
      const headers = { ...OURS, Cookie: cookie, 'If-Match': String(user.version) };
      statuses.push((await server.call(null, 'PATCH', '/api/v1/me', body, headers)).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 403), 429]);
  });

  it('is not taken over from a cookie that was there before', async () => {
    const planted = `gantry=s%3Aplanted.${'x'.repeat(43)}`;
    const answer = await post('user@example.org', PASSWORD, { ...OURS, Cookie: planted });
    expect(cookieOf(answer)).not.toBe(planted);
    expect((await me(planted)).status).toBe(401);
  });
});

it('keeps one of two superadmins that delete each other at the same moment', async () => {
  const [one, two] = [await makeUser('first', 'superadmin'), await makeUser('second', 'superadmin')];
  await sql`update app_user set disabled_at = gantry_now() where role = 'superadmin' and id not in (${one.id}, ${two.id})`.execute(
    server.database.kysely,
  );
  const tokenOf = async (email: string): Promise<Record<string, string>> => ({
    ...OURS,
    Cookie: cookieOf(await post(email)),
  });
  const headers = [await tokenOf(one.email), await tokenOf(two.email)];
  const answers = await Promise.all([
    server.call(null, 'DELETE', `/api/v1/users/${two.id}`, undefined, headers[0]),
    server.call(null, 'DELETE', `/api/v1/users/${one.id}`, undefined, headers[1]),
  ]);
  expect(answers.map((each) => each.status).sort()).toEqual([204, 409]);
});

describe('tokens that are not known', () => {
  it('are refused, and counted as anonymous calls of their address', async () => {
    const statuses = [];
    for (let i = 0; i < 62; i += 1) {
      const headers = { Authorization: `Bearer gantry_guess_${i}` };
      statuses.push((await fetch(`${server.url}/api/v1/me`, { headers })).status);
    }
    // Some call of this address may have come before.
    expect(statuses.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => 401));
    expect(statuses.at(-1)).toBe(429);
  });
});
