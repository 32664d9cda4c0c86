// Waiting that can be stopped. Whatever waits takes an AbortSignal (style rule 8).

/** Resolves after `ms`, or at once when the signal fires; never rejects, so that loops read simply. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

export interface Loop {
  /** Asks for a round soon; many asks while one runs make one more round. */
  wake(): void;
  /** Stops after the round in hand. Calling it twice is harmless. */
  stop(): Promise<void>;
}

/** Runs `round` again and again: at once when woken or when the round returns true, else after `everyMs`. Errors go to `onError`. */
export function startLoop(
  everyMs: number,
  round: (signal: AbortSignal) => Promise<boolean | void>,
  onError: (error: unknown) => void,
): Loop {
  const stopping = new AbortController();
  let woken = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      woken = new AbortController();
      let again: boolean | void = false;
      try {
        again = await round(stopping.signal);
      } catch (error) {
        onError(error);
      }
      if (!again) await pause(everyMs, AbortSignal.any([stopping.signal, woken.signal]));
    }
  };
  const running = run();
  return {
    wake: () => woken.abort(),
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}

/** Waits for `work`, but no longer than `ms`; the timer does not outlive the wait. */
export async function waitAtMost(work: Promise<unknown>, ms: number): Promise<void> {
  const done = new AbortController();
  try {
    await Promise.race([work, pause(ms, done.signal)]);
  } finally {
    done.abort();
  }
}
