// Waits for a handler as long as it may take: after a cancel or timeout it gets the grace time, then the run goes on without it.
import { pause } from '../../lib/abort';
import type { Holding } from './holdings';

export type Handled<T> =
  | { type: 'returned'; value: T }
  | { type: 'threw'; error: unknown }
  /** It did not heed the signal. Its slot stays taken until `settled`; whatever it writes is fenced. */
  | { type: 'deaf'; settled: Promise<unknown> };

export async function awaitHandler<T>(work: () => Promise<T>, holding: Holding, graceMs: number): Promise<Handled<T>> {
  // A handler may throw before its first await.
  const settled = new Promise<T>((resolve) => resolve(work())).then(
    (value): Handled<T> => ({ type: 'returned', value }),
    (error: unknown): Handled<T> => ({ type: 'threw', error }),
  );
  const done = new AbortController();
  const graceOver = async (): Promise<Handled<T>> => {
    await aborted(AbortSignal.any([holding.signal, done.signal]));
    await pause(graceMs, done.signal);
    // Lost and stopping holdings are fenced and handed back by others; only a cancel and a timeout are ended here.
    const reason = holding.reason();
    if (!done.signal.aborted && reason !== 'canceled' && reason !== 'timed_out') await aborted(done.signal);
    return { type: 'deaf', settled };
  };
  const first = await Promise.race([settled, graceOver()]);
  done.abort();
  return first;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
