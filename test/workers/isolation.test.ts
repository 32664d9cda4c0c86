// Work in processes of its own: killed when it is deaf, alone in its misfortune, and otherwise as any other work. How a message
// came plays no part in it, so one backend is enough; poison.test.ts runs such work on both.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cancelJob } from '../../src/jobs/commands/cancelJob';
import { findReport } from '../../src/db/queries/jobs';
import {
  countEffects,
  expectJobState,
  jobOf,
  runJobToEnd,
  startEngine,
  startJob,
  untilState,
  type Engine,
} from '../support/engine';
import { findWorker } from '../support/findWorker';
import type { Ending } from '../support/isolateKinds';
import { until } from '../support/until';

jest.setTimeout(60_000);

const GRACE_MS = 300;

describe('isolated work', () => {
  let engine: Engine;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gantry-isolation-'));
    engine = await startEngine({
      backend: 'postgres',
      env: { CANCEL_GRACE_MS: String(GRACE_MS), WORKER_CONCURRENCY: '4' },
    });
  });
  afterAll(async () => {
    await engine.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('runs in another process; its log, progress and report are those of any job', async () => {
    const job = await runJobToEnd(engine, { kind: 'test.caged', params: {} });
    expect(job).toMatchObject({ state: 'succeeded', progressDone: 1, progressTotal: 2, note: 'half' });
    const { pid } = JSON.parse((await findReport(engine.db, job.id, 1)) ?? '') as { pid: number };
    expect(pid).not.toBe(process.pid);
    const lines = await engine.db.selectFrom('logLine').select('message').where('jobId', '=', job.id).execute();
    expect(lines.map((line) => line.message)).toContain(`runs in process ${pid}`);
  });

  it('[G39] kills a process that does not heed its cancel, and the slot is free at once', async () => {
    const pidFile = path.join(folder, 'spin.pid');
    const job = await startJob(engine, { kind: 'test.caged', params: { deed: 'spin', ms: 30_000, pidFile } });
    await until(async () => (await countEffects(engine, job.id)).all === 1 && pidIn(pidFile) !== null, 'the start');
    const askedAt = Date.now();
    await cancelJob(engine.deps, engine.actor, job.id);
    await expectJobState(engine, job.id, 'canceling');
    await untilState(engine, job.id, 'canceled', 5000);
    expect(Date.now() - askedAt).toBeGreaterThanOrEqual(GRACE_MS - 20);
    expect(Date.now() - askedAt).toBeLessThan(GRACE_MS + 1500);
    await until(() => !isAlive(pidIn(pidFile) ?? 0), 'the process to be gone', 2000);
    await until(async () => (await findWorker(engine)).busy === 0, 'the slot to be free', 3000);
    expect((await findWorker(engine)).stuck).toBe(0);
  });

  it('[G39] lets a handler that heeds its cancel end by itself, and keeps its process', async () => {
    const job = await startJob(engine, { kind: 'test.caged', params: { deed: 'heed' } });
    await until(async () => (await countEffects(engine, job.id)).all === 1, 'the start');
    const askedAt = Date.now();
    await cancelJob(engine.deps, engine.actor, job.id);
    await untilState(engine, job.id, 'canceled');
    expect(Date.now() - askedAt).toBeLessThan(GRACE_MS + 1000);
  });

  it('a process that ends by itself ends nothing but its own run', async () => {
    const neighbours = [
      await startJob(engine, { kind: 'test.work', params: { ms: 1500 } }),
      await startJob(engine, { kind: 'test.caged', params: { deed: 'heed', ms: 1500 } }),
    ];
    const once = await runJobToEnd(engine, { kind: 'test.cagedOnce', params: { deed: 'exit' } });
    expect(once).toMatchObject({ state: 'failed', errorCode: 'worker_lost' });
    expect(once.errorMessage).toContain('exit code 7');
    expect((await countEffects(engine, once.id)).all).toBe(1);
    const abort = await runJobToEnd(engine, { kind: 'test.cagedOnce', params: { deed: 'abort' } });
    expect(abort.errorMessage).toContain('SIGABRT');
    for (const { id } of neighbours) {
      expect((await untilState(engine, id, 'final')).state).toBe('succeeded');
      expect((await countEffects(engine, id)).all).toBe(1);
    }
  });

  it('a restartable one is tried three times; then it is poison', async () => {
    const job = await runJobToEnd(engine, { kind: 'test.caged', params: { deed: 'kill' } }, 20_000);
    expect(job).toMatchObject({ state: 'failed', errorCode: 'poison' });
    expect(job.errorMessage).toContain('SIGKILL');
    expect((await countEffects(engine, job.id)).all).toBe(3);
  });

  it('[G39] does chunks in another process, exactly once, and fails the rows that kill it', async () => {
    const rows = Array.from({ length: 40 }, (_, index) => (index === 25 ? { deed: 'exit' } : {}));
    const job = await runJobToEnd(engine, { kind: 'test.cagedRows', rows }, 20_000);
    expect(job).toMatchObject({ state: 'completed_with_errors', good: 30, failed: 10 });
    const errors = await engine.db
      .selectFrom('rowError')
      .select(['code', 'rowIndex'])
      .where('jobId', '=', job.id)
      .execute();
    expect(new Set(errors.map((error) => error.code))).toEqual(new Set(['poison']));
    expect(errors.map((error) => error.rowIndex).sort()).toEqual(Array.from({ length: 10 }, (_, place) => 20 + place));
    expect(await countEffects(engine, job.id)).toEqual({ all: 30, rows: 30 });
  });

  const NOTES: Partial<Record<Ending, RegExp>> = {
    bigint: /could not be written as JSON/,
    cycle: /could not be written as JSON/,
    huge: /larger than 1 MiB/,
    number: /no object/,
    string: /no object/,
  };
  const FAULTS: Partial<Record<Ending, [code: string, message: RegExp]>> = {
    throwString: ['handler_failed', /^just a text$/],
    throwNull: ['handler_failed', /^null was thrown$/],
    throwUndefined: ['handler_failed', /^undefined was thrown$/],
    throwObject: ['handler_failed', /"reason":"an object"/],
    throwBare: ['handler_failed', /no text/],
    hugeStack: ['handler_failed', /^deep$/],
    hugeMessage: ['handler_failed', /^m+$/],
    permanent: ['out_of_stock', /none left/],
  };

  it.each(['test.ends', 'test.cagedEnds'])('ends %s with a readable record, however its handler ends', async (kind) => {
    for (const how of ['undefined', ...Object.keys(NOTES)]) {
      const job = await runJobToEnd(engine, { kind, params: { how } });
      expect(job).toMatchObject({ state: 'succeeded', errorCode: null });
      const report = await findReport(engine.db, job.id, 1);
      const note = NOTES[how as Ending];
      if (note) expect(JSON.parse(report ?? '')).toEqual({ note: expect.stringMatching(note) as string });
      else expect(report).toBeNull();
    }
    for (const [how, [code, message]] of Object.entries(FAULTS)) {
      const job = await runJobToEnd(engine, { kind, params: { how } });
      expect(job).toMatchObject({
        state: 'failed',
        errorCode: code,
        errorMessage: expect.stringMatching(message) as string,
      });
      expect(job.errorMessage?.length).toBeLessThanOrEqual(10_000);
    }
  });

  it('hands back at a graceful stop, and leaves no process behind', async () => {
    const pidFile = path.join(folder, 'left.pid');
    const worker = await engine.startWorker();
    await engine.workers[0]?.stop();
    const job = await startJob(engine, { kind: 'test.caged', params: { deed: 'spin', ms: 60_000, pidFile } });
    await until(() => pidIn(pidFile) !== null, 'the start');
    await worker.stop();
    expect(isAlive(pidIn(pidFile) ?? 0)).toBe(false);
    expect(await jobOf(engine, job.id)).toMatchObject({ state: 'running', leaseUntil: null });
  });
});

describe('isolated work whose process cannot be started', () => {
  let engine: Engine;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gantry-isolation-'));
    const entry = path.join(folder, 'broken.cjs');
    await writeFile(entry, 'process.exit(3);');
    engine = await startEngine({ backend: 'postgres', isolate: { entry } });
  });
  afterAll(async () => {
    await engine.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('says why it waits, and can be canceled', async () => {
    const job = await startJob(engine, { kind: 'test.caged', params: {} });
    const rows = await startJob(engine, { kind: 'test.cagedRows', rows: [{}] });
    const why = 'A process of its own could not be started: it ended with exit code 3';
    await until(async () => (await jobOf(engine, job.id)).note === why, 'the run to say why');
    const chunk = engine.db.selectFrom('chunk').selectAll().where('jobId', '=', rows.id);
    await until(async () => (await chunk.executeTakeFirstOrThrow()).errorMessage === why, 'the chunk to say why');
    for (const { id } of [job, rows]) await cancelJob(engine.deps, engine.actor, id);
    for (const { id } of [job, rows]) await untilState(engine, id, 'canceled');
  });
});

function pidIn(file: string): number | null {
  try {
    return Number(readFileSync(file, 'utf8')) || null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
