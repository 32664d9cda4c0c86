// What all templates share: the words, numbers, times and durations of the reader's language, and the frame of a mail.
// Values are data, never template text.
import Handlebars from 'handlebars';
import type { ApprovalLinks } from '../lib/approvalLink';
import type { Reader } from './payload';
import { en } from './words/en';
import { fr } from './words/fr';
import { ko } from './words/ko';
import type { Amount, EndedState, Words } from './words/words';

export interface RenderedNotice {
  subject: string;
  text: string;
  html: string;
}

/** What the sender hands to every template, such as what links are made with. */
export interface NoticeContext {
  baseUrl: string;
  approvalLinks: ApprovalLinks;
}

export interface Page extends NoticeContext {
  reader: Reader;
}

const LANGUAGES: Record<string, Words> = { en, fr, ko };

/** How the reader's language and time zone write things. */
export interface Tongue {
  language: string;
  words: Words;
  amount(n: number): Amount;
  time(iso: string): string;
  duration(ms: number): string;
}

export function tongueOf(reader: Pick<Reader, 'language' | 'timeZone'>): Tongue {
  const known = LANGUAGES[reader.language];
  const language = known ? reader.language : 'en';
  const words = known ?? en;
  const numbers = new Intl.NumberFormat(language);
  const times = timeFormat(language, reader.timeZone);
  return {
    language,
    words,
    amount: (n) => ({ n, count: numbers.format(n) }),
    time: (iso) => times.format(new Date(iso)),
    duration: (ms) => durationIn(language, ms) || words.jobEnded.shortWhile,
  };
}

function timeFormat(language: string, timeZone: string): Intl.DateTimeFormat {
  const style = {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  } as const;
  try {
    return new Intl.DateTimeFormat(language, { ...style, timeZone });
  } catch {
    // A zone that this machine does not know must not keep the notice back.
    return new Intl.DateTimeFormat(language, { ...style, timeZone: 'UTC' });
  }
}

/** '' below a second. */
function durationIn(language: string, ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'day'],
    [Math.floor((seconds % 86_400) / 3600), 'hour'],
    [Math.floor((seconds % 3600) / 60), 'minute'],
    [seconds % 60, 'second'],
  ] as const;
  return parts
    .filter(([value]) => value > 0)
    .map(([value, unit]) =>
      new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }).format(value),
    )
    .join(' ');
}

const ENDED_STATES: Record<EndedState, true> = {
  succeeded: true,
  completed_with_errors: true,
  failed: true,
  canceled: true,
  rejected: true,
  withdrawn: true,
  expired: true,
};

/** Other states never make a notice; a word that is not known counts as the one that is looked into. */
export function endedState(state: string): EndedState {
  return Object.hasOwn(ENDED_STATES, state) ? (state as EndedState) : 'failed';
}

const MAX_SUBJECT = 200;

/** In one line: people put line breaks into titles and names, and a mail's head takes none. */
export function inOneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

/** A subject in one line, cut between whole characters. */
export function subjectOf(text: string): string {
  const characters = [...inOneLine(text)];
  return characters.length <= MAX_SUBJECT ? characters.join('') : `${characters.slice(0, MAX_SUBJECT - 1).join('')}…`;
}

export function textTemplate<Values>(source: string): (values: Values) => string {
  return Handlebars.compile(source, { noEscape: true });
}

/** @param body between the body tags; `{{language}}` is the reader's. */
export function htmlTemplate<Values>(body: string): (values: Values) => string {
  return Handlebars.compile(`<!doctype html>
<html lang="{{language}}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"></head>
<body style="font-family: sans-serif; font-size: 15px; line-height: 1.5; color: #222; max-width: 40em">
${body}
</body></html>
`);
}
