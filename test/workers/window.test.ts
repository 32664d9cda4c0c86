// The window: however long a job is, only a few of its messages are on their way at a time.
import { sql } from 'kysely';
import { backends, insertUser, runJobToEnd, startEngine, startJob, type Engine } from '../support/engine';
import { until } from '../support/until';

describe.each(backends())('the window on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend, workers: 1 });
  }, 60_000);
  afterAll(() => engine.stop());

  it('never has more than twice the live slots on their way, and the job ends', async () => {
    const job = await startJob(engine, {
      kind: 'test.effects',
      params: { chunkMs: 5 },
      rows: Array.from({ length: 20_000 }, (_, n) => ({ n })),
    });
    const most = { sent: 0 };
    await until(async () => {
      const { rows } = await sql<{ sent: number; open: number }>`
        select count(*) filter (where sent_at is not null and state in ('pending', 'running'))::int as sent,
          count(*) filter (where state in ('pending', 'running'))::int as open from chunk where job_id = ${job.id}`.execute(
        engine.db,
      );
      most.sent = Math.max(most.sent, rows[0]?.sent ?? 0);
      return rows[0]?.open === 0;
    }, 'all chunks to end');
    expect(most.sent).toBeGreaterThan(0);
    expect(most.sent).toBeLessThanOrEqual(8);
  });

  it('lets a small job of another owner through while a big one runs', async () => {
    const big = await startJob(engine, {
      kind: 'test.effects',
      params: { chunkMs: 20 },
      rows: Array.from({ length: 20_000 }, (_, n) => ({ n })),
    });
    const other = await insertUser(engine.db, 'user');
    await runJobToEnd(engine, { kind: 'test.echo', params: { value: 1 }, actor: other });
    const { rows } = await sql<{ open: number }>`select open_chunks as open from run where job_id = ${big.id}`.execute(
      engine.db,
    );
    expect(rows[0]?.open).toBeGreaterThan(0);
  });
});
