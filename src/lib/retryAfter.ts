// Reads the Retry-After header of an answer: seconds, or a date of HTTP. Pure.

/** Nobody is waited for longer than a day, whatever he asks for. */
const MAX_MS = 24 * 3_600_000;

/** @returns milliseconds from `now` on, never negative; null when there is no header or it says nothing. */
export function parseRetryAfter(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? '';
  const ms = /^\d{1,15}$/.test(text) ? Number(text) * 1000 : /[A-Za-z]/.test(text) ? Date.parse(text) - now : NaN;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), MAX_MS);
}
