// Times as people write them in filters: ISO 8601, `0` for now, or relative such as -10d and -1d2h (domain.md A3).

/** Lengths of the units in ms; months and years are moved by the calendar instead. */
const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

const RELATIVE = /^-?(\d{1,5}[smhdwMy])+$/;

/** Null when it cannot be read. A time without offset is one of `timeZone`, by default UTC. */
export function parseInstant(text: string, timeZone: string | undefined, now: Date): Date | null {
  if (text === '0') return now;
  if (RELATIVE.test(text)) return moved(text, now);
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(text)) return null;
  const hasOffset = /(Z|[+-]\d{2}:?\d{2})$/.test(text.slice(10));
  const local = text.includes('T') ? text : `${text}T00:00:00`;
  const utc = new Date(hasOffset ? local : `${local}Z`);
  if (Number.isNaN(utc.getTime())) return null;
  if (hasOffset || !timeZone) return utc;
  const offset = offsetOf(timeZone, utc);
  return offset === null ? null : new Date(utc.getTime() - offset);
}

function moved(text: string, now: Date): Date | null {
  const sign = text.startsWith('-') ? -1 : 1;
  const at = new Date(now);
  for (const [, count, unit] of text.matchAll(/(\d+)([smhdwMy])/g)) {
    const amount = sign * Number(count);
    if (unit === 'M') at.setUTCMonth(at.getUTCMonth() + amount);
    else if (unit === 'y') at.setUTCFullYear(at.getUTCFullYear() + amount);
    else at.setTime(at.getTime() + amount * (UNITS[unit ?? ''] ?? 0));
  }
  // Further back than PostgreSQL's or anybody's jobs: nothing that was meant.
  return Math.abs(at.getUTCFullYear()) > 9999 || Number.isNaN(at.getTime()) ? null : at;
}

/** The zone's distance to UTC in ms at about that moment, or null when there is no such zone. */
function offsetOf(timeZone: string, at: Date): number | null {
  try {
    const text = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).format(at);
    const match = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(text);
    if (!match) return null;
    const ms = (Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0)) * 60_000;
    return match[1] === '-' ? -ms : ms;
  } catch {
    return null;
  }
}
