// How a process ends: Ctrl-C stops everything in order, the embedded database last; wrong variables end with 2.
import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  clearFolder,
  isAlive,
  killLeftovers,
  scratchFolder,
  serverPid,
  startGantry,
  statusOf,
} from '../support/gantryProcess';
import { until } from '../support/until';

const folder = scratchFolder();

afterAll(async () => {
  killLeftovers();
  await clearFolder(folder);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s stops the program clean: code 0, nothing listens, the embedded database has ended by itself',
  async (name) => {
    const gantry = await startGantry(folder);
    const database = serverPid(folder);
    expect(isAlive(database)).toBe(true);
    gantry.signal(name);
    expect(await gantry.ended(15_000)).toEqual({ code: 0, signal: null });
    expect(isAlive(database)).toBe(false);
    expect(existsSync(path.join(folder, 'postgres/cluster/postmaster.pid'))).toBe(false);
    expect(await statusOf(`${gantry.url}/healthz`)).toBeNull();
    expect(gantry.output()).not.toMatch(/did not stop cleanly|"level":(50|60)/);
  },
  90_000,
);

test('one Ctrl-C that arrives twice, as under npm, still stops clean', async () => {
  const gantry = await startGantry(folder);
  gantry.signal('SIGINT');
  gantry.signal('SIGINT');
  gantry.signal('SIGTERM');
  expect(await gantry.ended(15_000)).toEqual({ code: 0, signal: null });
  expect(existsSync(path.join(folder, 'postgres/cluster/postmaster.pid'))).toBe(false);
}, 90_000);

test('a second start on the same DATA_DIR is refused in words, and the first goes on', async () => {
  const first = await startGantry(folder);
  const second = await startGantry(folder, { untilReady: false });
  expect((await second.ended()).code).toBe(1);
  expect(second.output()).toMatch(/Another `gantry start` runs on DATA_DIR/);
  expect(await statusOf(`${first.url}/readyz`)).toBe(200);
  first.signal('SIGTERM');
  expect((await first.ended()).code).toBe(0);
}, 90_000);

test('wrong variables are all told together, and the program ends with 2', async () => {
  const env = { PORT: 'many', LEASE_MS: '7', RETENTION_DAYS: '-1' };
  const gantry = await startGantry(folder, { env, untilReady: false });
  expect((await gantry.ended()).code).toBe(2);
  for (const name of Object.keys(env)) expect(gantry.output()).toContain(`${name} got "`);
});

test('a DATABASE_URL without SECRET_KEY is refused before anything is touched', async () => {
  const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', SECRET_KEY: '' };
  const gantry = await startGantry(folder, { env, untilReady: false });
  expect((await gantry.ended()).code).toBe(2);
  expect(gantry.output()).toContain('SECRET_KEY is not set');
});

test('while the database is away the program is alive but not ready, and a signal still stops it', async () => {
  const env = { DATABASE_URL: 'postgres://gantry:x@127.0.0.1:1/none', SECRET_KEY: 'ab'.repeat(32) };
  const gantry = await startGantry(folder, { env, args: ['web'], untilReady: false });
  const isAnswering = async (): Promise<boolean> => (await statusOf(`${gantry.url}/healthz`)) === 200;
  await until(isAnswering, 'an answer of /healthz');
  const ready = await fetch(`${gantry.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ status: 503, code: 'unavailable' });
  gantry.signal('SIGTERM');
  expect(await gantry.ended()).toEqual({ code: 0, signal: null });
}, 60_000);
