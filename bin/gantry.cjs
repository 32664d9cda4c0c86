#!/usr/bin/env node
// The entry of every command: checks Node, installs and builds what is out of date, and runs the program in this same
// process, so that a signal to it reaches the program itself. Plain JavaScript, since nothing is installed yet when it starts.
'use strict';

const { prepare, checkNode } = require('./prepare.cjs');

checkNode();
prepare();
require('../dist/main.js').main(process.argv);
