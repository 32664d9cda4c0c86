// One job from the command to its end, over the three shapes, on both queue backends.
import { sql } from 'kysely';
import { findReport } from '../../src/db/queries/jobs';
import {
  backends,
  countEffects,
  jobOf,
  runJobToEnd,
  startEngine,
  startJob,
  untilState,
  type Engine,
} from '../support/engine';
import { wakeProcess } from '../../src/db/queries/processes';
import { until } from '../support/until';

describe.each(backends())('jobs on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend });
  });
  afterAll(() => engine.stop());

  it('runs a job to its end and keeps its report', async () => {
    const job = await runJobToEnd(engine, { kind: 'test.echo', params: { value: 'ü' } });
    expect(job.state).toBe('succeeded');
    expect(JSON.parse((await findReport(engine.db, job.id, 1)) ?? '')).toEqual({ value: 'ü' });
    expect(job.host).toBeTruthy();
  });

  it('counts rows that are good, bad and skipped, and keeps why the bad ones are', async () => {
    const rows = Array.from({ length: 250 }, (_, index) => ({ bad: index % 50 === 7, skip: index % 50 === 9 }));
    const job = await runJobToEnd(engine, { kind: 'test.effects', rows });
    expect(job).toMatchObject({ state: 'completed_with_errors', good: 240, failed: 5, skipped: 5, total: 250 });
    const errors = await engine.db
      .selectFrom('rowError')
      .selectAll()
      .where('jobId', '=', job.id)
      .orderBy('rowIndex')
      .execute();
    expect(errors.map((error) => error.rowIndex)).toEqual([7, 57, 107, 157, 207]);
    expect(await countEffects(engine, job.id)).toEqual({ all: 250, rows: 250 });
    const outcomes = await sql<{ failed: number; good: number }>`
      select sum(bit_count(failed))::int as failed, sum(bit_count(good))::int as good from row_outcome where job_id = ${job.id}`.execute(
      engine.db,
    );
    expect(outcomes.rows[0]).toEqual({ failed: 5, good: 245 });
  });

  it('lets a process sleep without a slot, and runs it again for each wake', async () => {
    const job = await startJob(engine, { kind: 'test.process', params: { ticks: 3 } });
    for (let tick = 1; tick < 3; tick += 1) {
      await until(async () => (await countEffects(engine, job.id)).all === tick, `tick ${tick}`);
      await until(async () => (await jobOf(engine, job.id)).leaseUntil === null, 'the process to sleep');
      await engine.db.transaction().execute((tx) => wakeProcess(tx, job.id));
      engine.waker.wake('gantry_work');
    }
    const ended = await untilState(engine, job.id, 'final');
    expect(ended.state).toBe('succeeded');
    expect((await countEffects(engine, job.id)).all).toBe(3);
  });
});
