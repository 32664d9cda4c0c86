// One at a time over all processes: a session advisory lock for each duty, held on a connection of its own.
// The lock goes with the connection, so a dead leader is replaced by the next asker. What leaders do must be harmless when
// done twice, since one that lost its connection learns it only at its next round.
import { Client } from 'pg';
import type { Logger } from '../lib/logger';

export interface Leadership {
  /** True while this process holds the duty; takes it when it is free. */
  holds(duty: string): Promise<boolean>;
  close(): Promise<void>;
}

export function createLeadership(url: string, logger: Logger): Leadership {
  let session: Promise<Client> | null = null;
  let held = new Set<string>();
  let closed = false;

  const drop = (client: Client): void => {
    session = null;
    held = new Set();
    client.end().catch(() => undefined);
  };
  const open = async (): Promise<Client> => {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: 5000,
      query_timeout: 5000,
      keepAlive: true,
    });
    client.on('error', (error) => {
      logger.warn({ error: error.message }, 'the connection that holds the leadership was lost');
      drop(client);
    });
    client.on('end', () => {
      session = null;
      held = new Set();
    });
    await client.connect();
    return client;
  };

  let turn: Promise<unknown> = Promise.resolve();
  const ask = async (duty: string): Promise<boolean> => {
    if (closed) return false;
    session ??= open().catch((error: unknown) => {
      session = null;
      throw error;
    });
    const client = await session;
    try {
      // A lock held is asked for as a ping: a half-open connection must not leave two leaders for long.
      const statement = held.has(duty)
        ? { text: 'select true as held' }
        : { text: 'select pg_try_advisory_lock(hashtextextended($1, 0)) as held', values: [`gantry:${duty}`] };
      const { rows } = await client.query<{ held: boolean }>(statement);
      if (rows[0]?.held) held.add(duty);
      return Boolean(rows[0]?.held);
    } catch (error) {
      drop(client);
      throw error;
    }
  };
  return {
    // One question at a time: the connection is shared by all duties.
    holds: (duty) => {
      const answer = turn.then(() => ask(duty));
      turn = answer.catch(() => undefined);
      return answer;
    },
    close: async () => {
      closed = true;
      const client = await session?.catch(() => null);
      session = null;
      await client?.end().catch(() => undefined);
    },
  };
}
