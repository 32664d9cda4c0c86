// The trace that a job belongs to. Read by the runner when traces are on.
import type { Db } from '../database';

export async function findTraceParent(
  db: Db,
  jobId: string,
): Promise<{ kind: string; traceParent: string | null } | null> {
  const row = await db.selectFrom('job').select(['kind', 'traceParent']).where('id', '=', jobId).executeTakeFirst();
  return row ?? null;
}
