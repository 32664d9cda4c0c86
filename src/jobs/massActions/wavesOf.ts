// Rows by what they are about: a second row of one subject comes in the next wave, so that rows take effect in their order though
// each wave is one statement.
import type { Row } from '../define';

export function wavesOf<R extends Row>(rows: R[], keyOf: (row: R) => string): Map<string, R>[] {
  const waves: Map<string, R>[] = [];
  for (const row of rows) {
    const key = keyOf(row);
    const free = waves.find((wave) => !wave.has(key));
    if (free) free.set(key, row);
    else waves.push(new Map([[key, row]]));
  }
  return waves;
}
