// Chunk sizes: as the kind says, or for adaptive kinds as many rows as take about two seconds, frozen when a run is made.
import { z } from 'zod';
import { requeueJob } from '../../../src/jobs/commands/requeueJob';
import { defineMassAction, type MassActionDefinition } from '../../../src/jobs/define';
import { learnPace } from '../../../src/db/queries/chunkSizes';
import { chunkSizeOf } from '../../../src/jobs/massActions/chunkSize';
import { backends, runJobToEnd, startEngine, untilState, type Engine } from '../../support/engine';
import { until } from '../../support/until';

jest.setTimeout(30_000);

/** Rows of each call, and how long a row takes. */
const calls: number[] = [];
let msPerRow = 0;

const kindOf = (kind: string, more: Partial<MassActionDefinition>): MassActionDefinition =>
  defineMassAction({
    kind,
    title: kind,
    menu: ['Tests'],
    roles: ['superadmin'],
    params: z.strictObject({}),
    rowSchema: null,
    chunkSize: 100,
    concurrency: 1,
    inDatabase: false,
    retry: { attempts: 1, minDelayMs: 10, maxDelayMs: 10 },
    ratePerSecond: null,
    processChunk: async (_ctx, rows) => {
      calls.push(rows.length);
      await new Promise((resolve) => setTimeout(resolve, rows.length * msPerRow));
      return { type: 'done', results: rows.map(({ rowIndex }) => ({ rowIndex, success: true })) };
    },
    ...more,
  });

const fixed = kindOf('test.fixed', {});
const adaptive = kindOf('test.adaptive', { adaptive: true });
const rowsOf = (count: number): object[] => Array.from({ length: count }, () => ({}));

describe.each(backends())('chunk sizes on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend, plugins: [fixed, adaptive] });
  });
  beforeEach(() => {
    calls.length = 0;
    msPerRow = 0;
  });
  afterAll(() => engine.stop());

  it.each([1, 99, 100, 101, 250])('[G28] calls the handler ceil(%i / 100) times', async (count) => {
    expect(await runJobToEnd(engine, { kind: 'test.fixed', rows: rowsOf(count) })).toMatchObject({ good: count });
    expect(calls).toHaveLength(Math.ceil(count / 100));
    expect(calls.reduce((sum, rows) => sum + rows, 0)).toBe(count);
  });

  it('[G28] sizes an adaptive kind by how long its rows took, from the next run on', async () => {
    msPerRow = 4;
    const job = await runJobToEnd(engine, { kind: 'test.adaptive', rows: rowsOf(100) });
    expect(calls).toEqual([100]);
    await until(
      async () => (await chunkSizeOf(engine.db, { ...adaptive, chunkSize: 1000 })) < 1000,
      'a pace to be learned',
    );
    // As if a row took a tenth of a second, again and again: 20 rows are two seconds.
    for (let times = 0; times < 40; times += 1) await learnPace(engine.db, 'test.adaptive', 100);
    expect(await chunkSizeOf(engine.db, adaptive)).toBe(20);
    calls.length = 0;
    msPerRow = 0;
    await requeueJob(engine.deps, engine.actor, job.id);
    await untilState(engine, job.id, 'final');
    expect(calls).toEqual([20, 20, 20, 20, 20]);
  });

  it('keeps to one row at least, and to the size of the kind at most', async () => {
    const sized = async (kind: string, pace: number): Promise<number> => {
      await learnPace(engine.db, kind, pace);
      return chunkSizeOf(engine.db, { ...adaptive, kind });
    };
    expect(await sized('test.slow', 60_000)).toBe(1);
    expect(await sized('test.fast', 0.001)).toBe(100);
    expect(await sized('test.instant', 0)).toBe(100);
    expect(await chunkSizeOf(engine.db, { ...adaptive, kind: 'test.new' })).toBe(100);
  });
});
