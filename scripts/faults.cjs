// `npm run faults [-- FILES]`: the long forms of the fault tests, under test/faults: workers killed again and again, storms of
// cancels. They take an hour; the suite runs the same in short.
//   FAULTS_SEED=n     repeats what is left to chance (default: a new seed, which is printed)
//   FAULTS_ROUNDS=x   share of the full length (default 1; 0.05 for a quick look)
// Redis is used where REDIS_URL or redis-server is found, as in `npm test`.
'use strict';

const { spawnSync } = require('node:child_process');
const { randomInt } = require('node:crypto');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const seed = Number(process.env.FAULTS_SEED || randomInt(2 ** 31));
const rounds = Number(process.env.FAULTS_ROUNDS || 1);
if (!Number.isSafeInteger(seed) || !(rounds > 0)) {
  console.error('FAULTS_SEED takes a whole number and FAULTS_ROUNDS a number above 0; nothing was run.');
  process.exit(2);
}
console.error(`faults: FAULTS_SEED=${seed} FAULTS_ROUNDS=${rounds}`);
const jest = path.join(root, 'node_modules/jest/bin/jest.js');
const run = spawnSync(
  process.execPath,
  [jest, '--config', 'jest.faults.config.cjs', '--runInBand', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit', env: { ...process.env, FAULTS_SEED: String(seed), FAULTS_ROUNDS: String(rounds) } },
);
if (run.status !== 0)
  console.error(`faults: failed; to repeat: FAULTS_SEED=${seed} FAULTS_ROUNDS=${rounds} npm run faults`);
process.exit(run.status ?? 1);
