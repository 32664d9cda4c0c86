// Starts the real servers of the suite once: an embedded PostgreSQL with a migrated template, and Redis where one is found.
import { mkdtempSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { openEmbeddedServer } from '../../src/db/embeddedServer';
import { migrateToLatest } from '../../src/db/migrate';
import { startRedis } from './redisServer';

export default async function globalSetup(): Promise<void> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'gantry-test-'));
  chmodSync(scratch, 0o755);
  const server = await openEmbeddedServer(scratch);
  const admin = server.url.replace(/\/gantry$/, '/postgres');
  const client = new Client({ connectionString: admin });
  await client.connect();
  // The suite's data is thrown away: no need to wait for the disk.
  await client.query('alter system set fsync = off');
  await client.query('select pg_reload_conf()');
  await client.query('create database gantry_template');
  await client.end();
  await migrateToLatest(server.url.replace(/\/gantry$/, '/gantry_template'));
  const redis = await startRedis();
  process.env['GANTRY_TEST_PG'] = admin;
  if (redis) process.env['GANTRY_TEST_REDIS'] = redis.url;
  Object.assign(globalThis, { gantryTestServers: { server, redis, scratch } });
}
