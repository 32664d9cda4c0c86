// Generates everything that is generated and fails when the result differs from what is committed.
'use strict';

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const GENERATED = [
  'src/db/generated',
  'admin/src/api/generated',
  'openapi.json',
  'docs/generated',
  '.env.example',
  'demo/rows.csv',
];

function run(program, args) {
  return spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

const generated = run(process.execPath, ['-r', './test/support/swcRegister.cjs', 'scripts/generate/all.ts']);
if (generated !== 0) process.exit(generated);
const present = GENERATED.filter((entry) => require('node:fs').existsSync(path.join(root, entry)));
const different = run('git', ['diff', '--exit-code', '--stat', '--', ...present]);
const unknown = spawnSync('git', ['ls-files', '--others', '--exclude-standard', '--', ...present], {
  cwd: root,
  encoding: 'utf8',
}).stdout.trim();
if (different !== 0 || unknown) {
  if (unknown) console.error(`not committed:\n${unknown}`);
  console.error('Generated files differ from what is committed. Commit them: git add what `npm run generate` wrote.');
  process.exit(1);
}
console.log('Generated files are up to date.');
