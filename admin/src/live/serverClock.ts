// The server's time as far as answers tell it, so that ticking times are right on a computer whose clock is wrong.
// request.ts notes it, LiveDuration and the ages of data read it.

/** The Date header has whole seconds: smaller differences are not known to be real. */
const KNOWN_MS = 2000;
let aheadMs = 0;

export function noteServerTime(dateHeader: string | null): void {
  if (dateHeader === null) return;
  const difference = Date.parse(dateHeader) - Date.now();
  if (Number.isFinite(difference)) aheadMs = Math.abs(difference) > KNOWN_MS ? difference : 0;
}

export function serverNow(): number {
  return Date.now() + aheadMs;
}
