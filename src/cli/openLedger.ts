// Opens the ledger for every command: the embedded server or DATABASE_URL, migrated, with the key that opens its secrets.
// A database that is away is waited for; a schema that is newer than this program is not.
import type { Config } from '../config/config';
import { openDatabase, type Database } from '../db/database';
import { joinEmbeddedServer, openEmbeddedServer, type EmbeddedServer } from '../db/embeddedServer';
import { migrateToLatest } from '../db/migrate';
import { isTransient } from '../db/retry';
import { pause } from '../lib/abort';
import type { Logger } from '../lib/logger';
import { keptSecretKey } from './secretKeyFile';

export interface Ledger {
  database: Database;
  secretKey: string;
  /** Closes the connections, and at the very end stops the embedded server if this process owns it. */
  stop(): Promise<void>;
}

export interface LedgerOptions {
  /** own: this process runs the embedded server. join: it belongs to a running `gantry start`. any: whichever is the case. */
  server: 'own' | 'join' | 'any';
  signal: AbortSignal;
  /** Called once when the database turns out to be away. */
  onAway?(): Promise<void> | void;
}

/** How long one start waits for another command that holds the embedded server, such as `gantry token create`. */
const SHARED_WAIT_MS = 10_000;
/** How long `web` and `worker` wait for the `gantry start` they join. */
const JOIN_WAIT_MS = 60_000;

export async function openLedger(config: Config, logger: Logger, options: LedgerOptions): Promise<Ledger> {
  const server = config.databaseUrl ? null : await findServer(config.dataDir, options, logger);
  const url = config.databaseUrl ?? server?.url ?? '';
  const secretKey = config.secretKey ?? keptSecretKey(config.dataDir);
  try {
    await migrated(url, logger, options);
  } catch (error) {
    await server?.stop();
    throw error;
  }
  // Every slot may hold a connection while its chunk commits; the web service needs some besides.
  const database = openDatabase({ url, logger, max: Math.min(60, 12 + config.workerConcurrency * 2) });
  return {
    database,
    secretKey,
    stop: async () => {
      await database.close();
      await server?.stop();
    },
  };
}

/** The embedded server alone, its schema as it is. */
export async function findServer(dataDir: string, options: LedgerOptions, logger: Logger): Promise<EmbeddedServer> {
  const deadline = performance.now() + (options.server === 'join' ? JOIN_WAIT_MS : SHARED_WAIT_MS);
  for (let told = false; ; told = true) {
    const server = options.server === 'join' ? await joinEmbeddedServer(dataDir) : await openEmbeddedServer(dataDir);
    if (server && (options.server !== 'own' || server.owned)) return server;
    options.signal.throwIfAborted();
    if (performance.now() > deadline) {
      throw new Error(
        options.server === 'join'
          ? `No running \`gantry start\` was found on DATA_DIR ${dataDir}. Start one, or set DATABASE_URL.`
          : `Another \`gantry start\` runs on DATA_DIR ${dataDir}. It goes on undisturbed; stop it first, or choose another DATA_DIR. To add workers to it: \`gantry worker\`.`,
      );
    }
    if (!told) logger.info({ dataDir }, 'waiting for the embedded database');
    await pause(250, options.signal);
  }
}

async function migrated(url: string, logger: Logger, options: LedgerOptions): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      const ran = await migrateToLatest(url);
      if (ran.length > 0) logger.info({ migrations: ran }, 'the schema was brought up to date');
      return;
    } catch (error) {
      if (!isTransient(error)) throw error;
      options.signal.throwIfAborted();
      if (tries === 1) await options.onAway?.();
      logger.warn({ error: (error as Error).message, tries }, 'the database is away; trying again');
      await pause(Math.min(250 * tries, 3000), options.signal);
      options.signal.throwIfAborted();
    }
  }
}
