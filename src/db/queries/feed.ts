// The numbered feed that browsers resume from. Rows of `change` commit out of order, so one process at a time numbers them
// after their commit. Reading it is the business of api/stream.
import { sql, type Kysely } from 'kysely';
import type { DB } from '../generated/database';
import type { Db } from '../database';

/** Moves up to `limit` changes into the feed, the changes of one subject as one entry. @returns how many changes were taken. */
export async function numberChanges(db: Kysely<DB>, limit: number): Promise<number> {
  return db.transaction().execute(async (tx) => {
    // Two leaders for a moment must not interleave their numbers. Not the key of the leadership, which another session holds.
    await sql`select pg_advisory_xact_lock(hashtextextended('gantry:numbering', 0))`.execute(tx);
    const { rows } = await sql<{ taken: number }>`
      with taken as (
        delete from change where id = any(array(select id from change order by id limit ${limit} for update skip locked))
        returning id, topic, subject_id, owner_id),
      subject as (
        select topic, subject_id, max(id) as last, (array_agg(owner_id order by id desc))[1] as owner_id
        from taken group by topic, subject_id),
      numbered as (
        insert into feed (topic, subject_id, owner_id, run, version, state)
        select s.topic, s.subject_id, coalesce(job.owner_id, s.owner_id), job.run,
          coalesce(job.version, (select max(version) + 1 from feed f where f.topic = s.topic and f.subject_id = s.subject_id), 1),
          case when s.topic = 'deployment' then coalesce(deployment.status, 'deleted')
               when s.topic = 'bulk-action' then coalesce(bulk.state, 'deleted')
               when s.topic <> 'job' then ''
               when job.id is null or job.deleted_at is not null then 'deleted'
               else job.state::text end
        from subject s
        left join deployment on s.topic = 'deployment' and deployment.id::text = s.subject_id
        left join bulk_action bulk on s.topic = 'bulk-action' and bulk.id::text = s.subject_id
        left join job on job.id = case when s.topic = 'job' then s.subject_id::uuid else deployment.job_id end
        order by s.last)
      select count(*)::int as taken from taken`.execute(tx);
    return rows[0]?.taken ?? 0;
  });
}

export async function pruneFeed(db: Db, keepMs: number, limit: number): Promise<number> {
  const { rows } = await sql`
    delete from feed where seq in (select seq from feed where at < gantry_now() - ${keepMs}::float8 * interval '1 millisecond'
      order by at limit ${limit}) returning 1`.execute(db);
  return rows.length;
}
