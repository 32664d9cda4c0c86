// Builds the ledger's rows for tests: a job in any state with whatever that state requires, users, operations.
import { sql, type Insertable } from 'kysely';
import type { Database, Db, Tx } from '../../src/db/database';
import type { Job, JobState, UserRole } from '../../src/db/generated/database';
import { findFrozenPayload, insertApproval } from '../../src/db/queries/approvals';
import { findJob, type JobRow } from '../../src/db/queries/jobs';
import { findOperation, insertOperation, type NewOperation, type OperationRow } from '../../src/db/queries/operations';
import type { WakeChannel } from '../../src/db/wake';
import type { Actor } from '../../src/jobs/actor';
import { hashOfRequest } from '../../src/jobs/approvals/requestHash';
import { rulesOf } from '../../src/jobs/approvals/rules';
import { createCatalog } from '../../src/jobs/catalog';
import type { CommandDeps } from '../../src/jobs/commandDeps';
import type { Definition } from '../../src/jobs/define';
import { isFinal } from '../../src/jobs/lifecycle';
import { newId } from '../../src/lib/ids';
import { createTestDatabase, openTestDatabase } from './database';
import { testKinds } from './testKinds';

export interface TestLedger {
  database: Database;
  db: CommandDeps['db'];
  deps: CommandDeps;
  /** Channels that commands woke, in order. */
  woken: WakeChannel[];
  close(): Promise<void>;
}

export async function openTestLedger(
  options: { clockOffset?: string; plugins?: Definition[]; settings?: Partial<CommandDeps['settings']> } = {},
): Promise<TestLedger> {
  const scratch = await createTestDatabase();
  const database = openTestDatabase(scratch.url, options.clockOffset);
  const woken: WakeChannel[] = [];
  const catalog = createCatalog(database.kysely, {
    openSecret: (box) => box,
    plugins: [...testKinds, ...(options.plugins ?? [])],
  });
  return {
    database,
    db: database.kysely,
    deps: {
      db: database.kysely,
      catalog,
      waker: { wake: (channel) => void woken.push(channel), close: () => undefined },
      settings: {
        retentionDays: 14,
        maxRows: 1_000_000,
        cancelGraceMs: 1000,
        mailAllowDomains: [],
        ...options.settings,
      },
    },
    woken,
    close: async () => {
      await database.close();
      await scratch.drop();
    },
  };
}

export async function buildUser(
  db: Db,
  user: { role?: UserRole; email?: string; name?: string; noticePreference?: string } = {},
): Promise<Actor> {
  const id = newId();
  const { role = 'user', email = `${id}@example.test`, name = 'Ada', noticePreference = 'always' } = user;
  await db.insertInto('appUser').values({ id, email, name, role, noticePreference }).execute();
  return { id, email, name, role };
}

export interface BuildJob extends Partial<Omit<Insertable<Job>, 'id' | 'state'>> {
  state: JobState;
  owner: Actor;
  /** Rows of a mass action, each `{ n: <index> }`, in input chunks of ten. */
  rows?: number;
  /** The first chunk is in a worker's hands; for jobs without rows: the run is. */
  held?: boolean;
}

const ROWS_PER_CHUNK = 10;

/** Default kind: test.effects with rows, else test.work. */
export async function buildJob(db: Db, build: BuildJob): Promise<JobRow> {
  const { state, owner, rows, held = false, ...columns } = build;
  const id = newId();
  const run = columns.run ?? 1;
  const hasStarted = ['running', 'canceling', 'paused', 'succeeded', 'completed_with_errors', 'failed'].includes(state);
  const ended = isFinal(state)
    ? { finishedAt: sql<Date>`gantry_now()`, purgeAt: sql<Date>`gantry_now() + interval '14 days'` }
    : {};
  await db
    .insertInto('job')
    .values({
      id,
      kind: rows ? 'test.effects' : 'test.work',
      title: `a job that is ${state}`,
      state,
      ownerId: owner.id,
      ownerName: owner.name,
      ownerEmail: owner.email,
      params: rows ? '{}' : '{"ms":1}',
      inputFormat: rows ? 'json' : null,
      rowTotal: rows ?? null,
      queuedAt: state === 'scheduled' || state === 'awaiting_approval' ? null : sql<Date>`gantry_now()`,
      startedAt: hasStarted ? sql<Date>`gantry_now()` : null,
      runAt: state === 'scheduled' ? sql<Date>`gantry_now() + interval '1 hour'` : null,
      waitingFor: state === 'paused' ? 'user' : null,
      cancelRequestedAt: state === 'canceling' ? sql<Date>`gantry_now()` : null,
      ...ended,
      ...columns,
    })
    .execute();
  const lease = held && !rows ? { leaseUntil: sql<Date>`gantry_now() + interval '1 minute'`, epoch: 1 } : {};
  const chunks = Math.ceil((rows ?? 0) / ROWS_PER_CHUNK);
  await db
    .insertInto('run')
    .values({
      jobId: id,
      run,
      requestedBy: owner.name,
      startedAt: hasStarted ? sql<Date>`gantry_now()` : null,
      pausedAt: state === 'paused' ? sql<Date>`gantry_now()` : null,
      total: rows ?? null,
      openChunks: isFinal(state) ? 0 : chunks,
      ...(isFinal(state) ? { outcome: state, finishedAt: sql<Date>`gantry_now()` } : {}),
      ...lease,
    })
    .execute();
  if (state === 'awaiting_approval') await buildRequest(db, id, run, owner);
  if (rows) await buildChunks(db, id, run, rows, held, isFinal(state));
  if (state === 'scheduled' || state === 'queued' || state === 'running') {
    await db
      .insertInto('outbox')
      .values({ jobId: id, run, ownerId: owner.id, shape: rows ? 'chunks' : 'run', priority: columns.priority ?? 0 })
      .execute();
  }
  const job = await findJob(db, id);
  if (!job) throw new Error('the job that was just built is not there');
  return job;
}

/** As asked for under the standard rules: one superadmin, within seven days. */
async function buildRequest(db: Db, jobId: string, run: number, owner: Actor): Promise<void> {
  const requestHash = hashOfRequest(await findFrozenPayload(db, jobId));
  const request = { jobId, run, requesterId: owner.id, requesterName: owner.name, requestHash, ...rulesOf(undefined) };
  await insertApproval(db as Tx, request);
}

async function buildChunks(
  db: Db,
  jobId: string,
  run: number,
  rows: number,
  held: boolean,
  ended: boolean,
): Promise<void> {
  for (let first = 0, chunk = 0; first < rows; first += ROWS_PER_CHUNK, chunk += 1) {
    const rowCount = Math.min(ROWS_PER_CHUNK, rows - first);
    const lines = Array.from({ length: rowCount }, (_, place) => `{"n":${first + place}}`);
    const place = { jobId, inputChunk: chunk, firstRowIndex: first, rowCount };
    await db
      .insertInto('jobInput')
      .values({ ...place, rows: lines.join('\n') })
      .execute();
    const inHand = held && chunk === 0;
    await db
      .insertInto('chunk')
      .values({
        ...place,
        run,
        chunk,
        state: ended ? 'done' : inHand ? 'running' : 'pending',
        ...(inHand
          ? { epoch: 1, sentAt: sql<Date>`gantry_now()`, leaseUntil: sql<Date>`gantry_now() + interval '1 minute'` }
          : {}),
      })
      .execute();
  }
}

/** Marks rows of a job built by buildJob as good or failed, as the chunks of an earlier run would have. */
export async function buildOutcomes(
  db: Db,
  job: JobRow,
  outcomes: { good?: number[]; failed?: number[] },
): Promise<void> {
  const inputs = await db
    .selectFrom('jobInput')
    .select(['inputChunk', 'firstRowIndex', 'rowCount'])
    .where('jobId', '=', job.id)
    .execute();
  for (const { inputChunk, firstRowIndex, rowCount } of inputs) {
    const bits = (rowIndexes: number[] = []): Buffer => {
      const buffer = Buffer.alloc(Math.ceil(rowCount / 8));
      for (const place of rowIndexes.map((index) => index - firstRowIndex)) {
        if (place >= 0 && place < rowCount) buffer[place >> 3] = (buffer[place >> 3] ?? 0) | (1 << (place & 7));
      }
      return buffer;
    };
    await db
      .insertInto('rowOutcome')
      .values({ jobId: job.id, inputChunk, good: bits(outcomes.good), failed: bits(outcomes.failed) })
      .execute();
  }
  for (const rowIndex of outcomes.failed ?? []) {
    await db
      .insertInto('rowError')
      .values({ jobId: job.id, run: job.run, rowIndex, code: 'bad', message: `row ${rowIndex} is bad` })
      .execute();
  }
}

export async function buildOperation(db: Db, operation: Partial<NewOperation> = {}): Promise<OperationRow> {
  const key = operation.key ?? `op_${newId().slice(-12)}`;
  await db.transaction().execute((tx) =>
    insertOperation(tx, {
      key,
      title: 'An operation',
      menu: ['Tests'],
      endpoint: 'http://127.0.0.1:9/rows',
      chunkSize: 100,
      concurrency: 2,
      timeoutMs: 2000,
      retry: '{}',
      roles: ['user', 'power_user', 'superadmin'],
      ...operation,
    }),
  );
  const row = await findOperation(db, key);
  if (!row) throw new Error('the operation that was just built is not there');
  return row;
}

/** All that a command may change of a job, to show that a refused one changed nothing. */
export async function snapshotOf(db: Db, jobId: string): Promise<string> {
  const tables = await Promise.all([
    db.selectFrom('job').selectAll().where('id', '=', jobId).execute(),
    db.selectFrom('run').selectAll().where('jobId', '=', jobId).orderBy('run').execute(),
    db.selectFrom('chunk').selectAll().where('jobId', '=', jobId).orderBy('run').orderBy('chunk').execute(),
    db.selectFrom('outbox').selectAll().where('jobId', '=', jobId).execute(),
    db.selectFrom('jobEvent').selectAll().where('jobId', '=', jobId).orderBy('id').execute(),
    db.selectFrom('notice').selectAll().where('jobId', '=', jobId).execute(),
    db.selectFrom('audit').selectAll().where('subjectId', '=', jobId).orderBy('id').execute(),
    db.selectFrom('change').selectAll().where('subjectId', '=', jobId).orderBy('id').execute(),
  ]);
  return JSON.stringify(tables);
}
