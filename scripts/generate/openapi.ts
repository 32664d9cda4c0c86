// Writes openapi.json from the declarations of the endpoints, without a server.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildOpenApi } from '../../src/api/contract/openApi';
import { allRoutes } from '../../src/api/routes/allRoutes';

export function generateOpenApi(root: string): void {
  const document = buildOpenApi(allRoutes.map((route) => route.endpoint));
  writeFileSync(path.join(root, 'openapi.json'), `${JSON.stringify(document, null, 2)}\n`);
}
