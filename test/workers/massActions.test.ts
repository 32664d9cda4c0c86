// Mass actions between their chunks: trial, limits, pause, retries, giving up, rates, the window, and the last chunk out.
import { sql } from 'kysely';
import { z } from 'zod';
import { cancelJob } from '../../src/jobs/commands/cancelJob';
import { pauseJob } from '../../src/jobs/commands/pauseJob';
import { requeueJob } from '../../src/jobs/commands/requeueJob';
import { resumeJob } from '../../src/jobs/commands/resumeJob';
import { defineMassAction, type ChunkOutcome, type MassActionDefinition } from '../../src/jobs/define';
import {
  backends,
  countEffects,
  insertUser,
  jobOf,
  runJobToEnd,
  startEngine,
  startJob,
  untilState,
  type Engine,
} from '../support/engine';
import { until } from '../support/until';

jest.setTimeout(40_000);

/** What the fake endpoint answers next, and when each call came. */
const endpoint = { answers: [] as ChunkOutcome['type'][], calls: [] as number[], keys: [] as string[] };

function outside(kind: string, more: Partial<MassActionDefinition> = {}): MassActionDefinition {
  return defineMassAction({
    kind,
    title: kind,
    menu: ['Tests'],
    roles: ['superadmin'],
    params: z.strictObject({}),
    rowSchema: null,
    chunkSize: 10,
    concurrency: 4,
    inDatabase: false,
    retry: { attempts: 3, minDelayMs: 100, maxDelayMs: 400 },
    ratePerSecond: null,
    processChunk: (ctx, rows) => {
      endpoint.calls.push(Date.now());
      endpoint.keys.push(ctx.idempotencyKey);
      if (endpoint.answers.shift() === 'retry') {
        return Promise.resolve({ type: 'retry', afterMs: null, code: 'busy', message: 'The endpoint answered 503.' });
      }
      return Promise.resolve({ type: 'done', results: rows.map(({ rowIndex }) => ({ rowIndex, success: true })) });
    },
    ...more,
  });
}

const kinds = [
  outside('test.outside'),
  outside('test.rated', { ratePerSecond: 50 }),
  outside('test.sized', {
    rowSchema: { type: 'object', required: ['size'], properties: { size: { type: 'integer', minimum: 1 } } },
  }),
];
const rowsOf = (count: number, bad: (index: number) => boolean = () => false): object[] =>
  Array.from({ length: count }, (_, index) => (bad(index) ? { bad: true } : {}));

describe.each(backends())('mass actions on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend, plugins: kinds });
  });
  beforeEach(() => Object.assign(endpoint, { answers: [], calls: [], keys: [] }));
  afterAll(() => engine.stop());

  it('waits after the rows of its trial, and goes on when it is answered', async () => {
    const job = await startJob(engine, { kind: 'test.effects', rows: rowsOf(500), trial: 130 });
    const resting = await untilState(engine, job.id, 'paused');
    expect(resting).toMatchObject({ waitingFor: 'trial', good: 130, phase: null });
    expect(await countEffects(engine, job.id)).toEqual({ all: 130, rows: 130 });
    await resumeJob(engine.deps, engine.actor, job.id);
    expect(await untilState(engine, job.id, 'final')).toMatchObject({ state: 'succeeded', good: 500 });
    expect(await countEffects(engine, job.id)).toEqual({ all: 500, rows: 500 });
  });

  it('rests once more rows have failed than its limit, not one earlier', async () => {
    const within = await runJobToEnd(engine, {
      kind: 'test.effects',
      rows: rowsOf(400, (index) => index < 5),
      limits: { maxFailed: 5 },
    });
    expect(within).toMatchObject({ state: 'completed_with_errors', failed: 5 });
    const beyond = await startJob(engine, {
      kind: 'test.effects',
      rows: rowsOf(4000, (index) => index < 6),
      limits: { maxFailed: 5 },
    });
    const resting = await untilState(engine, beyond.id, 'paused');
    expect(resting.waitingFor).toBe('limit');
    expect(resting.good).toBeLessThan(3994);
    await resumeJob(engine.deps, engine.actor, beyond.id);
    expect(await untilState(engine, beyond.id, 'final')).toMatchObject({
      state: 'completed_with_errors',
      failed: 6,
      good: 3994,
    });
  });

  it('fails at its limit when it was told to', async () => {
    const job = await runJobToEnd(engine, {
      kind: 'test.effects',
      rows: rowsOf(4000, (index) => index % 2 === 0),
      limits: { maxFailedPercent: 20, then: 'fail' },
    });
    expect(job).toMatchObject({ state: 'failed', errorCode: 'limit_reached' });
    expect(job.good + job.failed).toBeLessThan(4000);
    const again = await requeueJob(engine.deps, engine.actor, job.id, { only: 'unfinished' });
    expect(again.total).toBe(4000 - job.good);
  });

  it('pauses between its chunks and goes on where it was', async () => {
    const job = await startJob(engine, { kind: 'test.effects', params: { chunkMs: 20 }, rows: rowsOf(3000) });
    await until(async () => (await jobOf(engine, job.id)).good > 0, 'the first chunk');
    await pauseJob(engine.deps, engine.actor, job.id);
    const resting = await untilState(engine, job.id, 'paused');
    expect(await countEffects(engine, job.id)).toEqual({ all: resting.good, rows: resting.good });
    await resumeJob(engine.deps, engine.actor, job.id);
    expect(await untilState(engine, job.id, 'final')).toMatchObject({ state: 'succeeded', good: 3000 });
    expect(await countEffects(engine, job.id)).toEqual({ all: 3000, rows: 3000 });
  });

  it('tries a chunk again under the same key, holding no slot meanwhile', async () => {
    endpoint.answers = ['retry', 'retry', 'done'];
    const job = await runJobToEnd(engine, { kind: 'test.outside', rows: rowsOf(10) });
    expect(job).toMatchObject({ state: 'succeeded', good: 10 });
    expect(endpoint.keys).toEqual(Array(3).fill(`${job.id}:1:0`));
    expect((endpoint.calls[1] ?? 0) - (endpoint.calls[0] ?? 0)).toBeGreaterThanOrEqual(95);
    expect((endpoint.calls[2] ?? 0) - (endpoint.calls[1] ?? 0)).toBeGreaterThanOrEqual(195);
  });

  it('gives a chunk up after its tries: its rows fail and the job goes on', async () => {
    endpoint.answers = ['retry', 'retry', 'retry'];
    const job = await runJobToEnd(engine, { kind: 'test.outside', rows: rowsOf(10) });
    expect(job).toMatchObject({ state: 'failed', failed: 10 });
    const errors = await engine.db
      .selectFrom('rowError')
      .select(['code', 'attempt'])
      .where('jobId', '=', job.id)
      .execute();
    expect(errors).toEqual(Array(10).fill({ code: 'endpoint_unavailable', attempt: 3 }));
  });

  it('sends no row that breaks the schema, and fails it', async () => {
    const rows = [{ size: 3 }, { size: 0 }, { size: 'x' }, {}, { size: 7 }];
    const job = await runJobToEnd(engine, { kind: 'test.sized', rows });
    expect(job).toMatchObject({ state: 'completed_with_errors', good: 2, failed: 3 });
    const codes = await engine.db
      .selectFrom('rowError')
      .select(['rowIndex', 'code'])
      .where('jobId', '=', job.id)
      .orderBy('rowIndex')
      .execute();
    expect(codes).toEqual([1, 2, 3].map((rowIndex) => ({ rowIndex, code: 'invalid_row' })));
  });

  it('keeps the rate of a kind over all its jobs', async () => {
    const jobs = await Promise.all([1, 2].map(() => startJob(engine, { kind: 'test.rated', rows: rowsOf(100) })));
    for (const job of jobs) expect((await untilState(engine, job.id, 'final', 20_000)).state).toBe('succeeded');
    expect(endpoint.calls).toHaveLength(20);
    const tookMs = Math.max(...endpoint.calls) - Math.min(...endpoint.calls);
    // 200 rows at 50 a second: the last of 20 calls goes 3.8 s after the first, less half a second of credit.
    expect(tookMs).toBeGreaterThan(3200);
    expect(tookMs).toBeLessThan(15_000);
  });

  it('does not let a large job starve a small one of another owner', async () => {
    const large = await startJob(engine, { kind: 'test.effects', params: { chunkMs: 150 }, rows: rowsOf(30_000) });
    await until(async () => (await jobOf(engine, large.id)).good > 0, 'the large job to run');
    const other = await insertUser(engine.db, 'user');
    const small = await runJobToEnd(engine, { kind: 'test.effects', rows: rowsOf(10), actor: other }, 5000);
    expect(small.state).toBe('succeeded');
    expect((await jobOf(engine, large.id)).state).toBe('running');
    await cancelJob(engine.deps, engine.actor, large.id);
    expect((await untilState(engine, large.id, 'final')).state).toBe('canceled');
  });

  it('ends each run once, whichever of its last chunks comes out last', async () => {
    const jobs = await Promise.all(
      Array.from({ length: 40 }, () => startJob(engine, { kind: 'test.effects', rows: rowsOf(400) })),
    );
    for (const job of jobs)
      expect(await untilState(engine, job.id, 'final')).toMatchObject({ state: 'succeeded', good: 400 });
    const ends = await sql<{ count: number }>`
      select count(*)::int as count from job_event where type = 'ended' and job_id = any(${jobs.map((job) => job.id)}::uuid[])`.execute(
      engine.db,
    );
    expect(ends.rows[0]?.count).toBe(40);
  });
});
