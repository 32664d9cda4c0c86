// Tells a process from a later one with the same number, by its start time. Used for the lock and for programs left by a kill.
import { readFileSync } from 'node:fs';

/** The start time in clock ticks since boot, or null where the system does not tell (no /proc). */
export function processStamp(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; the start time is field 22, the 20th after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** Whether that very process is alive. Without a stamp only the number counts. */
export function isSameProcess(pid: number, stamp: string | null): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return stamp === null || processStamp(pid) === stamp;
}
