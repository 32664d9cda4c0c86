// The timeline of a job and the news for the feed. Appended in the transaction of whatever they tell of; never changed.
import type { Db, Tx } from '../database';

export interface NewEvent {
  jobId: string;
  run: number;
  type: string;
  actor?: { id: string; name: string } | undefined;
  data?: Record<string, unknown> | undefined;
}

export async function insertEvent(tx: Tx, event: NewEvent): Promise<void> {
  await tx
    .insertInto('jobEvent')
    .values({
      jobId: event.jobId,
      run: event.run,
      type: event.type,
      actorId: event.actor?.id ?? null,
      actorName: event.actor?.name ?? null,
      data: event.data === undefined ? null : JSON.stringify(event.data),
    })
    .execute();
}

/** Tells the feed that a subject changed; it is numbered after the commit, so the caller wakes gantry_change then. */
export async function insertChange(tx: Tx, topic: string, subjectId: string, ownerId: string | null): Promise<void> {
  await tx.insertInto('change').values({ topic, subjectId, ownerId }).execute();
}

export interface EventRow {
  id: number;
  run: number;
  type: string;
  at: Date;
  actorId: string | null;
  actorName: string | null;
  data: string | null;
}

/** Oldest first, those after `after`. */
export function listEvents(db: Db, jobId: string, page: { after: number | null; limit: number }): Promise<EventRow[]> {
  return db
    .selectFrom('jobEvent')
    .select(['id', 'run', 'type', 'at', 'actorId', 'actorName', 'data'])
    .where('jobId', '=', jobId)
    .$if(page.after !== null, (query) => query.where('id', '>', page.after ?? 0))
    .orderBy('id')
    .limit(page.limit)
    .execute();
}
