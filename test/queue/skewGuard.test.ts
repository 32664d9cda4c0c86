// The guard against a clock that is off: it tells when fetching must stop and when it may go on.
import { createLogger } from '../../src/lib/logger';
import { MAX_SKEW_MS, measureSkew, startSkewGuard } from '../../src/queue/skewGuard';
import { until } from '../support/until';

const at = (ms: number) => (): Promise<Date> => Promise.resolve(new Date(ms));

it.each([
  ['ahead', 5000, 3000, 2000],
  ['behind', 3000, 5000, -2000],
  ['right', 5000, 5000, 0],
])('measures a clock that is %s', async (_name, ours, theirs, expected) => {
  expect(await measureSkew(at(theirs), () => ours)).toBe(expected);
});

it('splits the round trip in halves', async () => {
  const times = [1000, 1400];
  expect(await measureSkew(at(1200), () => times.shift() ?? 0)).toBe(0);
});

it('says nothing up to a second of difference, stops just above it, and lets go when it is healed', async () => {
  let aheadMs = MAX_SKEW_MS;
  let rounds = 0;
  const heard: string[] = [];
  const guard = startSkewGuard({
    databaseNow: () => Promise.resolve(new Date((rounds += 1) && 1_000_000)),
    now: () => 1_000_000 + aheadMs,
    logger: createLogger({ level: 'silent' }),
    checkMs: 5,
    onSkewed: () => heard.push('skewed'),
    onHealed: () => heard.push('healed'),
  });
  await guard.compared;
  await until(() => rounds > 3, 'three rounds at the limit');
  expect(heard).toEqual([]);
  aheadMs = -(MAX_SKEW_MS + 1);
  await until(() => heard.length === 1, 'the stop');
  aheadMs = 0;
  await until(() => heard.length === 2, 'the healing');
  expect(heard).toEqual(['skewed', 'healed']);
  await guard.stop();
});

it('tells of a skew before it says that the clocks were compared, and does not compare without a database', async () => {
  let isAway = true;
  const heard: string[] = [];
  const guard = startSkewGuard({
    databaseNow: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(new Date(0))),
    logger: createLogger({ level: 'silent' }),
    checkMs: 5,
    onSkewed: () => heard.push('skewed'),
    onHealed: () => heard.push('healed'),
  });
  void guard.compared.then(() => heard.push('compared'));
  isAway = false;
  await until(() => heard.length === 2, 'the comparison');
  expect(heard).toEqual(['skewed', 'compared']);
  await guard.stop();
});
