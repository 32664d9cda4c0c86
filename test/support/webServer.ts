// The real web service over a database of its own, and callers of each role. Without a worker unless asked for.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Agent, fetch as undiciFetch } from 'undici';
import { createUser, createToken } from '../../src/api/auth/accounts';
import { hashPassword } from '../../src/api/auth/passwords';
import { startWebService, type WebService } from '../../src/api/webService';
import { loadConfig, type Config } from '../../src/config/config';
import type { Database } from '../../src/db/database';
import type { UserRole } from '../../src/db/generated/database';
import { databaseNow } from '../../src/db/queries/clock';
import { createWaker } from '../../src/db/wake';
import { SYSTEM_ACTOR } from '../../src/jobs/actor';
import { createCatalog } from '../../src/jobs/catalog';
import { createCallOperation } from '../../src/jobs/massActions/callOperation';
import type { Resolve } from '../../src/jobs/massActions/hostGuard';
import { newId } from '../../src/lib/ids';
import { createSecretBox } from '../../src/lib/secretBox';
import { createSigningKeys } from '../../src/lib/signing';
import { createApprovalLinks } from '../../src/lib/approvalLink';
import { createLogger } from '../../src/lib/logger';
import { createQueue } from '../../src/queue/createQueue';
import { startWorkerService } from '../../src/workers/workerService';
import { expectContract } from './expectContract';
import { createTestDatabase, openTestDatabase } from './database';
import { testIsolate } from './isolate';
import { testKinds } from './testKinds';

export interface Caller {
  id: string;
  email: string;
  role: UserRole;
  token: string;
}

export interface TestServer {
  url: string;
  database: Database;
  config: Config;
  callers: Record<UserRole, Caller>;
  /** A call with a role's token, or with none. Each answer is held against the contract. */
  call(
    as: UserRole | null,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  stop(): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // Documents of every endpoint; each test says what it expects of them.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

export const PASSWORD = 'correct horse battery';

export async function startTestServer(
  options: {
    env?: Record<string, string>;
    worker?: boolean;
    /** BullMQ on Redis instead. */
    redisUrl?: string;
    /** Another way to the same database, such as through a link that can be cut. */
    route?: (databaseUrl: string) => string | Promise<string>;
    /** Resolves the names of operations' endpoints. */
    resolve?: Resolve;
  } = {},
): Promise<TestServer> {
  const scratch = await createTestDatabase();
  const databaseUrl = (await options.route?.(scratch.url)) ?? scratch.url;
  const database = openTestDatabase(databaseUrl);
  const dataDir = mkdtempSync(path.join(tmpdir(), 'gantry-web-'));
  const config = loadConfig({
    PORT: '0',
    DATA_DIR: dataDir,
    LOG_LEVEL: 'silent',
    OPERATIONS_ALLOW_HOSTS: '127.0.0.1',
    ...options.env,
  });
  const logger = createLogger({ level: process.env['GANTRY_TEST_LOG'] ?? 'silent' });
  const waker = createWaker(database.pool, logger);
  const secretKey = 'ab'.repeat(32);
  const catalog = createCatalog(database.kysely, { openSecret: createSecretBox(secretKey).open, plugins: testKinds });
  const queue = await createQueue({
    redisUrl: options.redisUrl,
    prefix: `t${newId()}`,
    databaseUrl,
    logger,
    databaseNow: () => databaseNow(database.kysely),
  });
  const callOperation = createCallOperation({
    allowHosts: config.operationsAllowHosts,
    ...(options.resolve ? { resolve: options.resolve } : {}),
  });
  const handlerDeps = { callOperation, hashPassword, wakeAgents: () => waker.wake('gantry_agent') };
  const worker = options.worker
    ? await startWorkerService({
        database,
        queue,
        catalog,
        handlerDeps,
        config,
        logger,
        waker,
        approvalLinks: createApprovalLinks('ab'.repeat(32)),
        isolate: testIsolate(config, databaseUrl),
      })
    : null;
  const web: WebService = await startWebService({
    handlerDeps,
    database,
    queue,
    catalog,
    config,
    secretKey,
    logger,
    waker,
    serverKeys: createSigningKeys(),
  });
  const callers = {
    user: await makeCaller(database, 'user'),
    power_user: await makeCaller(database, 'power_user'),
    superadmin: await makeCaller(database, 'superadmin'),
  };
  return {
    url: web.url,
    database,
    config,
    callers,
    call: async (as, method, at, body, headers = {}) => {
      const isRaw = body instanceof FormData || typeof body === 'string';
      const response = await (as || isRaw ? fetch : fetchFromAnywhere)(web.url + at, {
        method,
        redirect: 'manual',
        headers: {
          ...(as ? { Authorization: `Bearer ${callers[as].token}` } : {}),
          ...(body === undefined || isRaw ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? undefined : isRaw ? body : JSON.stringify(body),
      });
      const text = await response.text();
      const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
      const answer = {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson && text ? JSON.parse(text) : null,
      };
      expectContract(method, at, answer);
      return answer;
    },
    stop: async () => {
      await web.stop();
      await worker?.stop();
      await callOperation.close();
      await queue.close();
      waker.close();
      await database.close();
      await scratch.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

let lastAddress = 0;

/** Anonymous calls are limited by address; a matrix of them comes from many. */
async function fetchFromAnywhere(url: string, init: RequestInit): Promise<Response> {
  lastAddress = (lastAddress % 250) + 1;
  const dispatcher = new Agent({ localAddress: `127.0.1.${lastAddress}` });
  try {
    const response = await undiciFetch(url, { ...(init as object), dispatcher });
    return new Response([204, 304].includes(response.status) ? null : await response.arrayBuffer(), {
      status: response.status,
      headers: [...response.headers],
    });
  } finally {
    await dispatcher.close();
  }
}

async function makeCaller(database: Database, role: UserRole): Promise<Caller> {
  const db = database.kysely;
  const user = await createUser(db, SYSTEM_ACTOR, {
    email: `${role}@example.org`,
    name: `A ${role}`,
    role,
    password: PASSWORD,
  });
  const { token } = await createToken(db, SYSTEM_ACTOR, { userId: user.id, name: 'test', expiresAt: null });
  return { id: user.id, email: user.email, role, token };
}
