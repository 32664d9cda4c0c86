// Who may import whom: lib -> config -> { db, queue, targets, notices } -> jobs -> { workers, api } -> app, cli, demo, main.
// A room imports itself and rooms to its left, never right, never sideways inside braces. ARCHITECTURE.md draws it.
'use strict';

/** For each room the rooms it may import besides itself. */
const ROOMS = {
  lib: [],
  config: ['lib'],
  db: ['lib', 'config'],
  queue: ['lib', 'config'],
  targets: ['lib', 'config'],
  notices: ['lib', 'config'],
  jobs: ['lib', 'config', 'db', 'queue', 'targets', 'notices'],
  workers: ['lib', 'config', 'db', 'queue', 'targets', 'notices', 'jobs'],
  api: ['lib', 'config', 'db', 'queue', 'targets', 'notices', 'jobs'],
  agent: ['lib'],
};

const roomRules = Object.entries(ROOMS).map(([room, allowed]) => ({
  name: `room-${room}`,
  severity: 'error',
  comment: `src/${room} imports only itself${allowed.length ? ` and ${allowed.join(', ')}` : ''}.`,
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: `^src/(${[room, ...allowed].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'A cycle at run time makes the order of loading part of the behaviour.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'queue-only',
      severity: 'error',
      comment: 'BullMQ and ioredis are known to src/queue alone.',
      from: { pathNot: '^src/queue/' },
      to: { path: '^node_modules/(bullmq|ioredis)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      comment: 'What the program imports must be there when only dependencies are installed.',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'An import that resolves to nothing.',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: 'specify',
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.cjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['require', 'node', 'default'],
    },
  },
};
