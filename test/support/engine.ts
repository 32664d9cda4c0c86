// The vocabulary of engine tests: real services over a database of their own, on either queue backend.
import { sql, type Kysely } from 'kysely';
import { loadConfig, type Config } from '../../src/config/config';
import type { Database } from '../../src/db/database';
import type { DB } from '../../src/db/generated/database';
import { findJob, type JobRow } from '../../src/db/queries/jobs';
import { databaseNow } from '../../src/db/queries/clock';
import { createWaker, type Waker } from '../../src/db/wake';
import type { Actor } from '../../src/jobs/actor';
import { createCatalog } from '../../src/jobs/catalog';
import type { CommandDeps } from '../../src/jobs/commandDeps';
import { createJob, type CreateJobInput } from '../../src/jobs/commands/createJob';
import { stageJsonRows } from '../../src/jobs/commands/stageRows';
import type { Definition, HandlerDeps } from '../../src/jobs/define';
import { isFinal, type JobState } from '../../src/jobs/lifecycle';
import { newId } from '../../src/lib/ids';
import { createApprovalLinks } from '../../src/lib/approvalLink';
import { createLogger } from '../../src/lib/logger';
import { createQueue, type Queue } from '../../src/queue/createQueue';
import { startWorkerService, type WorkerService } from '../../src/workers/workerService';
import { createTestDatabase, openTestDatabase } from './database';
import type { IsolateOptions } from '../../src/workers/isolate/isolates';
import { testIsolate } from './isolate';
import { testKinds } from './testKinds';
import { until } from './until';

export type Backend = 'postgres' | 'redis';

/** Both backends; without a Redis server it is said loudly which half did not run. */
export function backends(): Backend[] {
  if (process.env['GANTRY_TEST_REDIS']) return ['postgres', 'redis'];
  process.stderr.write('\n*** NO REDIS: the engine tests run on the PostgreSQL backend only ***\n\n');
  return ['postgres'];
}

export interface Engine {
  db: Kysely<DB>;
  database: Database;
  databaseUrl: string;
  queue: Queue;
  waker: Waker;
  config: Config;
  deps: CommandDeps;
  actor: Actor;
  prefix: string;
  workers: WorkerService[];
  startWorker(options?: { concurrency?: number; host?: string }): Promise<WorkerService>;
  stop(): Promise<void>;
}

export interface EngineOptions {
  backend: Backend;
  env?: Record<string, string>;
  plugins?: Definition[];
  /** Workers in this process; 0 for tests that start processes of their own. */
  workers?: number;
  clockOffset?: string;
  noticeFirstDelayMs?: number;
  redisUrl?: string;
  /** Instead of what starts processes of their own. */
  isolate?: Partial<IsolateOptions>;
}

export const handlerDeps: HandlerDeps = {
  callOperation: () => Promise.reject(new Error('this test calls no operation')),
  hashPassword: (password) => Promise.resolve(`hash of ${password}`),
  wakeAgents: () => undefined,
};

const logLevel = process.env['GANTRY_TEST_LOG'] ?? 'silent';

export async function startEngine(options: EngineOptions): Promise<Engine> {
  const scratch = await createTestDatabase();
  const database = openTestDatabase(scratch.url, options.clockOffset);
  const db = database.kysely;
  await sql`create table effect (job_id uuid not null, row_index bigint not null, at timestamptz not null default clock_timestamp())`.execute(
    db,
  );
  const logger = createLogger({ level: logLevel });
  const config = loadConfig({
    WORKER_CONCURRENCY: '4',
    LEASE_MS: '2000',
    CANCEL_GRACE_MS: '1000',
    SHUTDOWN_GRACE_MS: '3000',
    RETENTION_CRON: '0 0 1 1 *',
    DATA_DIR: '/nonexistent/gantry-test',
    ...options.env,
  });
  const prefix = `t${newId().replaceAll('-', '')}`;
  const redisUrl = options.backend === 'redis' ? (options.redisUrl ?? process.env['GANTRY_TEST_REDIS']) : undefined;
  const queue = await createQueue({
    redisUrl,
    databaseUrl: scratch.url,
    prefix,
    logger,
    databaseNow: () => databaseNow(db),
  });
  const waker = createWaker(database.pool, logger);
  const catalog = createCatalog(db, {
    openSecret: (box) => box,
    plugins: [...testKinds, ...(options.plugins ?? [])],
  });
  const workers: WorkerService[] = [];
  const startWorker: Engine['startWorker'] = async (more = {}) => {
    const worker = await startWorkerService({
      database,
      queue,
      catalog,
      handlerDeps,
      logger,
      waker,
      config: { ...config, workerConcurrency: more.concurrency ?? config.workerConcurrency },
      approvalLinks: createApprovalLinks('ab'.repeat(32)),
      isolate: { ...testIsolate(config, scratch.url), ...options.isolate },
      host: more.host,
      clockOffset: options.clockOffset,
      noticeFirstDelayMs: options.noticeFirstDelayMs,
    });
    workers.push(worker);
    return worker;
  };
  for (let count = options.workers ?? 1; count > 0; count -= 1) await startWorker();
  const actor = await insertUser(db, 'superadmin');
  return {
    db,
    database,
    databaseUrl: scratch.url,
    queue,
    waker,
    config,
    deps: {
      db,
      catalog,
      waker,
      settings: {
        retentionDays: config.retention.days,
        maxRows: config.maxRows,
        cancelGraceMs: config.cancelGraceMs,
        mailAllowDomains: [],
      },
    },
    actor,
    prefix,
    workers,
    startWorker,
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await queue.close();
      waker.close();
      await database.close();
      await scratch.drop();
    },
  };
}

export async function insertUser(db: Kysely<DB>, role: Actor['role']): Promise<Actor> {
  const id = newId();
  const actor: Actor = { id, name: `Test ${role}`, email: `${id}@example.test`, role };
  await db.insertInto('appUser').values(actor).execute();
  return actor;
}

export interface StartInput extends Omit<CreateJobInput, 'params'> {
  params?: unknown;
  rows?: unknown[];
  actor?: Actor;
}

export async function startJob(engine: Engine, input: StartInput): Promise<JobRow> {
  const { rows, actor = engine.actor, params = {}, ...rest } = input;
  const definition = await engine.deps.catalog.get(input.kind);
  if (!definition) throw new Error(`no kind ${input.kind}`);
  const staged =
    rows && definition.shape === 'massAction'
      ? await stageJsonRows(engine.deps, actor, newId(), rows, definition)
      : null;
  return createJob(engine.deps, actor, { notify: { email: false }, ...rest, params }, staged);
}

export async function jobOf(engine: Engine, id: string): Promise<JobRow> {
  const job = await findJob(engine.db, id);
  if (!job) throw new Error(`job ${id} is not there`);
  return job;
}

export async function untilState(
  engine: Engine,
  id: string,
  wanted: JobState | 'final',
  withinMs = 15_000,
): Promise<JobRow> {
  let job = await jobOf(engine, id);
  await until(
    async () => {
      job = await jobOf(engine, id);
      return wanted === 'final' ? isFinal(job.state) : job.state === wanted;
    },
    `job ${id} to be ${wanted}`,
    withinMs,
  );
  return job;
}

export async function runJobToEnd(engine: Engine, input: StartInput, withinMs?: number): Promise<JobRow> {
  return untilState(engine, (await startJob(engine, input)).id, 'final', withinMs);
}

export async function expectJobState(engine: Engine, id: string, state: JobState): Promise<void> {
  expect((await jobOf(engine, id)).state).toBe(state);
}

/** How often each row had its effect: `rows` distinct ones and `all` in all are equal when each had it once. */
export async function countEffects(engine: Engine, jobId: string): Promise<{ all: number; rows: number }> {
  const { rows } = await sql<{ all: number; rows: number }>`
    select count(*)::int as all, count(distinct row_index)::int as rows from effect where job_id = ${jobId}`.execute(
    engine.db,
  );
  return rows[0] ?? { all: 0, rows: 0 };
}
