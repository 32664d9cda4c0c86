// Makes a checkout ready to run: `npm ci` when node_modules is missing or out of date, tsc and the admin build when sources
// changed since the last one. Called by gantry.cjs, and by itself as `npm run build`; `node bin/prepare.cjs admin` builds the
// admin UI alone. Touches node_modules and dist only.
'use strict';

const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const dist = path.join(root, 'dist');
const NODE_NEEDED = [20, 19];

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1])) return;
  fail(
    `Gantry needs Node ${NODE_NEEDED.join('.')} or newer; this is ${process.version}. Nothing was changed. Install a newer Node and run the command again.`,
  );
}

/** @param {string[]} parts of what is built, `server` and `admin`; all when none is named */
function prepare(parts = []) {
  // An installed image carries dist alone: there is nothing to install or build.
  if (!fs.existsSync(path.join(root, 'src'))) return;
  if (!isInstalled()) install();
  const isWanted = (part) => parts.length === 0 || parts.includes(part);
  withLock(() => {
    if (isWanted('server'))
      buildPart('server', ['src', 'tsconfig.json'], () => [
        process.execPath,
        [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'],
      ]);
    if (isWanted('admin') && fs.existsSync(path.join(root, 'admin/vite.config.ts'))) {
      buildPart('admin', ['admin'], () => [
        process.execPath,
        [
          path.join(root, 'node_modules/vite/bin/vite.js'),
          'build',
          '--config',
          'admin/vite.config.ts',
          '--logLevel',
          'warn',
        ],
      ]);
    }
  });
}

/** By the lock file's content when we installed ourselves, else by its time against npm's own record. */
function isInstalled() {
  const record = path.join(root, 'node_modules/.package-lock.json');
  const lock = path.join(root, 'package-lock.json');
  if (!fs.existsSync(record)) return false;
  const stamp = readOr(path.join(root, 'node_modules/.gantry-lock'), '');
  return stamp === hashOf(fs.readFileSync(lock)) || fs.statSync(record).mtimeMs >= fs.statSync(lock).mtimeMs;
}

function install() {
  console.error('gantry: installing dependencies (npm ci) …');
  // npm puts its own command line in npm_execpath; without it npm is looked up on the PATH.
  const npm = process.env.npm_execpath;
  const flags = ['ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional'];
  const result = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...flags], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', flags, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (result.status !== 0)
    fail('The dependencies could not be installed; the lines above say why. Run `npm ci` and try again.');
  fs.writeFileSync(
    path.join(root, 'node_modules/.gantry-lock'),
    hashOf(fs.readFileSync(path.join(root, 'package-lock.json'))),
  );
}

function buildPart(name, sources, command) {
  const stampFile = path.join(dist, `.built-${name}`);
  const stamp = hashOf(sources.flatMap((source) => describe(path.join(root, source))).join('\n'));
  if (readOr(stampFile, '') === stamp) return;
  console.error(`gantry: building ${name} …`);
  fs.rmSync(stampFile, { force: true });
  const [program, args] = command();
  // Whoever asks for it, such as a test: what is built is what people run.
  const env = { ...process.env, NODE_ENV: 'production' };
  const result = spawnSync(program, args, { cwd: root, env, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) fail(`The ${name} could not be built; the lines above say why.`);
  fs.writeFileSync(stampFile, stamp);
}

/** One line a file: path, size and time, so that an edit, a new file and a removed one are all seen. */
function describe(entry) {
  const stat = fs.statSync(entry);
  if (!stat.isDirectory()) return [`${path.relative(root, entry)} ${stat.size} ${stat.mtimeMs}`];
  return fs
    .readdirSync(entry)
    .sort()
    .flatMap((name) => (name === 'node_modules' ? [] : describe(path.join(entry, name))));
}

/** Two commands started together build once: the second waits for the first, or takes over from one that died. */
function withLock(work) {
  fs.mkdirSync(dist, { recursive: true });
  const lock = path.join(dist, '.lock');
  for (;;) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = Number(readOr(lock, '0'));
      if (holder && isAlive(holder)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
      else fs.rmSync(lock, { force: true });
    }
  }
  const release = () => fs.rmSync(lock, { force: true });
  process.once('exit', release);
  work();
  release();
  process.removeListener('exit', release);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function hashOf(content) {
  return createHash('sha256').update(content).digest('hex');
}

function readOr(file, fallback) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return fallback;
  }
}

function fail(message) {
  console.error(`gantry: ${message}`);
  process.exit(1);
}

module.exports = { prepare, checkNode, install, isInstalled };

if (require.main === module) {
  checkNode();
  prepare(process.argv.slice(2));
}
