// Packs Gantry as others install it: `npm run tarball -- FOLDER` builds what is out of date, writes gantry-<version>.tgz into
// the folder (default: here) and prints its path alone. Needs no network. Called by test/e2e/plugin.test.ts too.
'use strict';

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { prepare } = require('../bin/prepare.cjs');

const root = path.resolve(__dirname, '..');
const folder = path.resolve(process.argv[2] ?? '.');

prepare();
// npm puts its own command line in npm_execpath; without it npm is looked up on the PATH.
const npm = process.env.npm_execpath;
const flags = ['pack', '--ignore-scripts', '--offline', '--json', '--pack-destination', folder];
const [program, args] = npm?.endsWith('.js') ? [process.execPath, [npm, ...flags]] : ['npm', flags];
const run = spawnSync(program, args, {
  cwd: root,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
  shell: process.platform === 'win32',
});
if (run.status !== 0) process.exit(run.status ?? 1);
console.log(path.join(folder, JSON.parse(run.stdout)[0].filename));
