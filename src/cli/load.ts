// Loads a command's own file when it runs, so that an agent never loads the server and a client never loads the database.
// require, not import(): the program is CommonJS.

export const load = {
  accounts: () => require('./accounts') as typeof import('./accounts'),
  agent: () => require('./agent') as typeof import('./agent'),
  backup: () => require('./backup') as typeof import('./backup'),
  demo: () => require('../demo/runDemo') as typeof import('../demo/runDemo'),
  migrate: () => require('./migrate') as typeof import('./migrate'),
  operations: () => require('./operations') as typeof import('./operations'),
  readJobs: () => require('./readJobs') as typeof import('./readJobs'),
  restore: () => require('./restore') as typeof import('./restore'),
  runService: () => require('./runService') as typeof import('./runService'),
  startJob: () => require('./startJob') as typeof import('./startJob'),
  steerJobs: () => require('./steerJobs') as typeof import('./steerJobs'),
  tokens: () => require('./tokens') as typeof import('./tokens'),
  watchJob: () => require('./watchJob') as typeof import('./watchJob'),
};
