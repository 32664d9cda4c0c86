// Writes openapi.json from the declarations of the endpoints, and from it the types that the admin UI reads the API by.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { buildOpenApi } from '../../src/api/contract/openApi';
import { allRoutes } from '../../src/api/routes/allRoutes';

const TYPES = 'admin/src/api/generated/schema.d.ts';

export function generateOpenApi(): void {
  const document = buildOpenApi(allRoutes.map((route) => route.endpoint));
  writeFileSync('openapi.json', `${JSON.stringify(document, null, 2)}\n`);
  mkdirSync('admin/src/api/generated', { recursive: true });
  const program = 'node_modules/openapi-typescript/bin/cli.js';
  const result = spawnSync(process.execPath, [program, 'openapi.json', '--output', TYPES], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`openapi-typescript failed: ${result.stdout}${result.stderr}`);
}
