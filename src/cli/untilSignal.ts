// How a process ends: the first SIGINT or SIGTERM asks for a graceful stop, a later one leaves at once.
import { isStartedByNpm } from '../config/config';

export interface EndSignals {
  /** Fires at the first signal. */
  signal: AbortSignal;
  release(): void;
}

/** One Ctrl-C arrives twice under npm: from the terminal, and passed on by npm. */
const SAME_PRESS_MS = 500;
const WATCH_EVERY_MS = 500;
/** An npm that was killed hard is mostly followed by a new start, which should not have to wait. */
const ORPHAN_GRACE_MS = 3000;

export function listenForEnd(onFirst: (name: string) => void): EndSignals {
  const controller = new AbortController();
  let firstAt = 0;
  const handle = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      // The ledger holds all that was accepted, and an embedded server left behind is adopted by the next start.
      if (performance.now() - firstAt > SAME_PRESS_MS) process.exit(name === 'SIGINT' ? 130 : 143);
      return;
    }
    firstAt = performance.now();
    onFirst(name);
    controller.abort(new Error(`stopped by ${name}`));
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  const watch = isStartedByNpm() ? watchParent(() => handle('SIGTERM')) : undefined;
  return {
    signal: controller.signal,
    release: () => {
      clearInterval(watch);
      process.off('SIGINT', handle);
      process.off('SIGTERM', handle);
    },
  };
}

/** A kill -9 of `npm start` reaches npm alone; the program it leaves behind must not go on by itself. */
function watchParent(onOrphaned: () => void): NodeJS.Timeout {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onOrphaned();
    setTimeout(() => process.exit(143), ORPHAN_GRACE_MS).unref();
  }, WATCH_EVERY_MS);
  return timer.unref();
}

/** Resolves when the signal has fired. */
export function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
