// A migrated database that lives only while something is generated from it.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openEmbeddedServer } from '../../src/db/embeddedServer';
import { migrateToLatest } from '../../src/db/migrate';

export async function withScratchDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'gantry-generate-'));
  chmodSync(scratch, 0o755);
  const server = await openEmbeddedServer(scratch);
  try {
    await migrateToLatest(server.url);
    return await work(server.url);
  } finally {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}
