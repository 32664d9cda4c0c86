// `npm run demo`: the same program as `npm start`, on an embedded database of its own, then a tour through the public API.
// With --once it ends after the tour: 0 when both jobs ended as expected, else 1.
import { randomBytes } from 'node:crypto';
import { startApp } from '../app';
import { fired, listenForEnd } from '../cli/untilSignal';
import { createLogger } from '../lib/logger';
import { createDemoClient, DemoCallError, type DemoClient } from './demoClient';
import { startDemoEndpoint } from './demoEndpoint';
import { ACCOUNTS, prepareDemo, type DemoSettings } from './demoSettings';
import { tourDeployment } from './deploymentTour';
import { tourMassAction } from './massActionTour';

export async function runDemo(options: { once?: boolean }): Promise<void> {
  const once = options.once ?? false;
  const end = listenForEnd(() => console.log('\nStopping; press Ctrl-C again to leave at once.'));
  const settings = await prepareDemo(once);
  const stops: (() => Promise<void> | void)[] = [settings.clear];
  try {
    const isAsExpected = await tour(settings, once, end.signal, stops);
    if (!isAsExpected) {
      process.exitCode = 1;
      console.error('\nThe demo did not end as expected; the lines above say where.');
    }
    if (!once) await fired(end.signal);
  } catch (error) {
    if (!end.signal.aborted || once) throw error;
  } finally {
    for (const stop of stops.reverse()) await stop();
    end.release();
  }
}

async function tour(
  settings: DemoSettings,
  once: boolean,
  signal: AbortSignal,
  stops: (() => Promise<void> | void)[],
): Promise<boolean> {
  const { config, token } = settings;
  console.log(`Gantry's demo: its data lies in ${config.dataDir}`);
  const logger = createLogger({ level: config.logLevel, name: 'gantry-demo' });
  const endpoint = await startDemoEndpoint(randomBytes(32).toString('hex'));
  stops.push(endpoint.stop);
  const app = await startApp({ config, logger, services: { web: true, worker: true }, server: 'own', signal });
  stops.push(app.stop);
  const server = app.url ?? config.baseUrl;
  console.log(
    `Running at ${server}: PostgreSQL embedded, queue on ${app.backend === 'redis' ? 'Redis' : 'PostgreSQL'}`,
  );

  const client = createDemoClient(server, token);
  await ensureAccounts(client, settings);
  const massActionIsRight = await tourMassAction(client, endpoint);
  const deployment = await tourDeployment(client, server, config.dataDir);
  stops.push(deployment.agent.stop);
  if (!once) printWhatToTry(settings, server);
  return massActionIsRight && deployment.isAsExpected;
}

/** One account for each role; the superadmin is made by the first start itself. */
async function ensureAccounts(client: DemoClient, settings: DemoSettings): Promise<void> {
  for (const account of ACCOUNTS.filter(({ role }) => role !== 'superadmin')) {
    try {
      await client.post('/api/v1/users', { ...account, password: settings.passwords[account.role] });
    } catch (error) {
      // An earlier demo on this folder made it, with the same password.
      if (!(error instanceof DemoCallError) || error.status !== 409) throw error;
    }
  }
}

function printWhatToTry(settings: DemoSettings, server: string): void {
  const accounts = ACCOUNTS.map(
    ({ role, email }) => `   ${role.padEnd(10)}  ${email.padEnd(28)}  ${settings.passwords[role]}`,
  );
  console.log(`
Admin UI        ${server}/admin/
API in detail   ${server}/api/docs
Queues          ${server}/admin/queues   (superadmin)
Mail            ${settings.config.dataDir}/mail/*.eml

Accounts (role, e-mail, password)
${accounts.join('\n')}

What to try
 - Sign in as the superadmin and open the ended job: its rows, its log, its error file.
 - Start "Set seats" again from the form with demo/rows.csv, and cancel it while it runs.
 - Requeue the ended job with "failed rows only".
 - Sign in as user@gantry.example: the page of background jobs is not there, the notification area is.
 - Deploy the site again and see it in the deployment history.

Ctrl-C ends the demo. Its data stays: \`npm run demo\` goes on with it.`);
}
