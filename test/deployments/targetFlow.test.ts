// The table of target states: every walk of random length stays legal, what it forbids is forbidden, and tables agree with SQL.
import {
  pathTo,
  isSettled,
  statusesBefore,
  TARGET_MOVES,
  TARGET_STATUSES,
} from '../../src/jobs/deployments/targetFlow';

/** A small generator with a printed seed, so that a failing walk can be walked again. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const ORDER = ['pending', 'standby', 'pre', 'deploy', 'post', 'success'] as const;

test('no walk through the table ever goes back, and each ends in success, fail or no_progress', () => {
  const seed = Date.now() % 1_000_000;
  const random = randomFrom(seed);
  for (let walk = 0; walk < 2000; walk += 1) {
    let at: (typeof TARGET_STATUSES)[number] = 'pending';
    let steps = 0;
    while (!isSettled(at)) {
      const moves: readonly (typeof TARGET_STATUSES)[number][] = TARGET_MOVES[at];
      const next = moves[Math.floor(random() * moves.length)]!;
      const [from, to] = [ORDER.indexOf(at as never), ORDER.indexOf(next as never)];
      if (to >= 0 && to !== from + 1) throw new Error(`seed ${seed}: ${at} -> ${next}`);
      at = next;
      steps += 1;
    }
    expect(steps).toBeLessThanOrEqual(5);
    expect(['success', 'fail', 'no_progress']).toContain(at);
  }
});

test('a path is made of moves of the table only, and there is none out of a settled state', () => {
  for (const from of TARGET_STATUSES) {
    for (const to of TARGET_STATUSES) {
      const path = pathTo(from, to);
      if (from === to) expect(path).toEqual([]);
      else if (isSettled(from)) expect(path).toBeNull();
      let at = from;
      for (const next of path ?? []) {
        expect(statusesBefore(next)).toContain(at);
        at = next;
      }
    }
  }
});

test('what has begun can not become "no progress", and nothing goes back to pending', () => {
  expect(pathTo('pre', 'no_progress')).toBeNull();
  expect(pathTo('deploy', 'no_progress')).toBeNull();
  expect(pathTo('deploy', 'pre')).toBeNull();
  expect(statusesBefore('pending')).toEqual([]);
  expect(pathTo('pending', 'success')).toEqual(['standby', 'pre', 'deploy', 'post', 'success']);
});
