// Runs after every `npm ci`: puts `gantry` where npx looks first. Without it npx would set up a copy of the whole project.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const folder = path.resolve(__dirname, '../node_modules/.bin');
const link = path.join(folder, 'gantry');

// As a dependency of somebody else's package npm links it by itself.
const isCheckout = fs.existsSync(path.resolve(__dirname, '../src'));

if (isCheckout && process.platform !== 'win32' && !fs.existsSync(link)) {
  fs.mkdirSync(folder, { recursive: true });
  fs.rmSync(link, { force: true });
  fs.symlinkSync(path.relative(folder, path.join(__dirname, 'gantry.cjs')), link);
}
