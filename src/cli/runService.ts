// `gantry start | web | worker`: runs the services until a signal asks them to stop.
import type { FirstAdmin } from '../api/auth/bootstrapAdmin';
import { startApp } from '../app';
import { loadConfig } from '../config/config';
import { createLogger } from '../lib/logger';
import { fired, listenForEnd } from './untilSignal';

const SERVICES = {
  start: { web: true, worker: true },
  web: { web: true, worker: false },
  worker: { web: false, worker: true },
} as const;

export async function runService(name: keyof typeof SERVICES): Promise<void> {
  const config = loadConfig();
  const logger = createLogger({ level: config.logLevel, name: `gantry-${name}` });
  const end = listenForEnd((signal) => logger.info({ signal }, 'stopping; a second signal leaves at once'));
  try {
    const app = await startApp({
      config,
      logger,
      services: SERVICES[name],
      server: name === 'start' ? 'own' : 'join',
      signal: end.signal,
    });
    const database = config.databaseUrl ? 'DATABASE_URL' : `embedded, under ${config.dataDir}`;
    logger.info({ url: app.url, queue: app.backend, database }, app.url ? `ready on ${app.url}` : 'ready');
    if (app.url && process.stdout.isTTY) console.log(`\nGantry is ready: ${app.url}/admin/\n`);
    if (app.firstAdmin) tellFirstAdmin(app.firstAdmin);
    await fired(end.signal);
    await app.stop();
    logger.info('stopped');
  } catch (error) {
    // A stop that was asked for while starting is no failure.
    if (!end.signal.aborted) throw error;
  } finally {
    end.release();
  }
}

/** To standard output, once and for nobody else: a password never goes into the log. */
function tellFirstAdmin(admin: FirstAdmin): void {
  const password = admin.password === null ? 'as set by ADMIN_PASSWORD' : `${admin.password}   (shown only now)`;
  console.log(`\nThe first superadmin was made:\n  e-mail    ${admin.email}\n  password  ${password}\n`);
}
