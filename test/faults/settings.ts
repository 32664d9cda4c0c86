// What the long forms take from the environment (scripts/faults.cjs prints both, so that a run can be repeated).

const seed = Number(process.env['FAULTS_SEED'] ?? 1);
const rounds = Number(process.env['FAULTS_ROUNDS'] ?? 1);

/** So many, scaled by FAULTS_ROUNDS, and never none. */
export function scaled(count: number): number {
  return Math.max(1, Math.round(count * rounds));
}

/** Numbers from 0 to 1 that FAULTS_SEED decides (mulberry32). */
export function randomNumbers(): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function tell(line: string): void {
  process.stderr.write(`faults: ${line}\n`);
}
