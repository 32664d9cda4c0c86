// Notices that wait for a digest, gathered into one notice for each recipient. Called by workers/maintenance/digests.ts.
import { sql } from 'kysely';
import type { Db, Tx } from '../database';
import { newId } from '../../lib/ids';

export async function listHeldRecipients(db: Db, after: string | null, limit: number): Promise<string[]> {
  const { rows } = await sql<{ recipient: string }>`
    select distinct recipient from notice where held and recipient > ${after ?? ''} order by recipient limit ${limit}`.execute(
    db,
  );
  return rows.map((row) => row.recipient);
}

/**
 * Writes one digest of all that is held for the recipient, who is written to as the latest of them says.
 * @returns false when nothing is held any more.
 */
export async function gatherHeld(tx: Tx, recipient: string, named: number): Promise<boolean> {
  const id = newId();
  const { rows } = await sql`
    with gathered as (
      update notice set held = false, state = 'sent', due_at = gantry_now(), digest_id = ${id}
      where held and recipient = ${recipient} returning payload, created_at, id),
    counted as (select payload->>'state' as state, count(*) as count from gathered group by 1 order by 2 desc, 1),
    latest as (select payload, created_at, id from gathered order by created_at desc, id desc limit ${named})
    insert into notice (id, job_id, run, kind, recipient, payload)
    select ${id}, ${id}, 1, 'digest', ${recipient}, json_build_object(
      'reader', (select payload->'reader' from latest order by created_at desc, id desc limit 1),
      'counts', (select json_object_agg(state, count) from counted),
      'jobs', (select json_agg(json_build_object('jobId', payload->'jobId', 'title', payload->'title', 'state', payload->'state',
        'failed', payload->'failed', 'finishedAt', payload->'finishedAt') order by created_at desc, id desc) from latest))
    where exists (select from gathered)
    returning 1`.execute(tx);
  return rows.length > 0;
}
