// A process of its own for one piece of work at a time, started by a worker (workers/isolate/isolates.ts) and never by hand.
// It composes the little that handlers need: no queue, no services, a small pool.
import { hostname } from 'node:os';
import type { Config } from '../config/config';
import { rememberSecretsOf } from '../config/rememberSecrets';
import { openDatabase } from '../db/database';
import { createWaker } from '../db/wake';
import { createCatalog } from '../jobs/catalog';
import { createLogger } from '../lib/logger';
import { createSecretBox } from '../lib/secretBox';
import { rememberPasswordOf, rememberSecret } from '../lib/secrets';
import { serveIsolate } from '../workers/isolate/serveIsolate';
import { composeHandlerDeps } from './handlerDeps';
import { loadPlugins } from './loadPlugins';

/** Sent by the worker over IPC: the environment alone does not say where an embedded database listens. */
export interface IsolateInit {
  config: Config;
  databaseUrl: string;
  secretKey: string;
}

/** One for the work's transaction, one for its log lines, one for waking others. */
const CONNECTIONS = 3;

serveIsolate(async (init, session) => {
  const { config, databaseUrl, secretKey } = init as IsolateInit;
  rememberSecretsOf(config);
  rememberSecret(secretKey);
  rememberPasswordOf(databaseUrl);
  const logger = createLogger({ level: config.logLevel, name: 'gantry-isolate' });
  const database = openDatabase({ url: databaseUrl, logger, max: CONNECTIONS, applicationName: session });
  const waker = createWaker(database.pool, logger);
  const plugins = await loadPlugins(config.plugins);
  return {
    db: database.kysely,
    catalog: createCatalog(database.kysely, { openSecret: createSecretBox(secretKey).open, plugins }),
    handlerDeps: composeHandlerDeps(config, waker).handlerDeps,
    logger,
    waker,
    // The lease is the worker's; under its name nothing is claimed here.
    claimer: { workerId: session, host: hostname(), leaseMs: config.leaseMs },
    retentionDays: config.retention.days,
    logLimitBytes: config.logLimitBytes,
  };
});
