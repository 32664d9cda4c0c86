// A worker in a process of its own, so that tests can kill it: `node -r ./test/support/swcRegister.cjs test/support/workerProcess.ts`.
// Says "ready" on standard output; SIGTERM stops it gracefully.
import { loadConfig } from '../../src/config/config';
import { openDatabase } from '../../src/db/database';
import { databaseNow } from '../../src/db/queries/clock';
import { createWaker } from '../../src/db/wake';
import { createCatalog } from '../../src/jobs/catalog';
import { createApprovalLinks } from '../../src/lib/approvalLink';
import { createLogger } from '../../src/lib/logger';
import { createQueue } from '../../src/queue/createQueue';
import { startWorkerService } from '../../src/workers/workerService';
import { testIsolate } from './isolate';
import { testKinds } from './testKinds';

async function main(): Promise<void> {
  const given = process.env;
  const databaseUrl = given['TEST_DATABASE'] ?? '';
  const logger = createLogger({ level: given['GANTRY_TEST_LOG'] ?? 'silent' });
  const config = loadConfig({ ...given, DATABASE_URL: undefined, REDIS_URL: undefined });
  const database = openDatabase({ url: databaseUrl, logger, max: 8 });
  const waker = createWaker(database.pool, logger);
  const queue = await createQueue({
    redisUrl: given['TEST_REDIS'] || undefined,
    databaseUrl,
    prefix: given['TEST_PREFIX'],
    logger,
    databaseNow: () => databaseNow(database.kysely),
  });
  const worker = await startWorkerService({
    database,
    queue,
    catalog: createCatalog(database.kysely, { openSecret: (box) => box, plugins: testKinds }),
    handlerDeps: {
      callOperation: () => Promise.reject(new Error('this test calls no operation')),
      hashPassword: (password) => Promise.resolve(`hash of ${password}`),
      wakeAgents: () => undefined,
    },
    config,
    logger,
    waker,
    approvalLinks: createApprovalLinks('ab'.repeat(32)),
    isolate: testIsolate(config, databaseUrl),
    host: given['TEST_HOST'],
  });
  process.once('SIGTERM', () => {
    void (async () => {
      await worker.stop();
      await queue.close();
      waker.close();
      await database.close();
    })();
  });
  process.stdout.write(`ready ${worker.workerId}\n`);
}

void main();
