// Brings the schema up to date under one advisory lock, whichever service comes first.
// A program older than the schema refuses to start, since it cannot know what changed.
import { Kysely, Migrator, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { migrations } from './migrations/index';

/**
 * Up to the newest migration, or to `upTo` where an older archive is restored.
 * @returns the names of the migrations that ran. @throws Error when the schema is newer than this program.
 */
export async function migrateToLatest(url: string, upTo?: string): Promise<string[]> {
  // Migrations lift the timeouts: an index on a large table takes its time.
  const pool = new Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: 10_000,
    options: '-c statement_timeout=0',
  });
  pool.on('error', () => undefined);
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: () => Promise.resolve(migrations) },
      migrationTableName: 'gantry_migration',
      migrationLockTableName: 'gantry_migration_lock',
    });
    const { error, results } = await (upTo === undefined ? migrator.migrateToLatest() : migrator.migrateTo(upTo));
    if (error) throw error;
    return (results ?? []).filter((result) => result.status === 'Success').map((result) => result.migrationName);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    if (/corrupted migrations|previously executed migration/.test(text)) {
      throw new Error(
        'The database was set up by a newer Gantry. Nothing was changed; start that version or a newer one.',
        { cause },
      );
    }
    throw cause;
  } finally {
    await db.destroy();
  }
}
