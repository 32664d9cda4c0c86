// The pool that BullMQ is given, against a real server: passing faults are made good, others are told at once.
import { Client, type Pool } from 'pg';
import { createLogger } from '../../src/lib/logger';
import { createRetryingPool } from '../../src/queue/retryingPool';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { openTcpProxy, through } from '../support/tcpProxy';
import { until } from '../support/until';

let database: TestDatabase;
let intruder: Client;
const pools: Pool[] = [];

const openPool = (retry?: boolean): Pool => {
  const pool = createRetryingPool({
    databaseUrl: database.url,
    schema: 'public',
    max: 2,
    logger: createLogger({ level: 'silent' }),
    retry,
  });
  pools.push(pool);
  return pool;
};

beforeAll(async () => {
  database = await createTestDatabase();
  intruder = new Client({ connectionString: database.url });
  await intruder.connect();
  // Fails once and then works: the number of a sequence is not given back when the statement fails.
  await intruder.query(`
    create function fail_once(sequence text, state text) returns text language plpgsql as $$
    begin
      if nextval(sequence::regclass) = 1 then raise exception 'a fault' using errcode = state; end if;
      return 'made good';
    end $$`);
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await intruder.end();
  await database.drop();
});

const failOnce = async (pool: Pool, state: string): Promise<string> => {
  const sequence = `once_${state.toLowerCase()}_${pools.length}`;
  await intruder.query(`create sequence ${sequence}`);
  const result = await pool.query<{ fail_once: string }>('select fail_once($1, $2)', [sequence, state]);
  return result.rows[0]?.fail_once ?? '';
};

it.each(['57P01', '57P02', '57P03', '57014', '55P03', '40P01', '40001', '08006', '08003', '53300'])(
  'makes good what fails once with %s',
  async (state) => {
    await expect(failOnce(openPool(), state)).resolves.toBe('made good');
    await expect(failOnce(openPool(false), state)).rejects.toMatchObject({ code: state });
  },
);

it.each(['23505', '22P05', '42P01', 'BM001'])('tells of %s at once', async (state) => {
  await expect(failOnce(openPool(), state)).rejects.toMatchObject({ code: state });
});

it('answers a statement whose session was terminated under it', async () => {
  const terminated = async (pool: Pool): Promise<number | null> => {
    const mark = `'mark ${pools.length}'`;
    const answer = pool.query(`select pg_sleep(0.3), ${mark}`);
    // Told below; until then a refusal must not count as unhandled.
    answer.catch(() => undefined);
    await until(async () => {
      const killed = await intruder.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where query = $1 and state = 'active'`,
        [`select pg_sleep(0.3), ${mark}`],
      );
      return killed.rowCount === 1;
    }, 'the session to be terminated');
    return (await answer).rowCount;
  };
  await expect(terminated(openPool())).resolves.toBe(1);
  await expect(terminated(openPool(false))).rejects.toThrow();
});

it('ends a client that is kept, such as that for LISTEN, when its link answers a statement with silence', async () => {
  const proxy = await openTcpProxy(Number(new URL(database.url).port));
  const pool = createRetryingPool({
    databaseUrl: through(database.url, proxy),
    schema: 'public',
    max: 2,
    logger: createLogger({ level: 'silent' }),
  });
  const kept = await pool.connect();
  const ended = new Promise<Error>((resolve) => kept.once('error', resolve));
  proxy.swallow();
  await expect(kept.query('listen something')).rejects.toThrow('timeout');
  expect((await ended).message).toContain('Connection terminated');
  kept.release(true);
  await expect(pool.query('select 1')).resolves.toMatchObject({ rowCount: 1 });
  await pool.end();
  await proxy.close();
});
