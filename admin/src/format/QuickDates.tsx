// The quick choice of how far back a list goes. `all` is no limit; the others are relative times as the API takes them.
import { SegmentedControl } from '@mantine/core';

export const QUICK_DATES = ['today', '-1h', '-12h', '-24h', '-7d', 'all'] as const;
export type QuickDate = (typeof QUICK_DATES)[number];

const WORDS: Record<QuickDate, string> = {
  today: 'Today',
  '-1h': '1 h',
  '-12h': '12 h',
  '-24h': '24 h',
  '-7d': '7 d',
  all: 'All',
};
const OPTIONS = QUICK_DATES.map((value) => ({ value, label: WORDS[value] }));

export function readQuickDate(text: string | null, standard: QuickDate): QuickDate {
  return QUICK_DATES.find((value) => value === text) ?? standard;
}

/** The parameters of a list that takes `since`; today begins at midnight of the reader's time zone. */
export function sinceOf(date: QuickDate, timeZone: string): { since?: string; timeZone?: string } {
  return date === 'all' ? {} : { since: date, timeZone };
}

export function QuickDates({ value, onChange }: { value: QuickDate; onChange(value: QuickDate): void }) {
  return (
    <SegmentedControl
      size="xs"
      data={OPTIONS}
      value={value}
      onChange={(next) => onChange(next as QuickDate)}
      aria-label="How far back"
    />
  );
}
