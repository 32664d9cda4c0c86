// `npm test`: installs what is missing, finds the servers of the suite, says which parts run, then runs Jest.
// PostgreSQL is always there (embedded). Redis: REDIS_URL, else redis-server on the PATH, else apt-get when allowed.
'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { checkNode, install, isInstalled } = require('../bin/prepare.cjs');

const root = path.resolve(__dirname, '..');

function works(program, args) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** @returns {string | null} how Redis is reached, or null */
function findRedis() {
  if (process.env.REDIS_URL) return 'REDIS_URL';
  if (works('redis-server', ['--version'])) return 'redis-server on the PATH';
  if (process.env.GANTRY_TEST_INSTALL !== '1') return null;
  console.error('Installing redis-server by apt-get (GANTRY_TEST_INSTALL=1) …');
  const sudo = process.getuid && process.getuid() !== 0 ? ['sudo', '-n'] : [];
  const apt = (...args) => {
    const [program, ...rest] = [...sudo, 'apt-get', ...args];
    // The package would start a server of its own; RUNLEVEL=1 keeps it from doing so.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    return spawnSync(program, rest, { stdio: ['ignore', 2, 2], env });
  };
  apt('update', '-q');
  apt('install', '-y', '-q', '--no-install-recommends', 'redis-server');
  return works('redis-server', ['--version']) ? 'redis-server, installed by apt-get' : null;
}

checkNode();
if (!isInstalled()) install();

const redis = findRedis();
const lines = ['PostgreSQL: embedded, from the npm package', `Redis:      ${redis ?? 'NOT FOUND'}`];
console.error(`\nGantry's suite\n  ${lines.join('\n  ')}\n`);
if (!redis) {
  const notice = [
    'THE PART OF THE SUITE THAT NEEDS REDIS DOES NOT RUN.',
    'Its tests are reported as skipped. To run them: set REDIS_URL to a Redis that may be',
    'emptied, or install redis-server, or (Debian) set GANTRY_TEST_INSTALL=1.',
  ];
  const bar = '!'.repeat(90);
  console.error(`${bar}\n${notice.map((line) => `!!  ${line}`).join('\n')}\n${bar}\n`);
}

const given = process.argv.slice(2);
const report = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'gantry-jest-')), 'result.json');
const jest = path.join(root, 'node_modules/jest/bin/jest.js');
const run = spawnSync(process.execPath, [jest, '--json', `--outputFile=${report}`, ...given], {
  cwd: root,
  stdio: ['inherit', 'ignore', 'inherit'],
});

let status = run.status ?? 1;
try {
  const result = JSON.parse(fs.readFileSync(report, 'utf8'));
  // A file that could not be run at all has no tests to count, and must not pass unseen.
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  if (failed > 0 || result.numPassedTests === 0) status = status || 1;
  if (!redis) console.error('\nReminder: Redis was not found; what needs it was skipped.');
  console.log(
    `${result.numPassedTests} passed, ${failed} failed, ${result.numPendingTests + result.numTodoTests} skipped`,
  );
} catch {
  console.error('Jest left no result.');
  status = status || 1;
} finally {
  fs.rmSync(path.dirname(report), { recursive: true, force: true });
}
process.exit(status);
