// Wake-ups between processes by NOTIFY, sent after commit and never inside a chunk's or group's transaction:
// NOTIFY takes a database-wide lock at commit. A missed one only delays, since every reader polls as well.
import type { Pool } from 'pg';
import type { Logger } from '../lib/logger';

/** work: something is due for the dispatcher. cancel: a running job was canceled or paused. change: the feed has news. notice: a mail is due. agent: a command waits for an agent. bulk: a command on a set was asked for or aborted. */
export const WAKE_CHANNELS = [
  'gantry_work',
  'gantry_cancel',
  'gantry_change',
  'gantry_notice',
  'gantry_agent',
  'gantry_bulk',
] as const;
export type WakeChannel = (typeof WAKE_CHANNELS)[number];

/** At most one wake-up per channel in this time. */
const COALESCE_MS = 50;

export interface Waker {
  /** Returns at once; the notification follows within 50 ms. */
  wake(channel: WakeChannel): void;
  close(): void;
}

export function createWaker(pool: Pool, logger: Logger): Waker {
  const last = new Map<WakeChannel, number>();
  const timers = new Map<WakeChannel, NodeJS.Timeout>();
  const send = (channel: WakeChannel): void => {
    timers.delete(channel);
    last.set(channel, Date.now());
    pool
      .query(`notify ${channel}`)
      .catch((error: Error) =>
        logger.debug({ channel, error: error.message }, 'a wake-up was not sent; polling will find it'),
      );
  };
  return {
    wake: (channel) => {
      if (timers.has(channel)) return;
      const wait = Math.max(0, (last.get(channel) ?? 0) + COALESCE_MS - Date.now());
      timers.set(
        channel,
        setTimeout(() => send(channel), wait),
      );
    },
    close: () => timers.forEach((timer) => clearTimeout(timer)),
  };
}
