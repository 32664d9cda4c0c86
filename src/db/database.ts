// Opens the ledger: one kysely instance over one pool, and one LISTEN connection that heals itself.
// SQL itself lives in queries/ and nowhere else.
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely';
import { Client, Pool, types } from 'pg';
import { pause } from '../lib/abort';
import type { Logger } from '../lib/logger';
import type { DB } from './generated/database';

export type { Db, Tx } from './handles';

export interface Database {
  kysely: Kysely<DB>;
  pool: Pool;
  url: string;
  /** Calls `handler` at each NOTIFY on `channel`, and once after every reconnect, since notifications may have been missed. */
  listen(channel: string, handler: (payload: string) => void): () => void;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  url: string;
  logger: Logger;
  max?: number;
  /** How its sessions are named in the database. */
  applicationName?: string;
  /** A session setting that moves gantry_now(), such as '14 days'. Tests only. */
  clockOffset?: string;
}

// Counts are bigint in SQL and safe integers in practice.
types.setTypeParser(types.builtins.INT8, Number);
// json columns stay text until somebody needs them: parameters and rows are kept byte for byte.
types.setTypeParser(types.builtins.JSON, (text) => text);

export function openDatabase(options: DatabaseOptions): Database {
  const { url, logger } = options;
  const settings = ['-c statement_timeout=60000', '-c idle_in_transaction_session_timeout=60000', '-c timezone=UTC'];
  if (options.clockOffset) settings.push(`-c gantry.clock_offset=${options.clockOffset.replace(/ /g, '\\ ')}`);
  const pool = new Pool({
    connectionString: url,
    max: options.max ?? 16,
    application_name: options.applicationName,
    connectionTimeoutMillis: 5000,
    query_timeout: 65_000,
    keepAlive: true,
    options: settings.join(' '),
  });
  let closing = false;
  // A connection that dies while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => {
    if (!closing) logger.warn({ error: error.message }, 'a database connection was lost');
  });
  // One that dies in the middle of a transaction tells its query; without a listener of its own it would end the process too.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const listener = startListener(url, logger);
  return {
    kysely: new Kysely<DB>({
      dialect: new PostgresDialect({ pool }),
      plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
    }),
    pool,
    url,
    listen: listener.listen,
    close: async () => {
      closing = true;
      await listener.close();
      await pool.end();
    },
  };
}

/** The session must be pinged: a half-open connection gives no sign of its own. */
const PING_MS = 5000;

function startListener(url: string, logger: Logger): { listen: Database['listen']; close(): Promise<void> } {
  const handlers = new Map<string, Set<(payload: string) => void>>();
  const stopping = new AbortController();
  let client: Client | null = null;

  const session = async (): Promise<void> => {
    const next = new Client({
      connectionString: url,
      connectionTimeoutMillis: 5000,
      query_timeout: 5000,
      keepAlive: true,
    });
    const lost = new AbortController();
    next.on('error', () => lost.abort());
    next.on('end', () => lost.abort());
    next.on('notification', (message) =>
      handlers.get(message.channel)?.forEach((handler) => handler(message.payload ?? '')),
    );
    try {
      await next.connect();
      for (const channel of handlers.keys()) await next.query(`listen ${channel}`);
      client = next;
      handlers.forEach((set) => set.forEach((handler) => handler('')));
      while (!lost.signal.aborted && !stopping.signal.aborted) {
        await pause(PING_MS, AbortSignal.any([lost.signal, stopping.signal]));
        if (!lost.signal.aborted && !stopping.signal.aborted) await next.query('select 1');
      }
    } finally {
      client = null;
      await next.end().catch(() => undefined);
    }
  };

  let running: Promise<void> | null = null;
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await session().catch((error: Error) => logger.warn({ error: error.message }, 'the LISTEN connection was lost'));
      await pause(500, stopping.signal);
    }
  };

  return {
    listen: (channel, handler) => {
      const set = handlers.get(channel) ?? new Set();
      handlers.set(channel, set.add(handler));
      if (!running) running = loop();
      else if (set.size === 1) client?.query(`listen ${channel}`).catch(() => undefined);
      return () => set.delete(handler);
    },
    close: async () => {
      stopping.abort();
      await running;
    },
  };
}
