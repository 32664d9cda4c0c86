// Writes src/db/generated/database.ts, the types of all tables, from a migrated database (kysely-codegen).
import { spawnSync } from 'node:child_process';
import { withScratchDatabase } from './scratchDatabase';

export function generateDatabaseTypes(url: string): void {
  const flags = ['--dialect', 'postgres', '--camel-case', '--url', url, '--out-file', 'src/db/generated/database.ts'];
  // json columns are text both ways (kept byte for byte), counts are safe integers.
  const mapping = JSON.stringify({ json: 'string', int8: 'number' });
  const result = spawnSync(
    process.execPath,
    [
      'node_modules/kysely-codegen/dist/cli/bin.js',
      ...flags,
      '--log-level',
      'warn',
      '--exclude-pattern',
      'gantry_migration*',
      '--type-mapping',
      mapping,
    ],
    { stdio: 'inherit' },
  );
  if (result.status !== 0) throw new Error('kysely-codegen failed; the lines above say why');
}

// Run by itself it migrates a scratch database of its own: quick after a change of the schema.
if (require.main === module) {
  void withScratchDatabase((url) => Promise.resolve(generateDatabaseTypes(url)));
}
