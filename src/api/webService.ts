// Starts the web service: the API, the pages, the event stream and the gateway of the agents on one port.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config/config';
import type { Database } from '../db/database';
import type { Waker } from '../db/wake';
import type { Catalog } from '../jobs/catalog';
import { commandSettings, type CommandDeps } from '../jobs/commandDeps';
import type { HandlerDeps } from '../jobs/define';
import { createApprovalLinks } from '../lib/approvalLink';
import type { Logger } from '../lib/logger';
import { createSecretBox } from '../lib/secretBox';
import type { SigningKeys } from '../lib/signing';
import type { Queue } from '../queue/createQueue';
import { attachAgentGateway } from './agentGateway';
import type { ApiDeps } from './apiDeps';
import { createOidcClient } from './auth/oidcClient';
import { createDenialLog } from './denials';
import { startEventHub } from './eventHub';
import { createMetrics } from './metrics';
import { refuseUnreadable } from './middleware/bareAnswer';
import { createWebApp } from './webApp';

export interface WebServiceDeps {
  database: Database;
  queue: Queue;
  catalog: Catalog;
  /** For previews. */
  handlerDeps: HandlerDeps;
  config: Config;
  secretKey: string;
  logger: Logger;
  waker: Waker;
  serverKeys: SigningKeys;
}

export interface WebService {
  url: string;
  port: number;
  stop(): Promise<void>;
}

/** A connection on which nothing moves for so long is closed. Event streams tell something every 15 s. */
const SILENT_MS = 120_000;

/** Answers in hand get so long at the end; event streams are cut at once, their clients resume. */
const CLOSE_MS = 3000;

export async function startWebService(given: WebServiceDeps): Promise<WebService> {
  const { database, queue, catalog, config, logger, waker, serverKeys } = given;
  const events = await startEventHub(database, logger);
  const commands: CommandDeps = { db: database.kysely, catalog, waker, settings: commandSettings(config) };
  const deps: ApiDeps = {
    database,
    db: database.kysely,
    queue,
    config,
    commands,
    previews: { commands, handlerDeps: given.handlerDeps, logger },
    secretBox: createSecretBox(given.secretKey),
    approvalLinks: createApprovalLinks(given.secretKey),
    serverKeys,
    events,
    metrics: createMetrics(),
    oidc: config.oidc ? createOidcClient(config.oidc, config.baseUrl) : null,
    denials: createDenialLog(database.kysely, logger),
    logger,
  };
  const server = createServer(createWebApp(deps, given.secretKey));
  // Node's limit for a whole request would cut large uploads; silence is limited instead.
  server.requestTimeout = 0;
  server.setTimeout(SILENT_MS);
  server.on('clientError', refuseUnreadable);
  const gateway = attachAgentGateway(server, { database, serverKeys, waker, logger });
  await listen(server, config.port, config.host);
  const { port } = server.address() as AddressInfo;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return {
    url: `http://${host}:${port}`,
    port,
    stop: async () => {
      await gateway.stop();
      await events.stop();
      await close(server);
      await deps.denials.stop();
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`Port ${port} of ${host} is taken. Stop what listens there, or set PORT.`)
          : error,
      ),
    );
    server.listen(port, host, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
