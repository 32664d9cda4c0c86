// `npm run demo -- --once` on an empty folder: both jobs end as expected within a minute, nothing is left running.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { clearFolder, killLeftovers, scratchFolder, startGantry } from '../support/gantryProcess';

const folder = scratchFolder();

afterAll(async () => {
  killLeftovers();
  await clearFolder(folder);
});

test('the demo shows a mass action and a deployment, ends with 0 within 60 s, and stops all it started', async () => {
  const demo = await startGantry(folder, { args: ['demo', '--once'], env: { LOG_LEVEL: 'warn' }, untilReady: false });
  const end = await demo.ended(60_000);
  const output = demo.output();
  expect([end.code, output]).toEqual([0, expect.stringContaining('ended completed_with_errors')]);
  expect(output).toContain('12000 done');
  expect(output).toMatch(/ended success \(job succeeded\)/);
  expect(output).toContain('deployment history');
  expect(existsSync(path.join(folder, 'target/site/current/index.html'))).toBe(true);
  expect(existsSync(path.join(folder, 'postgres/cluster/postmaster.pid'))).toBe(false);
}, 90_000);
