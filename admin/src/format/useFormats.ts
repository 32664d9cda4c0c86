// Numbers and times in the language and time zone of the person signed in, else the browser's.
import { useMemo } from 'react';
import { useMe } from '../session/useMe';

export interface Formats {
  number(value: number): string;
  /** Short: the time for today, else day and time. */
  time(iso: string): string;
  /** With date, seconds and zone, for titles and details. */
  fullTime(iso: string): string;
}

function supported(
  language: string | undefined,
  timeZone: string | undefined,
): [string | undefined, string | undefined] {
  try {
    new Intl.DateTimeFormat(language, { timeZone });
    return [language, timeZone];
  } catch {
    // A zone or language this browser does not know.
    return [undefined, undefined];
  }
}

export function makeFormats(wantedLanguage?: string, wantedZone?: string): Formats {
  const [language, timeZone] = supported(wantedLanguage, wantedZone);
  const numbers = new Intl.NumberFormat(language);
  const day = new Intl.DateTimeFormat(language, { timeZone, dateStyle: 'short' });
  const clock = new Intl.DateTimeFormat(language, { timeZone, timeStyle: 'medium', hourCycle: 'h23' });
  const short = new Intl.DateTimeFormat(language, {
    timeZone,
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const full = new Intl.DateTimeFormat(language, {
    timeZone,
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  });
  return {
    number: (value) => numbers.format(value),
    time: (iso) => {
      const at = new Date(iso);
      return day.format(at) === day.format(new Date()) ? clock.format(at) : short.format(at);
    },
    fullTime: (iso) => full.format(new Date(iso)),
  };
}

export function useFormats(): Formats {
  const { language, timeZone } = useMe();
  return useMemo(() => makeFormats(language ?? undefined, timeZone ?? undefined), [language, timeZone]);
}
