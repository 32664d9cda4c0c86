// The pool that BullMQ's PostgreSQL backend is given: a statement that met a passing fault is tried again.
// Without it a completion that hits a dropped connection is stored as a failure of good work (reliability 1.1).
// Blind repeats are safe here because every message has an id of ours: a second add of it is ignored.
import type { Socket } from 'node:net';
import { Pool, type PoolClient } from 'pg';
import { pause } from '../lib/abort';
import type { Logger } from '../lib/logger';
import { isTransient } from './transient';
import { createTrouble } from './trouble';

/** How long a passing fault may last before the caller hears of it. */
const PATIENCE_MS = 20_000;

export interface RetryingPoolOptions {
  databaseUrl: string;
  schema: string;
  max: number;
  logger: Logger;
  /** False leaves the mend out; only the test that shows why it is needed does so. */
  retry?: boolean;
}

export function createRetryingPool(options: RetryingPoolOptions): Pool {
  const pool = new Pool({
    connectionString: options.databaseUrl,
    max: options.max,
    // pg has no limits of its own: a half-open connection would hold a worker for ever.
    query_timeout: 10_000,
    connectionTimeoutMillis: 3000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5000,
    options: `-c search_path=${options.schema} -c statement_timeout=15000 -c lock_timeout=5000`,
  });
  pool.on('error', createTrouble(options.logger, 'a connection of the queue was lost; another is opened when needed'));
  // A client that is checked out (for LISTEN) and dies between two statements must not end the process.
  pool.on('connect', (client) => endWhenSilent(client.on('error', () => undefined)));
  if (options.retry === false) return pool;

  const query = pool.query.bind(pool) as unknown as (text: string, params?: unknown[]) => Promise<unknown>;
  const retrying = async (text: string, params?: unknown[]): Promise<unknown> => {
    const deadline = Date.now() + PATIENCE_MS;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await query(text, params);
      } catch (error) {
        if (!isTransient(error) || Date.now() > deadline || pool.ending) throw error;
        await pause(Math.min(1000, 20 * 2 ** attempt));
      }
    }
  };
  return Object.assign(pool, { query: retrying }) as unknown as Pool;
}

/**
 * A statement that times out leaves pg's client blocked behind it. The pool throws such a client away, but the one that BullMQ
 * keeps for LISTEN would stay so for ever: its link is ended, so that BullMQ hears of it and opens another.
 */
function endWhenSilent(client: PoolClient): void {
  const query = client.query.bind(client) as unknown as (...call: unknown[]) => Promise<unknown> | undefined;
  const { connection } = client as unknown as { connection: { stream: Socket } };
  const watched = (...call: unknown[]): Promise<unknown> | undefined => {
    const answer = query(...call);
    answer?.catch?.((error: Error) => {
      if (error.message === 'Query read timeout') connection.stream.destroy();
    });
    return answer;
  };
  Object.assign(client, { query: watched });
}
