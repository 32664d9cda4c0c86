// What the event stream reads: numbered changes after a number. Numbering them is the dispatcher's (queries/feed.ts).
import { sql } from 'kysely';
import type { Db } from '../database';

export interface FeedRow {
  seq: number;
  topic: string;
  subjectId: string;
  ownerId: string | null;
  run: number | null;
  version: number;
  state: string;
}

export function listFeed(db: Db, after: number, limit: number): Promise<FeedRow[]> {
  return db
    .selectFrom('feed')
    .select(['seq', 'topic', 'subjectId', 'ownerId', 'run', 'version', 'state'])
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute();
}

/** The last number given, and the first that is still kept; a client between them can resume. */
export async function feedRange(db: Db): Promise<{ first: number; last: number }> {
  const { rows } = await sql<{ first: number | null; last: number | null }>`
    select (select min(seq) from feed) as first,
      (select case when is_called then last_value else 0 end from feed_seq_seq) as last`.execute(db);
  const last = rows[0]?.last ?? 0;
  return { first: rows[0]?.first ?? last + 1, last };
}
