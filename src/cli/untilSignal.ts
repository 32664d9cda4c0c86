// How a process ends: the first SIGINT or SIGTERM asks for a graceful stop, the second one leaves at once.

export interface EndSignals {
  /** Fires at the first signal. */
  signal: AbortSignal;
  release(): void;
}

export function listenForEnd(onFirst: (name: string) => void): EndSignals {
  const controller = new AbortController();
  const handle = (name: NodeJS.Signals): void => {
    // The ledger holds all that was accepted, and an embedded server left behind is adopted by the next start.
    if (controller.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
    onFirst(name);
    controller.abort(new Error(`stopped by ${name}`));
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', handle);
      process.off('SIGTERM', handle);
    },
  };
}

/** Resolves when the signal has fired. */
export function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
