// Notices that are due: claimed under a lease by any number of senders, marked by whoever sent them.
import { sql } from 'kysely';
import type { Db } from '../database';

export interface ClaimedNotice {
  id: string;
  jobId: string;
  run: number;
  kind: string;
  channel: string;
  recipient: string;
  payload: string;
  attempts: number;
  /** An earlier try may have been delivered. */
  ambiguous: boolean;
  /** Milliseconds since the notice was made, or a superadmin asked for it again. */
  ageMs: number;
  /** Why nothing is sent to this address any more, or null. */
  suppressed: string | null;
}

/**
 * Takes up to `limit` due notices. One whose sender died is taken once more; the second time it stays `unknown`, since it
 * may have been delivered twice already.
 */
export async function claimNotices(db: Db, limit: number, leaseMs: number): Promise<ClaimedNotice[]> {
  const { rows } = await sql<ClaimedNotice & { state: string }>`
    update notice set
      state = (case when state = 'sending' and ambiguous then 'unknown' else 'sending' end)::notice_state,
      ambiguous = ambiguous or state = 'sending',
      last_error = case when state = 'sending' then 'the sender died while it was sending' else last_error end,
      attempts = attempts + 1,
      claimed_attempt = attempts + 1,
      lease_until = gantry_now() + ${leaseMs}::float8 * interval '1 millisecond'
    where id = any(array(select id from notice
      where (state = 'due' and due_at <= gantry_now()) or (state = 'sending' and lease_until < gantry_now())
      order by due_at limit ${limit} for update skip locked))
    returning id, job_id, run, kind, channel, recipient, payload, attempts, ambiguous, state,
      extract(epoch from gantry_now() - coalesce(retried_at, created_at))::float8 * 1000 as age_ms,
      (select s.reason from mail_suppression s where s.address = lower(notice.recipient)) as suppressed`.execute(db);
  return rows.filter((row) => row.state === 'sending');
}

type Guard = Pick<ClaimedNotice, 'id' | 'attempts'>;

// `attempts` is the fence: each claim raises it.
export async function markNoticeSent(db: Db, notice: Guard): Promise<void> {
  await sql`
    update notice set state = 'sent', sent_at = gantry_now(), lease_until = null, last_error = null, failure = null
    where id = ${notice.id} and attempts = ${notice.attempts} and state = 'sending'`.execute(db);
}

export async function markNoticeEnded(
  db: Db,
  notice: Guard,
  state: 'failed' | 'unknown',
  failure: 'temporary' | 'permanent' | 'suppressed',
  error: string,
): Promise<void> {
  await sql`
    update notice set state = ${state}, lease_until = null, last_error = ${error}, failure = ${failure}
    where id = ${notice.id} and attempts = ${notice.attempts} and state = 'sending'`.execute(db);
}

export async function delayNotice(
  db: Db,
  notice: Guard,
  delayMs: number,
  error: string | null,
  ambiguous: boolean,
): Promise<void> {
  await sql`
    update notice set state = 'due', lease_until = null, last_error = coalesce(${error}, last_error), failure = 'temporary',
      ambiguous = ambiguous or ${ambiguous},
      due_at = gantry_now() + ${delayMs}::float8 * interval '1 millisecond'
    where id = ${notice.id} and attempts = ${notice.attempts} and state = 'sending'`.execute(db);
}

export async function renewNotices(db: Db, notices: Guard[], leaseMs: number): Promise<void> {
  await sql`
    update notice set lease_until = gantry_now() + ${leaseMs}::float8 * interval '1 millisecond'
    from unnest(${notices.map((n) => n.id)}::uuid[], ${notices.map((n) => n.attempts)}::int[]) as held(id, attempts)
    where notice.id = held.id and notice.attempts = held.attempts and notice.state = 'sending'`.execute(db);
}
