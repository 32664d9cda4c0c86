// Prints the sizes of the hand-written sources and refuses a file above the house's maximum (300 lines, tests 400).
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const SETS = [
  { name: 'src', folder: 'src', maximum: 300 },
  { name: 'admin', folder: 'admin', maximum: 300 },
  { name: 'scripts', folder: 'scripts', maximum: 300 },
  { name: 'test', folder: 'test', maximum: 400 },
];
const SOURCE = /\.(ts|tsx|cjs|mjs)$/;

function filesIn(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return ['node_modules', 'generated', 'dist'].includes(entry.name) ? [] : filesIn(full);
    return SOURCE.test(entry.name) ? [full] : [];
  });
}

let tooLong = 0;
for (const set of SETS) {
  const sizes = filesIn(path.join(root, set.folder))
    .map((file) => ({ file, text: fs.readFileSync(file, 'utf8') }))
    .map(({ file, text }) => {
      const lines = text.split('\n').filter((line) => line.trim());
      const comments = lines.filter((line) => /^\s*(\/\/|\/\*|\*)/.test(line)).length;
      return { file, length: text.split('\n').length - 1, filled: lines.length, comments };
    })
    .sort((a, b) => a.length - b.length);
  if (sizes.length === 0) continue;
  const at = (share) => sizes[Math.min(sizes.length - 1, Math.floor(share * sizes.length))].length;
  const filled = sizes.reduce((sum, size) => sum + size.filled, 0);
  const comments = sizes.reduce((sum, size) => sum + size.comments, 0);
  const largest = sizes[sizes.length - 1];
  console.log(
    `${set.name.padEnd(8)} ${String(sizes.length).padStart(4)} files, median ${at(0.5)}, p90 ${at(0.9)}, largest ${largest.length} (${path.relative(root, largest.file)}), comments ${Math.round((100 * comments) / filled)}%`,
  );
  for (const size of sizes.filter((one) => one.length > set.maximum)) {
    console.error(
      `too long: ${path.relative(root, size.file)} has ${size.length} lines, the maximum is ${set.maximum}`,
    );
    tooLong += 1;
  }
}
process.exit(tooLong > 0 ? 1 : 0);
