// Isolated kinds of a plug-in in a running Gantry: a process of its own knows the plug-in, too, is killed when it is deaf, and
// takes nobody with it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ADMIN_ENV, adminClient, jobEnd, jobUntil, type JobView } from '../support/apiClient';
import { clearFolder, isAlive, killLeftovers, scratchFolder, startGantry } from '../support/gantryProcess';
import { until } from '../support/until';

const dataDir = scratchFolder();
afterAll(async () => {
  killLeftovers();
  await clearFolder(dataDir);
});

const PLUGIN = `
const { z } = require(${JSON.stringify(require.resolve('zod'))});
exports.caged = {
  shape: 'job', kind: 'own.caged', title: 'Caged', menu: ['Own'], roles: ['superadmin'],
  policy: { isolated: true, restartable: false },
  params: z.strictObject({ deed: z.enum(['tell', 'exit', 'spin']), pidFile: z.string().optional() }),
  run: async (ctx) => {
    if (ctx.params.pidFile) require('node:fs').writeFileSync(ctx.params.pidFile, String(process.pid));
    if (ctx.params.deed === 'exit') process.exit(3);
    while (ctx.params.deed === 'spin');
    return { pid: process.pid, passwordKnown: await ctx.deps.hashPassword('x') !== 'x' };
  },
};`;

test('[G39] runs them in processes of their own, kills what is deaf, and goes on', async () => {
  const plugin = path.join(dataDir, 'plugin.cjs');
  writeFileSync(plugin, PLUGIN);
  const env = { ...ADMIN_ENV, GANTRY_PLUGINS: plugin, CANCEL_GRACE_MS: '300' };
  const gantry = await startGantry(dataDir, { env });
  const client = adminClient(gantry.url);
  const start = (deed: string, more: object = {}) =>
    client.post<JobView>('/api/v1/jobs', { kind: 'own.caged', params: { deed, ...more } });

  const told = await start('tell');
  expect(await jobEnd(client, told.id)).toMatchObject({ state: 'succeeded' });
  const report = await client.get<{ pid: number; passwordKnown: boolean }>(`/api/v1/jobs/${told.id}/report`);
  expect(JSON.stringify(report)).toContain('"passwordKnown":true');
  expect(JSON.stringify(report)).not.toContain(`"pid":${gantry.pid},`);

  const exits = await start('exit');
  expect(await jobEnd(client, exits.id)).toMatchObject({ state: 'failed', error: { code: 'worker_lost' } });

  const spins = await start('spin');
  await jobUntil(client, spins.id, ({ state }) => state === 'running', 'the start');
  const canceling = await client.post<JobView>(`/api/v1/jobs/${spins.id}/cancel`, {});
  expect(['canceling', 'canceled']).toContain(canceling.state);
  expect(await jobEnd(client, spins.id, 10_000)).toMatchObject({ state: 'canceled' });

  expect(await jobEnd(client, (await start('tell')).id)).toMatchObject({ state: 'succeeded' });
  // A worker that is killed leaves no process of its own behind, not even one that never yields.
  const pidFile = path.join(dataDir, 'left.pid');
  await start('spin', { pidFile });
  const pidOf = (): number => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0);
  await until(() => pidOf() > 0, 'the process to start');
  const left = pidOf();
  expect(isAlive(left)).toBe(true);
  gantry.signal('SIGKILL');
  await gantry.ended();
  await until(() => !isAlive(left), 'the process to end with its worker', 10_000);
}, 60_000);
