// The notification area: own jobs that go on, and own jobs that ended lately.
import { sql } from 'kysely';
import type { Db } from '../database';
import { selectJobs, type JobRow } from './jobs';

/** Ended jobs stay in the area for a day. */
const SHOWN = sql`interval '1 day'`;

export type NotedJob = JobRow & { unread: boolean };

/** Running first, then the latest ended. */
export function listNotedJobs(db: Db, userId: string, limit: number): Promise<NotedJob[]> {
  return selectJobs(db)
    .innerJoin('appUser', 'appUser.id', 'job.ownerId')
    .select(sql<boolean>`coalesce(job.finished_at > app_user.notifications_read_at, false)`.as('unread'))
    .where('job.ownerId', '=', userId)
    .where(sql<boolean>`(job.finished_at is null or job.finished_at > gantry_now() - ${SHOWN})`)
    .orderBy(sql`job.finished_at is null`, 'desc')
    .orderBy('job.createdAt', 'desc')
    .limit(limit)
    .execute();
}

export async function countNotedJobs(db: Db, userId: string): Promise<{ unread: number; running: number }> {
  const { rows } = await sql<{ unread: number; running: number }>`
    select count(*) filter (where job.finished_at > u.notifications_read_at) as unread,
      count(*) filter (where job.finished_at is null) as running
    from app_user u join job on job.owner_id = u.id
    where u.id = ${userId} and job.deleted_at is null
      and (job.finished_at is null or job.finished_at > gantry_now() - ${SHOWN})`.execute(db);
  return rows[0] ?? { unread: 0, running: 0 };
}

export async function markNotificationsRead(db: Db, userId: string): Promise<Date> {
  const { rows } = await sql<{ at: Date }>`
    update app_user set notifications_read_at = gantry_now() where id = ${userId} returning notifications_read_at as at`.execute(
    db,
  );
  return rows[0]?.at ?? new Date();
}
