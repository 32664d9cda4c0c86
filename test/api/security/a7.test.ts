// A7: how passwords are kept, which are taken, and that an old hash is made anew at the next sign-in.
import { hash } from '@node-rs/argon2';
import { PASSWORD, startTestServer, type Answer, type TestServer } from '../../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

let count = 0;
const make = (password: string): Promise<Answer> => {
  const email = `keeper${(count += 1)}@example.org`;
  return server.call('superadmin', 'POST', '/api/v1/users', { email, name: 'A keeper', role: 'user', password });
};
const signIn = async (email: string, password: string): Promise<number> =>
  (await server.call(null, 'POST', '/api/v1/session', { email, password }, { 'Sec-Fetch-Site': 'same-origin' })).status;
const hashOf = async (email: string): Promise<string | null> =>
  (
    await server.database.kysely
      .selectFrom('appUser')
      .select('passwordHash')
      .where('email', '=', email)
      .executeTakeFirstOrThrow()
  ).passwordHash;

it('keeps argon2id with 19 MiB, two passes and one lane at least', async () => {
  const [, memory, time, lanes] =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/.exec((await hashOf('user@example.org')) ?? '') ?? [];
  expect(Number(memory)).toBeGreaterThanOrEqual(19 * 1024);
  expect(Number(time)).toBeGreaterThanOrEqual(2);
  expect(Number(lanes)).toBeGreaterThanOrEqual(1);
});

it('makes a weaker hash anew at the next sign-in, and only then', async () => {
  const db = server.database.kysely;
  const weak = await hash(PASSWORD, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
  await db.updateTable('appUser').set({ passwordHash: weak }).where('email', '=', 'power_user@example.org').execute();
  expect(await signIn('power_user@example.org', 'wrong-wrong')).toBe(401);
  expect(await hashOf('power_user@example.org')).toBe(weak);
  expect(await signIn('power_user@example.org', PASSWORD)).toBe(200);
  const renewed = await hashOf('power_user@example.org');
  expect(renewed).toContain('$m=19456,t=2,p=1$');
  expect(await signIn('power_user@example.org', PASSWORD)).toBe(200);
  expect(await hashOf('power_user@example.org')).toBe(renewed);
});

it.each([
  ['64 characters', 'long and easy to keep in mind, as sentences are, so take this one'],
  ['256 characters', 'abcdefgh'.repeat(32)],
  ['Korean', '비밀번호는길고길어야한다'],
  ['emoji, spaces and controls of direction', '🙂 a \u202Eb 🇰🇷 é ß'],
])('takes %s, to the last sign', async (_name, password) => {
  const made = await make(password);
  expect(made.status).toBe(201);
  expect(await signIn(made.body.email, password)).toBe(200);
  expect(await signIn(made.body.email, password.slice(0, -1))).toBe(401);
  // The same text, composed otherwise.
  expect(await signIn(made.body.email, password.normalize('NFD'))).toBe(200);
});

it.each(['password', 'PASSWORD1', 'qwertyuiop', 'Iloveyou1', ' 12345678 ', 'trustno1'])(
  'refuses %j, which is tried first',
  async (password) => {
    const refused = await make(password);
    expect([refused.status, refused.body.fields[0].path]).toEqual([422, 'password']);
  },
);

it('refuses such a one as a change, too, and 7 or 257 characters', async () => {
  const { body } = await make('a password of its own');
  for (const password of ['12345678', 'short 7', 'x'.repeat(257)]) {
    const change = await server.call(
      'superadmin',
      'PATCH',
      `/api/v1/users/${body.id}`,
      { password },
      { 'If-Match': '"1"' },
    );
    expect([change.status, change.body.fields[0].path]).toEqual([422, 'password']);
  }
  const mine = { password: 'iloveyou', currentPassword: PASSWORD };
  const own = await server.call('user', 'PATCH', '/api/v1/me', mine, { 'If-Match': '"1"' });
  expect([own.status, own.body.fields[0].path]).toEqual([422, 'password']);
  expect(await signIn('user@example.org', PASSWORD)).toBe(200);
});
