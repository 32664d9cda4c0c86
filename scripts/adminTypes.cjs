// Checks the types of the admin UI, which has a tsconfig of its own (browser, JSX).
'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const project = path.join(root, 'admin/tsconfig.json');
if (!fs.existsSync(project)) {
  console.error('admin/tsconfig.json is not there: the admin UI cannot be checked.');
  process.exit(1);
}
const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
process.exit(spawnSync(process.execPath, [tsc, '--noEmit', '-p', project], { stdio: 'inherit' }).status ?? 1);
