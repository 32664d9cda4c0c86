// How long a row of an adaptive kind takes, learned at the end of its chunks, and the chunk size that follows from it.
import { sql } from 'kysely';
import type { Db } from '../database';

/** The share of the latest chunk in the mean. */
const WEIGHT = 0.3;

export async function learnPace(db: Db, kind: string, msPerRow: number): Promise<void> {
  await sql`
    insert into kind_pace (kind, ms_per_row) values (${kind}, ${msPerRow}::float8)
    on conflict (kind) do update set updated_at = gantry_now(),
      ms_per_row = kind_pace.ms_per_row + ${WEIGHT}::float8 * (excluded.ms_per_row - kind_pace.ms_per_row)`.execute(db);
}

/** Null: nothing is known of the kind yet. */
export async function findPace(db: Db, kind: string): Promise<number | null> {
  const row = await db.selectFrom('kindPace').select('msPerRow').where('kind', '=', kind).executeTakeFirst();
  return row?.msPerRow ?? null;
}
