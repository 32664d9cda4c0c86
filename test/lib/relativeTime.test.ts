// Times in filters, at the edges: where clocks jump, what an offset says beside a zone.
import { parseInstant } from '../../src/lib/relativeTime';

const at = (text: string, zone?: string, now = '2026-11-24T12:00:00Z'): string | undefined =>
  parseInstant(text, zone, new Date(now))?.toISOString();

it.each([
  ['0', '2026-11-24T12:00:00.000Z'],
  ['-10d', '2026-11-14T12:00:00.000Z'],
  ['-1d2h', '2026-11-23T10:00:00.000Z'],
  ['2h', '2026-11-24T14:00:00.000Z'],
  ['-1M', '2026-10-24T12:00:00.000Z'],
  ['today', '2026-11-24T00:00:00.000Z'],
])('[G12] reads %s', (text, wanted) => expect(at(text)).toBe(wanted));

it('[G12] a time zone wins over an offset, and gives one to what has none', () => {
  expect(at('2026-01-02T03:04:05+05:00')).toBe('2026-01-01T22:04:05.000Z');
  expect(at('2026-01-02T03:04:05+05:00', 'Europe/Berlin')).toBe('2026-01-02T02:04:05.000Z');
  expect(at('2026-01-02T03:04:05Z', 'Europe/Berlin')).toBe('2026-01-02T02:04:05.000Z');
  expect(at('2026-01-02', 'America/New_York')).toBe('2026-01-02T05:00:00.000Z');
});

it.each([
  // The days on which clocks go forward and back begin by the offset of the night before.
  ['Europe/Berlin', '2026-03-29T10:00:00Z', '2026-03-28T23:00:00.000Z'],
  ['Europe/Berlin', '2026-10-25T10:00:00Z', '2026-10-24T22:00:00.000Z'],
  ['America/New_York', '2026-03-08T15:00:00Z', '2026-03-08T05:00:00.000Z'],
  ['America/New_York', '2026-11-01T15:00:00Z', '2026-11-01T04:00:00.000Z'],
  // Here midnight itself was left out: the day began at one.
  ['America/Sao_Paulo', '2018-11-04T15:00:00Z', '2018-11-04T03:00:00.000Z'],
  ['Pacific/Kiritimati', '2026-11-24T12:00:00Z', '2026-11-24T10:00:00.000Z'],
])('[G12] today in %s at %s', (zone, now, wanted) => expect(at('today', zone, now)).toBe(wanted));

it('[G12] reads the hour that clocks show twice as the first, and the one they leave out as after it', () => {
  expect(at('2026-10-25T02:30:00', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z');
  expect(at('2026-03-29T02:30:00', 'Europe/Berlin')).toBe('2026-03-29T01:30:00.000Z');
});

it.each([
  '',
  'now',
  '-',
  '-d',
  '1',
  '2026-02-30',
  '2026-1-1',
  '2026-01-01T25:00:00',
  '-999999d',
  '-99999y',
  'tomorrow',
])('[G12] cannot read %j', (text) => expect(at(text)).toBeUndefined());
