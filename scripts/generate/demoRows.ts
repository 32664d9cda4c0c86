// Writes demo/rows.csv: the rows that `npm run demo` sends. The same rows at every run; some of them bad on purpose.
import { mkdirSync, writeFileSync } from 'node:fs';

const ROWS = 12_000;
const PLANS = ['free', 'team', 'business'];
/** What stands where a number of seats should; none of them is a positive whole number. */
const BAD_SEATS = ['', '0', '-4', 'many', '2.5'];
/** About one row in ninety is bad, so that the error file is short enough to read. */
const BAD_ONE_IN = 90;

/** A small generator with a fixed seed (mulberry32): rows that look random and never change. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function generateDemoRows(): void {
  const random = createRandom(20_26);
  const pick = (list: string[]): string => list[Math.floor(random() * list.length)] ?? '';
  const lines = Array.from({ length: ROWS }, (_, index) => {
    const account = `A${String(index + 1).padStart(6, '0')}`;
    const seats = random() < 1 / BAD_ONE_IN ? pick(BAD_SEATS) : String(1 + Math.floor(random() * 250));
    return `${account},owner${index + 1}@customer.example,${pick(PLANS)},${seats}`;
  });
  mkdirSync('demo', { recursive: true });
  writeFileSync('demo/rows.csv', `account,email,plan,seats\n${lines.join('\n')}\n`);
}
