// Backup and restore with a DATABASE_URL, and of an archive that an older schema was in: it is brought up to date afterwards.
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { Client } from 'pg';
import { migrateToLatest } from '../../src/db/migrate';
import { migrations } from '../../src/db/migrations/index';
import { newId } from '../../src/lib/ids';
import { clearFolder, scratchFolder } from '../support/gantryProcess';
import { killCli, runCli, type CliResult } from './runCli';

const folder = scratchFolder();
const file = path.join(folder, 'old.tar.gz');
const admin = process.env['GANTRY_TEST_PG'] ?? '';
const names = [1, 2].map((place) => `t_${randomBytes(6).toString('hex')}_${place}`);
const [from = '', to = ''] = names.map((name) => admin.replace(/\/postgres$/, `/${name}`));

async function ask<T>(url: string, statement: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows as T[];
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  for (const name of names) await ask(admin, `create database ${name}`);
});

afterAll(async () => {
  killCli();
  for (const name of names) await ask(admin, `drop database ${name} with (force)`);
  await clearFolder(folder);
});

const on = (url: string, key: string, ...args: string[]): Promise<CliResult> =>
  runCli(args, { env: { DATABASE_URL: url, SECRET_KEY: key.repeat(32), DATA_DIR: folder } });

test('an archive of the first schema is restored into an empty database and brought up to date', async () => {
  await migrateToLatest(from, '0001-ledger');
  const id = newId();
  await ask(from, `insert into app_user (id, email, name, role) values ('${id}', 'ada@shop.example', 'Ada', 'user')`);
  expect(await on(from, 'ab', 'backup', '--to', file)).toMatchObject({ code: 0 });
  expect(await ask(from, 'select name from gantry_migration')).toEqual([{ name: '0001-ledger' }]);

  const otherKey = await on(to, 'cd', 'restore', '--from', file);
  expect([otherKey.code, otherKey.stderr]).toEqual([1, expect.stringContaining('open by another SECRET_KEY')]);
  expect(await on(to, 'ab', 'restore', '--from', file)).toMatchObject({ code: 0 });
  expect(await ask(to, 'select id, email from app_user')).toEqual([{ id, email: 'ada@shop.example' }]);
  expect(await ask(to, 'select name from gantry_migration order by name')).toEqual(
    Object.keys(migrations).map((name) => ({ name })),
  );

  // There the schema is newer by now: the archive does not say what would become of what it lacks.
  const newer = await on(to, 'ab', 'restore', '--from', file, '--replace');
  expect([newer.code, newer.stderr]).toEqual([1, expect.stringContaining('schema of this database is newer')]);
}, 60_000);

test('a restore beside whoever is connected is refused', async () => {
  const busy = new Client({ connectionString: to });
  await busy.connect();
  try {
    const { code, stderr } = await on(to, 'ab', 'restore', '--from', file, '--replace');
    expect([code, stderr]).toEqual([1, expect.stringContaining('Others are connected to this database')]);
  } finally {
    await busy.end();
  }
}, 60_000);
