// A real ledger, queue, worker, gateway and agents for the tests of deployments, served by the real web service.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pack } from 'tar-stream';
import { runAgent } from '../../src/agent/runAgent';
import { startWebService } from '../../src/api/webService';
import { loadConfig } from '../../src/config/config';
import type { Database } from '../../src/db/database';
import { databaseNow } from '../../src/db/queries/clock';
import { createWaker } from '../../src/db/wake';
import type { Actor } from '../../src/jobs/actor';
import { createCatalog } from '../../src/jobs/catalog';
import type { CommandDeps } from '../../src/jobs/commandDeps';
import { createEnrolmentToken } from '../../src/jobs/deployments/agentCommands';
import { createProject } from '../../src/jobs/deployments/projectCommands';
import { createScenario } from '../../src/jobs/deployments/scenarioCommands';
import { createStage } from '../../src/jobs/deployments/stageCommands';
import { loadServerKeys } from '../../src/jobs/deployments/serverKeys';
import { uploadArtifact, type ArtifactStore } from '../../src/jobs/deployments/uploadArtifact';
import { pause } from '../../src/lib/abort';
import { hashSecret, newId, newSecret } from '../../src/lib/ids';
import { createApprovalLinks } from '../../src/lib/approvalLink';
import { createLogger } from '../../src/lib/logger';
import { createQueue } from '../../src/queue/createQueue';
import { startWorkerService } from '../../src/workers/workerService';
import { createTestDatabase, openTestDatabase } from '../support/database';
import { testIsolate } from '../support/isolate';
import { Readable } from 'node:stream';

export interface TestAgent {
  name: string;
  root: string;
  /** Goes away; what it was doing is taken up by the next start. */
  stop(): Promise<void>;
  start(): void;
  /** Resolves when the program ended by itself. */
  ended(withinMs: number): Promise<void>;
}

export interface Harness {
  database: Database;
  deps: CommandDeps;
  store: ArtifactStore;
  admin: Actor;
  url: string;
  logger: ReturnType<typeof createLogger>;
  /** A new agent, enrolled and running unless `away`. */
  agent(name: string, options?: { away?: boolean }): Promise<TestAgent>;
  project(name: string): Promise<number>;
  scenario(projectId: number, given: { agents: string[]; config?: Record<string, unknown> }): Promise<number>;
  site(projectId: number, files: Record<string, string>): Promise<number>;
  /** A call by a token of this actor; the admin's by default. */
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  user(role: Actor['role']): Promise<Actor>;
  tokenOf(actor: Actor): string;
  close(): Promise<void>;
}

export interface CallOptions {
  as?: Actor;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  // Documents of many shapes; tests look at single members.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

export const SECRET_KEY = 'ab'.repeat(32);

export async function openHarness(): Promise<Harness> {
  const logger = createLogger({ level: process.env['TEST_LOG'] ?? 'silent' });
  const testDatabase = await createTestDatabase();
  const database = openTestDatabase(testDatabase.url);
  const db = database.kysely;
  const waker = createWaker(database.pool, logger);
  const scratch = mkdtempSync(path.join(tmpdir(), 'gantry-deploy-'));
  const store = { folder: path.join(scratch, 'artifacts'), maxBytes: 50 * 1024 * 1024 };
  const catalog = createCatalog(db, { openSecret: (box) => box });
  const settings = { retentionDays: 14, maxRows: 1000, cancelGraceMs: 1000, mailAllowDomains: [] };
  const deps: CommandDeps = { db, catalog, waker, settings };
  const tokens = new Map<string, string>();
  const insertActor = async (actor: Actor): Promise<Actor> => {
    await db.insertInto('appUser').values(actor).execute();
    const token = newSecret('gt');
    const row = { id: newId(), userId: actor.id, name: 'test', tokenHash: hashSecret(token) };
    await db.insertInto('apiToken').values(row).execute();
    tokens.set(actor.id, token);
    return actor;
  };
  const admin = await insertActor({ id: newId(), name: 'Ada', email: 'ada@example.com', role: 'superadmin' });
  const config = loadConfig({
    DATA_DIR: scratch,
    WORKER_CONCURRENCY: '4',
    SHUTDOWN_GRACE_MS: '2000',
    MAX_UPLOAD_MB: '50',
    PORT: '0',
  });
  const queue = await createQueue({
    redisUrl: process.env['GANTRY_TEST_REDIS'],
    databaseUrl: testDatabase.url,
    prefix: `t${newId()}`,
    logger,
    databaseNow: () => databaseNow(db),
  });
  const handlerDeps = {
    callOperation: () => Promise.reject(new Error('not used here')),
    hashPassword: () => Promise.reject(new Error('not used here')),
    wakeAgents: () => waker.wake('gantry_agent'),
  };
  const web = await startWebService({
    handlerDeps,
    database,
    queue,
    catalog,
    config,
    secretKey: SECRET_KEY,
    logger,
    waker,
    serverKeys: await loadServerKeys(db, SECRET_KEY),
  });
  const url = web.url;
  const worker = await startWorkerService({
    database,
    queue,
    catalog,
    handlerDeps,
    config,
    logger,
    waker,
    approvalLinks: createApprovalLinks('ab'.repeat(32)),
    isolate: testIsolate(config, database.url),
  });
  const agents: TestAgent[] = [];

  const harness: Harness = {
    database,
    deps,
    store,
    admin,
    url,
    logger,
    agent: async (name, options = {}) => {
      const root = path.join(scratch, name);
      const { token } = await createEnrolmentToken(deps, admin, { name, labels: { zone: 'test' } });
      const agent = createAgent(name, { url, root, token, logger });
      agents.push(agent);
      agent.start();
      await until(`${name} connects`, () => isConnected(database, name));
      if (options.away) {
        await agent.stop();
        await until(`${name} is away`, async () => !(await isConnected(database, name)));
      }
      return agent;
    },
    project: async (name) => (await createProject(deps, admin, { name })).id,
    scenario: async (projectId, given) => {
      const name = `s-${newId()}`;
      const stage = await createStage(deps, admin, projectId, {
        name,
        type: 'server',
        target: { agents: given.agents },
      });
      const config = { strategy: 'normal', deploy: [{ sourcePath: '/', deployPath: 'site' }], ...given.config };
      return (await createScenario(deps, admin, projectId, { name, stageId: stage.id, config })).id;
    },
    site: async (projectId, files) => {
      const archive = pack();
      for (const [name, text] of Object.entries(files)) archive.entry({ name }, text);
      archive.finalize();
      const source = Readable.from(archive as unknown as AsyncIterable<Buffer>);
      return (
        await uploadArtifact(deps, store, admin, projectId, { name: 'site.tar', source, whole: Promise.resolve() })
      ).id;
    },
    call: async (method, at, body, options = {}) => {
      const isForm = body instanceof FormData;
      const response = await fetch(url + at, {
        method,
        headers: {
          authorization: `Bearer ${tokens.get((options.as ?? admin).id)}`,
          ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
          ...options.headers,
        },
        body: body === undefined ? undefined : isForm ? body : JSON.stringify(body),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json');
      return { status: response.status, body: isJson ? JSON.parse(text) : text };
    },
    tokenOf: (actor) => tokens.get(actor.id) ?? '',
    user: (role) => {
      const id = newId();
      return insertActor({ id, name: role, email: `${id}@example.com`, role });
    },
    close: async () => {
      await Promise.all(agents.map((agent) => agent.stop()));
      await worker.stop();
      await queue.close();
      await web.stop();
      waker.close();
      await database.close();
      await testDatabase.drop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
  return harness;
}

function createAgent(
  name: string,
  given: { url: string; root: string; token: string; logger: Harness['logger'] },
): TestAgent {
  let life: { end: AbortController; done: Promise<void> } | null = null;
  return {
    name,
    root: given.root,
    start: () => {
      const end = new AbortController();
      const { url: server, root, token: enrolToken, logger } = given;
      const environment = { PATH: process.env['PATH'] ?? '' };
      const done = runAgent({ server, root, enrolToken, logger, environment, signal: end.signal });
      // An agent that is revoked ends by itself; the test looks at the server's side of it.
      life = { end, done: done.catch(() => undefined) };
    },
    stop: async () => {
      life?.end.abort();
      await life?.done;
      life = null;
    },
    ended: async (withinMs) => {
      let over = false;
      void life?.done.then(() => (over = true));
      await until(`${name} ends`, () => over, withinMs);
    },
  };
}

async function isConnected(database: Database, name: string): Promise<boolean> {
  const agent = await database.kysely
    .selectFrom('agent')
    .select('connectedUntil')
    .where('name', '=', name)
    .executeTakeFirst();
  return (agent?.connectedUntil ?? null) !== null;
}

/** Waits for a condition, with a deadline that names what did not come. */
export async function until<T>(what: string, check: () => Promise<T> | T, withinMs = 20_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(25);
  }
}
