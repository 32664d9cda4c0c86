// Recurring duties by cron, in the database's time. BullMQ's scheduler only wakes; the due row is what counts, so a lost or
// doubled tick neither skips a duty nor runs it twice. Times that passed while nobody was there make one late run.
import { Cron } from 'croner';
import type { Db } from '../../db/database';
import { databaseNow } from '../../db/queries/clock';
import { claimDue, declareSchedule, findDue, markDueFinished } from '../../db/queries/schedules';

export function nextAfter(cron: string, moment: Date): Date {
  const next = new Cron(cron, { timezone: 'UTC', paused: true }).nextRun(moment);
  if (!next) throw new Error(`the cron "${cron}" has no next time`);
  return next;
}

export async function declare(db: Db, name: string, cron: string): Promise<void> {
  await declareSchedule(db, name, cron, nextAfter(cron, await databaseNow(db)));
}

/** Runs the duty when its time has come and this caller is the one that claims it. */
export async function runIfDue(db: Db, name: string, cron: string, duty: () => Promise<unknown>): Promise<boolean> {
  const dueAt = await findDue(db, name);
  if (!dueAt || !(await claimDue(db, name, dueAt, nextAfter(cron, await databaseNow(db))))) return false;
  const result = await duty();
  await markDueFinished(db, name, dueAt, JSON.stringify({ result }));
  return true;
}
