// `gantry migrate`: the ledger's schema and the queue's own, then an end. What every service does at its start anyway.
import { loadConfig } from '../config/config';
import { databaseNow } from '../db/queries/clock';
import { createLogger } from '../lib/logger';
import { createQueue } from '../queue/createQueue';
import { openLedger } from './openLedger';
import { listenForEnd } from './untilSignal';

export async function migrate(): Promise<void> {
  const config = loadConfig();
  const logger = createLogger({ level: config.logLevel, name: 'gantry-migrate' });
  const end = listenForEnd(() => undefined);
  const ledger = await openLedger(config, logger, { server: 'any', signal: end.signal });
  try {
    const queue = await createQueue({
      redisUrl: config.redisUrl,
      databaseUrl: ledger.database.url,
      logger,
      databaseNow: () => databaseNow(ledger.database.kysely),
    });
    await queue.close();
    console.log('The schema is up to date.');
  } finally {
    await ledger.stop();
    end.release();
  }
}
