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

/** @param silentMs a leader that has not asked for so long is frozen or cut off, and is put down by whoever asks next. */
export function createLeadership(url: string, logger: Logger, silentMs: number): Leadership {
  let session: Promise<Client> | null = null;
  let held = new Set<string>();
  let closed = false;

  let current: Client | null = null;

  // An old session's last event must not take the new one away: that would leave its locks to nobody.
  const forget = (client: Client): void => {
    if (current !== client) return;
    current = null;
    session = null;
    held = new Set();
  };
  const drop = (client: Client): void => {
    forget(client);
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
    client.on('end', () => forget(client));
    current = client;
    await client.connect();
    return client;
  };

  // A live session alone proves nothing: a stopped process keeps its connection, and with it the lock.
  const depose = async (client: Client, duty: string): Promise<void> => {
    const { rows } = await client.query<{ pid: number }>(
      `select a.pid, pg_terminate_backend(a.pid) from pg_locks l join pg_stat_activity a on a.pid = l.pid
        where l.locktype = 'advisory' and l.objsubid = 1 and l.granted and l.database = a.datid and a.datname = current_database()
          and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended($1, 0)
          and a.state = 'idle' and clock_timestamp() - a.state_change > $2::float8 * interval '1 millisecond'`,
      [`gantry:${duty}`, silentMs],
    );
    if (rows.length > 0) logger.warn({ duty }, 'a leader that fell silent was deposed');
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
      else await depose(client, duty);
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
