// Recurring duties: a due time is claimed once by its row. The queue's scheduler only wakes whoever looks here.
import { sql } from 'kysely';
import type { Db } from '../database';

/** Declares a schedule; a changed cron starts anew from `nextDueAt`, an unchanged one keeps its place. */
export async function declareSchedule(db: Db, name: string, cron: string, nextDueAt: Date): Promise<void> {
  await sql`
    insert into schedule (name, cron, next_due_at) values (${name}, ${cron}, ${nextDueAt})
    on conflict (name) do update set cron = excluded.cron, next_due_at = excluded.next_due_at
    where schedule.cron <> excluded.cron`.execute(db);
}

/** The due time of a schedule that has come, or null. */
export async function findDue(db: Db, name: string): Promise<Date | null> {
  const { rows } = await sql<{ nextDueAt: Date }>`
    select next_due_at from schedule where name = ${name} and next_due_at <= gantry_now()`.execute(db);
  return rows[0]?.nextDueAt ?? null;
}

/** Claims a due time for this caller alone and moves the schedule on. false: another one has it. */
export async function claimDue(db: Db, name: string, dueAt: Date, nextDueAt: Date): Promise<boolean> {
  const { rows } = await sql`
    with moved as (
      update schedule set next_due_at = ${nextDueAt} where name = ${name} and next_due_at = ${dueAt} returning name)
    insert into schedule_due (name, due_at, started_at, alive_at) select name, ${dueAt}, gantry_now(), gantry_now() from moved
    on conflict do nothing returning 1`.execute(db);
  return rows.length > 0;
}

/** Takes up the latest due time whose holder failed, or gave no sign for so long. @returns it, or null. */
export async function takeUpDue(db: Db, name: string, silentMs: number): Promise<Date | null> {
  const { rows } = await sql<{ dueAt: Date }>`
    update schedule_due set alive_at = gantry_now()
    where name = ${name} and due_at = (select max(due_at) from schedule_due where name = ${name}) and finished_at is null
      and alive_at < gantry_now() - ${silentMs}::float8 * interval '1 millisecond' returning due_at`.execute(db);
  return rows[0]?.dueAt ?? null;
}

export async function keepDue(db: Db, name: string, dueAt: Date): Promise<void> {
  await sql`
    update schedule_due set alive_at = gantry_now() where name = ${name} and due_at = ${dueAt}`.execute(db);
}

export async function markDueFinished(db: Db, name: string, dueAt: Date, result: string): Promise<void> {
  await sql`
    update schedule_due set finished_at = gantry_now(), result = ${result} where name = ${name} and due_at = ${dueAt}`.execute(
    db,
  );
}

export interface DutyRun {
  dueAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  result: string | null;
}

/** The latest runs of a duty and when it is due next; null when no worker has declared it yet. */
export async function readSchedule(
  db: Db,
  name: string,
  limit: number,
): Promise<{ nextDueAt: Date; runs: DutyRun[] } | null> {
  const schedule = await db.selectFrom('schedule').select('nextDueAt').where('name', '=', name).executeTakeFirst();
  if (!schedule) return null;
  const runs = await db
    .selectFrom('scheduleDue')
    .select(['dueAt', 'startedAt', 'finishedAt', sql<string | null>`result::text`.as('result')])
    .where('name', '=', name)
    .orderBy('dueAt', 'desc')
    .limit(limit)
    .execute();
  return { ...schedule, runs };
}

export async function pruneDue(db: Db, keepMs: number, limit: number): Promise<number> {
  const { rows } = await sql`
    delete from schedule_due where (name, due_at) in (select name, due_at from schedule_due
      where due_at < gantry_now() - ${keepMs}::float8 * interval '1 millisecond' limit ${limit}) returning 1`.execute(
    db,
  );
  return rows.length;
}
