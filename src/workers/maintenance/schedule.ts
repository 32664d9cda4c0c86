// Recurring duties by cron, in the database's time. BullMQ's scheduler only wakes; the due row is what counts, so a lost or
// doubled tick neither skips a duty nor runs it twice. Times that passed while nobody was there make one late run.
import { Cron } from 'croner';
import type { Db } from '../../db/database';
import { databaseNow } from '../../db/queries/clock';
import { claimDue, declareSchedule, findDue, keepDue, markDueFinished, takeUpDue } from '../../db/queries/schedules';

export function nextAfter(cron: string, moment: Date): Date {
  const next = new Cron(cron, { timezone: 'UTC', paused: true }).nextRun(moment);
  if (!next) throw new Error(`the cron "${cron}" has no next time`);
  return next;
}

export async function declare(db: Db, name: string, cron: string): Promise<void> {
  await declareSchedule(db, name, cron, nextAfter(cron, await databaseNow(db)));
}

const SIGN_MS = 20_000;
/** Without a sign for so long the duty failed, or its process is dead: the next one may be weeks away, so it is taken up again. */
const SILENT_MS = 120_000;

/** Runs the duty when its time has come and this caller is the one that claims it. Duties are repeatable. */
export async function runIfDue(db: Db, name: string, cron: string, duty: () => Promise<unknown>): Promise<boolean> {
  const dueAt = (await claimNext(db, name, cron)) ?? (await takeUpDue(db, name, SILENT_MS));
  if (!dueAt) return false;
  const signs = setInterval(() => void keepDue(db, name, dueAt).catch(() => undefined), SIGN_MS);
  try {
    const result = await duty();
    await markDueFinished(db, name, dueAt, JSON.stringify({ result }));
  } finally {
    clearInterval(signs);
  }
  return true;
}

async function claimNext(db: Db, name: string, cron: string): Promise<Date | null> {
  const dueAt = await findDue(db, name);
  if (!dueAt) return null;
  return (await claimDue(db, name, dueAt, nextAfter(cron, await databaseNow(db)))) ? dueAt : null;
}
