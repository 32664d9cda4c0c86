// The notification area as the bell needs it. Called by client.ts.
import type { Job } from './types';

export type NotedJob = Job & { read?: boolean };

export interface NotificationsAnswer {
  items: NotedJob[];
  unread?: number;
}

export interface Notifications {
  items: NotedJob[];
  /** Ended and not looked at since. */
  unread: number;
  running: number;
}

export function readNotifications(answer: NotificationsAnswer): Notifications {
  const unread = answer.items.filter((job) => job.group === 'processed' && job.read === false).length;
  return {
    items: answer.items,
    unread: answer.unread ?? unread,
    running: answer.items.filter((job) => job.group === 'unprocessed').length,
  };
}
