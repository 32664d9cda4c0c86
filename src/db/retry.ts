// Repeats what failed for reasons that pass: deadlocks, serialization, lost connections. Used by whoever runs a repeatable
// transaction. It must never be wrapped round something whose second run would do harm: guard such writes by an epoch or a state.
import { pause } from '../lib/abort';

export interface RetryOptions {
  /** Gives up and throws the last error when this much time has passed. */
  withinMs?: number;
  signal?: AbortSignal;
}

/** Long enough for a restart of the database, short enough for a caller that waits. */
const WITHIN_MS = 20_000;
const FIRST_DELAY_MS = 15;
const MAX_DELAY_MS = 1000;

/** @throws the first error that will not pass, or the last transient one when time is up or the signal fires. */
export async function withRetry<T>(work: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const deadline = performance.now() + (options.withinMs ?? WITHIN_MS);
  for (let delay = FIRST_DELAY_MS; ; delay = Math.min(delay * 2, MAX_DELAY_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || options.signal?.aborted || performance.now() + delay > deadline) throw error;
      // Half of the delay is random, so that two that collided do not meet again.
      await pause(delay / 2 + (Math.random() * delay) / 2, options.signal);
    }
  }
}

/** 40001 serialization, 40P01 deadlock, 53300 too many connections, 57P01-03 server going down, up or ended by its operator. */
const TRANSIENT_STATES = new Set(['40001', '40P01', '53300', '57P01', '57P02', '57P03', '25P03', '25P04']);
const TRANSIENT_SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const TRANSIENT_TEXT =
  /connection terminated|connection ended|client has encountered a connection error|timeout exceeded when trying to connect|query read timeout|not queryable/i;

export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (
    typeof code === 'string' &&
    (TRANSIENT_STATES.has(code) || /^08...$/.test(code) || TRANSIENT_SYSTEM_CODES.has(code))
  ) {
    return true;
  }
  return TRANSIENT_TEXT.test(error.message);
}
