// A job's log, ordered by the database's sequence whatever the workers' clocks say. Written by the runner (queries/claims.ts).
import type { Db } from '../database';

export interface LogLineRow {
  seq: number;
  run: number;
  at: Date;
  level: string;
  message: string;
}

/** In order, those after `after`; run null: of all runs. */
export function listLogLines(
  db: Db,
  jobId: string,
  run: number | null,
  page: { after: number | null; limit: number },
): Promise<LogLineRow[]> {
  return db
    .selectFrom('logLine')
    .select(['seq', 'run', 'at', 'level', 'message'])
    .where('jobId', '=', jobId)
    .$if(run !== null, (query) => query.where('run', '=', run ?? 0))
    .$if(page.after !== null, (query) => query.where('seq', '>', page.after ?? 0))
    .orderBy('seq')
    .limit(page.limit)
    .execute();
}

/** Lines that are held in memory at once. */
const STREAM_PAGE = 1000;

export async function* streamLogLines(db: Db, jobId: string, run: number | null): AsyncGenerator<LogLineRow> {
  for (let after: number | null = null; ;) {
    const page: LogLineRow[] = await listLogLines(db, jobId, run, { after, limit: STREAM_PAGE });
    yield* page;
    if (page.length < STREAM_PAGE) return;
    after = page[page.length - 1]?.seq ?? null;
  }
}
