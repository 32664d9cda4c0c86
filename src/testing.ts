// The test kit of plug-ins (`gantry/testing`): a real Gantry with embedded PostgreSQL in a folder of its own, with the
// definitions under test. Meant for tests alone: its folder is removed at the end. It needs no network and no set-up.
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobDoc } from './api/contract/jobShapes';
import { hashPassword } from './api/auth/passwords';
import { startApp } from './app';
import { createApiClient } from './cli/apiClient';
import { openLedger } from './cli/openLedger';
import { loadConfig } from './config/config';
import type { Db, Tx } from './db/handles';
import type {
  ChunkContext,
  ChunkOutcome,
  Definition,
  HandlerDeps,
  JsonObject,
  MassActionDefinition,
  PreviewRow,
  UndoRow,
} from './jobs/define';
import { isFinal } from './jobs/lifecycle';
import { newId } from './lib/ids';
import { createLogger } from './lib/logger';

export interface TestGantry {
  /** Address of the API, and the token of its superadmin. */
  url: string;
  token: string;
  /** The ledger, for tables of your own. */
  db: Db;
  /** Starts a job by the API and waits until it has ended or waits for a decision (`paused`, `awaiting_approval`). */
  run(kind: string, job?: { params?: unknown; rows?: JsonObject[]; trial?: number }): Promise<JobDoc>;
  /** Sends a command such as `resume`, `undo` or `requeue` and waits in the same way for the job that it answers with. */
  act(jobId: string, action: string, body?: JsonObject): Promise<JobDoc>;
  get<T>(path: string): Promise<T>;
  stop(): Promise<void>;
}

export type JobView = JobDoc;

const WITHIN_MS = 60_000;
const POLL_MS = 50;

export async function startTestGantry(options: { definitions: Definition[] }): Promise<TestGantry> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'gantry-test-kit-'));
  // PostgreSQL may run under another account than root, and has to reach its own folder below.
  chmodSync(dataDir, 0o755);
  const token = `test-${randomBytes(24).toString('hex')}`;
  const config = loadConfig({
    DATA_DIR: dataDir,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ADMIN_EMAIL: 'admin@gantry.example',
    ADMIN_PASSWORD: randomBytes(12).toString('hex'),
    ADMIN_TOKEN: token,
  });
  const logger = createLogger({ level: 'silent' });
  const signal = new AbortController().signal;
  const app = await startApp({
    config,
    logger,
    services: { web: true, worker: true },
    server: 'own',
    signal,
    definitions: options.definitions,
  });
  const ledger = await openLedger(config, logger, { server: 'any', signal });
  const url = app.url ?? config.baseUrl;
  const client = createApiClient({ server: url, token });
  const settled = async (started: JobDoc): Promise<JobDoc> => {
    const deadline = performance.now() + WITHIN_MS;
    for (let job = started; ; job = await client.get<JobDoc>(`/jobs/${started.id}`)) {
      if (isFinal(job.state) || job.state === 'paused' || job.state === 'awaiting_approval') return job;
      if (performance.now() > deadline) throw new Error(`${job.kind} is still ${job.state} after ${WITHIN_MS} ms`);
      await sleep(POLL_MS);
    }
  };
  return {
    url,
    token,
    db: ledger.database.kysely,
    run: async (kind, job = {}) => settled(await client.send('POST', '/jobs', { kind, params: {}, ...job })),
    act: async (jobId, action, body = {}) => settled(await client.send('POST', `/jobs/${jobId}/${action}`, body)),
    get: (at) => client.get(at),
    stop: async () => {
      await client.close();
      await ledger.stop();
      await app.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** One chunk by itself, without queue and job: in a transaction that is kept, for a kind that works in the database. */
export function runChunk<P>(
  gantry: TestGantry,
  definition: MassActionDefinition<P>,
  rows: JsonObject[],
  options: { params?: unknown } = {},
): Promise<ChunkOutcome> {
  return withContext(gantry, definition, options.params, true, (ctx) =>
    definition.processChunk(
      ctx,
      rows.map((data, rowIndex) => ({ rowIndex, data })),
    ),
  );
}

/** As POST /jobs/preview does: whatever it writes is rolled back. */
export function previewChunk<P>(
  gantry: TestGantry,
  definition: MassActionDefinition<P>,
  rows: JsonObject[],
  options: { params?: unknown } = {},
): Promise<PreviewRow[]> {
  const { previewChunk: preview, kind } = definition;
  if (!preview) throw new Error(`${kind} has no previewChunk`);
  return withContext(gantry, definition, options.params, false, (ctx) =>
    preview(
      ctx,
      rows.map((data, rowIndex) => ({ rowIndex, data })),
    ),
  );
}

/** The undo of rows, with what processChunk kept of each as `before`. */
export function undoChunk<P>(
  gantry: TestGantry,
  definition: MassActionDefinition<P>,
  rows: Omit<UndoRow, 'rowIndex' | 'undoneRowIndex'>[],
  options: { params?: unknown } = {},
): Promise<ChunkOutcome> {
  const { undoChunk: undo, kind } = definition;
  if (!undo) throw new Error(`${kind} has no undoChunk`);
  return withContext(gantry, definition, options.params, true, (ctx) =>
    undo(
      ctx,
      rows.map((row, rowIndex) => ({ ...row, rowIndex, undoneRowIndex: rowIndex })),
    ),
  );
}

async function withContext<P, T>(
  gantry: TestGantry,
  definition: MassActionDefinition<P>,
  given: unknown,
  keep: boolean,
  work: (ctx: ChunkContext<P>) => Promise<T>,
): Promise<T> {
  const params = definition.params.parse(given ?? {});
  const inContext = (tx: Tx | null): Promise<T> => work(contextOf(gantry.db, params, given ?? {}, tx));
  if (!definition.inDatabase && keep) return inContext(null);
  const rollBack = Symbol('roll back');
  let result: { value: T } | null = null;
  const done = (gantry.db as Exclude<Db, Tx>).transaction().execute(async (tx) => {
    result = { value: await inContext(tx) };
    if (!keep) throw rollBack;
  });
  await done.catch((thrown: unknown) => {
    if (thrown !== rollBack) throw thrown;
  });
  return (result as unknown as { value: T }).value;
}

function contextOf<P>(db: Db, params: P, given: unknown, tx: Tx | null): ChunkContext<P> {
  const jobId = newId();
  return {
    jobId,
    run: 1,
    chunk: 0,
    firstRowIndex: 0,
    params,
    paramsText: JSON.stringify(given),
    owner: { id: newId(), name: 'Test', email: 'test@gantry.example' },
    signal: new AbortController().signal,
    db,
    tx,
    logger: createLogger({ level: 'silent' }),
    log: () => undefined,
    progress: () => undefined,
    report: () => undefined,
    idempotencyKey: `${jobId}:1:0`,
    deps: OUTSIDE,
  };
}

/** A chunk by itself reaches nothing outside but what the kind itself calls. */
const OUTSIDE: HandlerDeps = {
  callOperation: () => Promise.reject(new Error('callOperation is for operations; call your own service by fetch')),
  hashPassword,
  wakeAgents: () => undefined,
};
