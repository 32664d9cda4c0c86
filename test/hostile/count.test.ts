// The saved stories of bad input (reliability B1-B3, B5, B6, B9, B11, B12): so many, and no two the same. Those of mail (B10) stand
// in test/notices/corpus.test.ts, those of logs and secrets (B13) in test/lib/secrets.test.ts.
import { OPERATIONS } from '../support/fuzzRequests';
import { ENDS } from '../support/isolateKinds';
import { CELLS } from './stories/cells';
import { ENDPOINTS } from './stories/endpoints';
import { ARTIFACTS, UPLOADS } from './stories/multiparts';
import { SHAPES } from './stories/shapes';
import { TEXTS } from './stories/texts';
import { ADDRESSES, CRONS, RUN_ATS } from './stories/times';

const STORIES: [bar: string, stories: unknown[], atLeast: number][] = [
  ['B1, texts', TEXTS.map(({ text }) => text), 25],
  ['B2, shapes', SHAPES, 60],
  ['B3, endpoints that are fuzzed', OPERATIONS.map(({ method, path }) => [method, path]), 100],
  ['B5, cells', CELLS.map(({ cell }) => cell), 40],
  ['B6, endpoints that lead inside', ENDPOINTS, 60],
  ['B9, multiparts', [...UPLOADS, ...ARTIFACTS], 30],
  ['B11, times', [...ADDRESSES, ...RUN_ATS, ...CRONS], 100],
  ['B12, what handlers return and throw', [...ENDS], 12],
];

const distinct = (stories: unknown[]): number => new Set(stories.map((story) => JSON.stringify(story))).size;

it.each(STORIES)('%s: no two the same, and enough of them', (_bar, stories, atLeast) => {
  expect(distinct(stories)).toBe(stories.length);
  expect(stories.length).toBeGreaterThanOrEqual(atLeast);
});

it('two hundred and more are saved', () => {
  const saved = STORIES.filter(([bar]) => !bar.startsWith('B3'));
  expect(saved.reduce((sum, [, stories]) => sum + distinct(stories), 0)).toBeGreaterThanOrEqual(200);
});
