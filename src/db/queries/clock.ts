// The one clock: PostgreSQL's, which tests may move. Called where a decision needs the time outside a statement.
import { sql } from 'kysely';
import type { Db } from '../database';

export async function databaseNow(db: Db): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select gantry_now() as now`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('the database told no time');
  return row.now;
}
