// `npm test`: installs what is missing, finds the servers of the suite, says which parts run, then runs Jest.
// PostgreSQL is always there (embedded). Redis (or REDIS_URL) and Chromium: on the PATH, else by apt-get when allowed.
'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { checkNode, install, isInstalled } = require('../bin/prepare.cjs');
const { keepCapabilities } = require('./capabilities.cjs');

const root = path.resolve(__dirname, '..');

function works(program, args) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

const mayInstall = process.env.GANTRY_TEST_INSTALL === '1';

function aptInstall(name) {
  console.error(`Installing ${name} by apt-get (GANTRY_TEST_INSTALL=1) …`);
  const sudo = process.getuid && process.getuid() !== 0 ? ['sudo', '-n'] : [];
  const apt = (...args) => {
    const [program, ...rest] = [...sudo, 'apt-get', ...args];
    // A package may start a server of its own; RUNLEVEL=1 keeps it from doing so.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    return spawnSync(program, rest, { stdio: ['ignore', 2, 2], env });
  };
  apt('update', '-q');
  apt('install', '-y', '-q', '--no-install-recommends', name);
}

/** @returns {string | null} how the program is reached, or null */
function find(programs, name) {
  const onPath = () => programs.find((program) => works(program, ['--version']));
  const found = onPath();
  if (found) return `${found} on the PATH`;
  if (!mayInstall) return null;
  aptInstall(name);
  const installed = onPath();
  return installed ? `${installed}, installed by apt-get` : null;
}

checkNode();
if (!isInstalled()) install();

const redis = process.env.REDIS_URL ? 'REDIS_URL' : find(['redis-server'], 'redis-server');
const chromium = find(['chromium', 'chromium-browser', 'google-chrome'], 'chromium');
const lines = [
  'PostgreSQL: embedded, from the npm package',
  `Redis:      ${redis ?? 'NOT FOUND'}`,
  `Chromium:   ${chromium ?? 'NOT FOUND'}`,
];
console.error(`\nGantry's suite\n  ${lines.join('\n  ')}\n`);
const missing = [...(redis ? [] : ['Redis']), ...(chromium ? [] : ['Chromium'])];
if (missing.length > 0) {
  const notice = [
    `THE PART OF THE SUITE THAT NEEDS ${missing.join(' AND ').toUpperCase()} DOES NOT RUN.`,
    'Its tests are reported as skipped. To run them: set REDIS_URL to a Redis that may be',
    'emptied, or install redis-server and chromium, or (Debian) set GANTRY_TEST_INSTALL=1.',
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
  if (given.length === 0) {
    const faults = keepCapabilities(result, { complete: missing.length === 0, isCi: Boolean(process.env.CI) });
    faults.forEach((fault) => console.error(`!!  ${fault}`));
    if (faults.length > 0) status = status || 1;
  }
  if (missing.length > 0)
    console.error(`\nReminder: ${missing.join(' and ')} was not found; what needs it was skipped.`);
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
