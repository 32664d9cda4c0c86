// BullMQ's PostgreSQL backend keeps its locks by the worker's clock: a clock that is off steals live work (reliability 1.5).
// The guard holds fetching back while this process and the database differ by more than a second.
import { startLoop, type Loop } from '../lib/abort';
import type { Logger } from '../lib/logger';

export const MAX_SKEW_MS = 1000;
const CHECK_MS = 5000;

export interface SkewGuardOptions {
  databaseNow(): Promise<Date>;
  logger: Logger;
  onSkewed(): void;
  onHealed(): void;
  /** Tests only. */
  now?: () => number;
  checkMs?: number;
}

/** How far this process is ahead of the database, in ms; the round trip is split in halves. */
export async function measureSkew(databaseNow: () => Promise<Date>, now: () => number = Date.now): Promise<number> {
  const before = now();
  const database = (await databaseNow()).getTime();
  const after = now();
  return (before + after) / 2 - database;
}

export interface SkewGuard extends Loop {
  /** Resolves once the clocks were compared. Nothing may be fetched before: one look at the queue with a clock that is a day
   * ahead switches off the recovery of stalled work for a day. */
  compared: Promise<void>;
}

export function startSkewGuard(options: SkewGuardOptions): SkewGuard {
  let skewed = false;
  let tellCompared: () => void = () => undefined;
  const compared = new Promise<void>((resolve) => (tellCompared = resolve));
  const round = async (): Promise<void> => {
    const skewMs = await measureSkew(options.databaseNow, options.now);
    const isOff = Math.abs(skewMs) > MAX_SKEW_MS;
    // Listeners hear of a change before whoever waits for the first comparison goes on.
    setImmediate(tellCompared);
    if (isOff === skewed) return;
    skewed = isOff;
    if (isOff) {
      options.logger.error(
        { skewMs: Math.round(skewMs) },
        "this machine's clock and the database's differ by more than 1 s: no work is fetched until they agree",
      );
      options.onSkewed();
    } else {
      options.logger.info('the clocks agree again: fetching work');
      options.onHealed();
    }
  };
  const loop = startLoop(options.checkMs ?? CHECK_MS, round, (error) =>
    options.logger.debug({ error }, 'the clock could not be compared'),
  );
  return { ...loop, compared };
}
