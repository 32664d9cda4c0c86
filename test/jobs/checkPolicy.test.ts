import { z } from 'zod';
import { checkPolicy } from '../../src/jobs/checkPolicy';
import { defineJob, type Policy } from '../../src/jobs/define';

const kindWith = (policy: Partial<Policy>) =>
  defineJob({
    kind: 'own.kind',
    title: 'T',
    menu: ['T'],
    roles: [],
    params: z.any(),
    policy,
    run: () => Promise.resolve(),
  });

it.each([
  ['timeoutMs', [0, -1, 1.5, NaN, Infinity]],
  ['retentionDays', [0, -1, NaN, 40_000]],
  ['durationTolerancePercent', [-1, NaN, Infinity]],
])('refuses a wrong %s, naming kind and field', (field, wrong) => {
  for (const value of wrong) {
    expect(() => checkPolicy(kindWith({ [field]: value }))).toThrow(new RegExp(`"own.kind".*${field}`));
  }
});

it('takes what the fields promise', () => {
  expect(() => checkPolicy(kindWith({}))).not.toThrow();
  expect(() => checkPolicy(kindWith({ timeoutMs: 1, retentionDays: 0.01, durationTolerancePercent: 0 }))).not.toThrow();
});
