// The process of its own of engine tests: as src/cli/isolateChild.ts, with the kinds that only tests know.
import { hostname } from 'node:os';
import { composeHandlerDeps } from '../../src/cli/handlerDeps';
import type { Config } from '../../src/config/config';
import { openDatabase } from '../../src/db/database';
import { createWaker } from '../../src/db/wake';
import { createCatalog } from '../../src/jobs/catalog';
import { createLogger } from '../../src/lib/logger';
import { serveIsolate } from '../../src/workers/isolate/serveIsolate';
import { testKinds } from './testKinds';

serveIsolate((init, session) => {
  const { config, databaseUrl } = init as { config: Config; databaseUrl: string };
  const logger = createLogger({ level: config.logLevel });
  const database = openDatabase({ url: databaseUrl, logger, max: 3, applicationName: session });
  const waker = createWaker(database.pool, logger);
  return Promise.resolve({
    db: database.kysely,
    catalog: createCatalog(database.kysely, { openSecret: (box) => box, plugins: testKinds }),
    handlerDeps: composeHandlerDeps(config, waker).handlerDeps,
    logger,
    waker,
    claimer: { workerId: session, host: hostname(), leaseMs: config.leaseMs },
    retentionDays: config.retention.days,
    logLimitBytes: config.logLimitBytes,
  });
});
