// Faults of the store, told without a flood: BullMQ emits one error per attempt, so an outage would fill the log.
// Every BullMQ and connection object gets a listener made here; one without a listener would end the process.
import type { Logger } from '../lib/logger';

/** The same source warns once in this time; in between its faults are told at debug level. */
const QUIET_MS = 30_000;

export type Trouble = (error: Error) => void;

export function createTrouble(logger: Logger, message: string): Trouble {
  let lastWarning = -Infinity;
  return (error) => {
    const isDue = performance.now() - lastWarning >= QUIET_MS;
    if (isDue) lastWarning = performance.now();
    logger[isDue ? 'warn' : 'debug']({ error: error.message || (error as { code?: string }).code }, message);
  };
}
