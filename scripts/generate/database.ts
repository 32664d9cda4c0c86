// Migrates a scratch database and writes src/db/generated/database.ts from it (kysely-codegen).
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openEmbeddedServer } from '../../src/db/embeddedServer';
import { migrateToLatest } from '../../src/db/migrate';

async function main(): Promise<void> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'gantry-generate-'));
  chmodSync(scratch, 0o755);
  const server = await openEmbeddedServer(scratch);
  try {
    await migrateToLatest(server.url);
    const result = spawnSync(
      process.execPath,
      [
        'node_modules/kysely-codegen/dist/cli/bin.js',
        '--dialect',
        'postgres',
        '--camel-case',
        '--url',
        server.url,
        '--out-file',
        'src/db/generated/database.ts',
        '--exclude-pattern',
        'gantry_migration*',
        '--type-mapping',
        JSON.stringify({ json: 'string', int8: 'number' }),
      ],
      { stdio: 'inherit' },
    );
    process.exitCode = result.status ?? 1;
  } finally {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

void main();
