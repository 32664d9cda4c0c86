// Times as people write them in filters: ISO 8601, `0` for now, `today`, or relative such as -10d and -1d2h (domain.md A3).

/** Lengths of the units in ms; months and years are moved by the calendar instead. */
const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

const RELATIVE = /^-?(\d{1,5}[smhdwMy])+$/;
const OFFSET = /(Z|[+-]\d{2}:?\d{2})$/;

/** Null when it cannot be read. A given `timeZone` wins over an offset in the text; without either it is UTC. */
export function parseInstant(text: string, timeZone: string | undefined, now: Date): Date | null {
  if (timeZone !== undefined && !isTimeZone(timeZone)) return null;
  if (text === '0') return now;
  if (text === 'today') return startOfDay(now, timeZone ?? 'UTC');
  if (RELATIVE.test(text)) return moved(text, now);
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(text)) return null;
  const whole = text.includes('T') ? text : `${text}T00:00:00`;
  const local = OFFSET.test(text.slice(10)) ? whole.replace(OFFSET, '') : whole;
  const asUtc = new Date(`${local}Z`);
  // A day that no month has is moved on by some parsers.
  if (Number.isNaN(asUtc.getTime()) || !asUtc.toISOString().startsWith(text.slice(0, 10))) return null;
  if (timeZone) return atWallClock(asUtc, timeZone);
  const utc = local === whole ? asUtc : new Date(whole);
  return Number.isNaN(utc.getTime()) ? null : utc;
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

function startOfDay(now: Date, timeZone: string): Date {
  const wall = new Date(now.getTime() + offsetOf(timeZone, now));
  return atWallClock(new Date(wall.setUTCHours(0, 0, 0, 0)), timeZone);
}

/**
 * The moment at which clocks of the zone show what `wall` shows in UTC. Of two such moments the first; of none, the moment
 * that would be without the gap.
 */
function atWallClock(wall: Date, timeZone: string): Date {
  const day = 86_400_000;
  const offsets = [-day, day].map((away) => offsetOf(timeZone, new Date(wall.getTime() + away)));
  const moments = offsets.map((offset) => new Date(wall.getTime() - offset));
  const shown = moments.filter((at) => at.getTime() + offsetOf(timeZone, at) === wall.getTime());
  return shown.sort((a, b) => a.getTime() - b.getTime())[0] ?? (moments[0] as Date);
}

export function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

/** The zone's distance to UTC in ms at that moment. */
function offsetOf(timeZone: string, at: Date): number {
  const text = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).format(at);
  const match = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(text);
  const ms = (Number(match?.[2] ?? 0) * 60 + Number(match?.[3] ?? 0)) * 60_000;
  return match?.[1] === '-' ? -ms : ms;
}
