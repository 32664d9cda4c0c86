// What travels through the queue: ids and nothing else. The ledger holds the work, a message only asks for it.

export interface WorkMessage {
  jobId: string;
  run: number;
  chunk?: number;
  /** How often this work was sent. BullMQ silently drops an id it still holds, so each send has an id of its own. */
  send: number;
}

/** BullMQ refuses ids with a colon and ids of digits only. */
export function messageId(message: WorkMessage): string {
  const chunk = message.chunk === undefined ? '' : `-${message.chunk}`;
  return `j-${message.jobId}-${message.run}${chunk}-${message.send}`;
}

export interface WorkData {
  jobId: string;
  run: number;
  chunk?: number;
  send: number;
}

/** Names of the two queues: work that the dispatcher dealt, and wake-ups of recurring duties. */
export const WORK_QUEUE = 'gantry-work';
export const WAKE_QUEUE = 'gantry-wake';
