// The composition root: config -> ledger -> queue -> catalogue -> services, started in order and stopped in reverse, the
// embedded database last. Everything that a room needs is handed in here; no room finds things by itself.
import { startWebService } from './api/webService';
import { bootstrapAdmin, type FirstAdmin } from './api/auth/bootstrapAdmin';
import { composeHandlerDeps } from './cli/handlerDeps';
import type { IsolateInit } from './cli/isolateChild';
import { loadPlugins } from './cli/loadPlugins';
import { openLedger } from './cli/openLedger';
import { startWaitingServer } from './cli/waitingServer';
import type { Config } from './config/config';
import { rememberSecretsOf } from './config/rememberSecrets';
import { databaseNow } from './db/queries/clock';
import { createWaker } from './db/wake';
import { createCatalog } from './jobs/catalog';
import type { Definition } from './jobs/define';
import { loadServerKeys } from './jobs/deployments/serverKeys';
import { createApprovalLinks } from './lib/approvalLink';
import type { Logger } from './lib/logger';
import { createSecretBox } from './lib/secretBox';
import { rememberPasswordOf, rememberSecret } from './lib/secrets';
import { startTracing } from './lib/tracing';
import { createQueue } from './queue/createQueue';
import { startWatch } from './workers/watchService';
import { startWorkerService } from './workers/workerService';

export interface AppOptions {
  config: Config;
  logger: Logger;
  services: { web: boolean; worker: boolean };
  /** own: this process runs the embedded database; join: a running `gantry start` does. */
  server: 'own' | 'join';
  /** Ends a start that is still waiting for something. */
  signal: AbortSignal;
  /** Job kinds besides those of GANTRY_PLUGINS: for the test kit of plug-ins. */
  definitions?: Definition[];
}

export interface App {
  /** Where the web service listens; null without one. */
  url: string | null;
  backend: 'redis' | 'postgres';
  /** The superadmin that was made at this start, to be told to the operator. */
  firstAdmin: FirstAdmin | null;
  stop(): Promise<void>;
}

interface Started {
  name: string;
  stop(): Promise<void> | void;
}

export async function startApp(options: AppOptions): Promise<App> {
  const started: Started[] = [];
  const stop = stopper(started, options.logger);
  try {
    return { ...(await compose(options, started)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function compose(options: AppOptions, started: Started[]): Promise<Omit<App, 'stop'>> {
  const { config, logger, services, signal } = options;
  rememberSecretsOf(config);
  if (config.tracesEndpoint !== undefined) {
    const tracing = startTracing(config.tracesEndpoint);
    started.push({ name: 'tracing', stop: tracing.stop });
  }
  const plugins = [...(await loadPlugins(config.plugins)), ...(options.definitions ?? [])];
  const waiting: Started[] = [];
  const stopWaiting = stopper(waiting, logger);
  started.push({ name: 'waiting server', stop: stopWaiting });
  const ledger = await openLedger(config, logger, {
    server: options.server,
    signal,
    onAway: async () => {
      if (!services.web || config.port === 0) return;
      const server = await startWaitingServer(config.host, config.port);
      waiting.push({ name: 'waiting server', stop: server.close });
    },
  });
  const { database, secretKey } = ledger;
  rememberSecret(secretKey);
  rememberPasswordOf(database.url);
  started.push({ name: 'ledger', stop: ledger.stop });

  const waker = createWaker(database.pool, logger);
  started.push({ name: 'waker', stop: waker.close });
  const queue = await createQueue({
    redisUrl: config.redisUrl,
    databaseUrl: database.url,
    logger,
    databaseNow: () => databaseNow(database.kysely),
    signal,
  });
  started.push({ name: 'queue', stop: queue.close });
  signal.throwIfAborted();

  const box = createSecretBox(secretKey);
  const catalog = createCatalog(database.kysely, { openSecret: box.open, plugins });
  const { handlerDeps, close } = composeHandlerDeps(config, waker);
  started.push({ name: 'calls of operations', stop: close });
  const approvalLinks = createApprovalLinks(secretKey);
  if (services.worker) {
    const isolate = {
      entry: require.resolve('./cli/isolateChild'),
      init: { config, databaseUrl: database.url, secretKey } satisfies IsolateInit,
    };
    const worker = await startWorkerService({
      ...{ database, queue, catalog, handlerDeps, approvalLinks, config, logger, waker, isolate },
    });
    started.push({ name: 'worker', stop: worker.stop });
  } else {
    const watch = startWatch({ database, waker, config, logger, approvalLinks, isWorker: false });
    started.push({ name: 'watch', stop: watch.stop });
  }
  let url: string | null = null;
  let firstAdmin: FirstAdmin | null = null;
  if (services.web) {
    firstAdmin = await bootstrapAdmin(database.kysely, config.admin);
    await stopWaiting();
    const serverKeys = await loadServerKeys(database.kysely, secretKey);
    const deps = { database, queue, catalog, handlerDeps, config, secretKey, logger, waker, serverKeys };
    const web = await startWebService(deps);
    started.push({ name: 'web', stop: web.stop });
    url = web.url;
  }
  return { url, backend: queue.backend, firstAdmin };
}

/** Stops in reverse; one that fails to stop does not keep the others from it. Calling it twice is harmless. */
function stopper(started: Started[], logger: Logger): () => Promise<void> {
  return async () => {
    for (let part = started.pop(); part; part = started.pop()) {
      try {
        await part.stop();
      } catch (error) {
        logger.error({ part: part.name, error: (error as Error).message }, 'a part did not stop cleanly');
      }
    }
  };
}
