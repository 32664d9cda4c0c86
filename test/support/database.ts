// A database per test file, cloned from the migrated template.
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { openDatabase, type Database } from '../../src/db/database';
import { createLogger } from '../../src/lib/logger';

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase('gantry_template');
}

/** One that nothing was migrated in, for tests of migrations themselves. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return createDatabase('template1');
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const admin = process.env['GANTRY_TEST_PG'];
  if (!admin) throw new Error('GANTRY_TEST_PG is not set: the global setup of the suite did not run');
  const name = `t_${randomBytes(6).toString('hex')}`;
  await onAdmin(admin, `create database ${name} template ${template}`);
  return {
    url: admin.replace(/\/postgres$/, `/${name}`),
    drop: () => onAdmin(admin, `drop database ${name} with (force)`),
  };
}

/** Opens the ledger quietly; the caller closes it. */
export function openTestDatabase(url: string, clockOffset?: string): Database {
  return openDatabase({ url, logger: createLogger({ level: 'silent' }), max: 8, clockOffset });
}

async function onAdmin(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
