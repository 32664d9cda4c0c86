// A worker killed five times inside chunks: every account and audit row once, none lost, progress never backwards, and what
// the dead held is taken up within a lease and five seconds.
import { sql } from 'kysely';
import { startLoop } from '../../src/lib/abort';
import { backends, startEngine, startJob, untilState, type Engine } from '../support/engine';
import { killSpawned, spawnWorker, type WorkerProcess } from '../support/spawnWorker';
import { until } from '../support/until';

const ROWS = 20_000;
const KILLS = 5;

jest.setTimeout(90_000);

describe.each(backends())('workers killed inside chunks on %s', (backend) => {
  let engine: Engine;
  let worker: WorkerProcess | null = null;
  beforeAll(async () => {
    engine = await startEngine({ backend, workers: 0 });
  });
  afterAll(async () => {
    await killSpawned();
    await engine.stop();
  });

  it('[G43] imports 20,000 users exactly once', async () => {
    const rows = Array.from({ length: ROWS }, (_, index) => ({
      email: `u${index}@example.test`,
      name: `User ${index}`,
      role: 'user',
    }));
    const job = await startJob(engine, { kind: 'users.import', rows });
    const progress: number[] = [];
    const watch = startLoop(
      20,
      async () => void progress.push(await readDone(engine, job.id)),
      () => undefined,
    );
    const takeovers: number[] = [];
    try {
      for (let kill = 1; kill <= KILLS; kill += 1) {
        worker = await spawnWorker(engine, { WORKER_CONCURRENCY: '2' });
        const { workerId } = worker;
        const enough = ((kill - 0.7) * ROWS) / (KILLS + 1);
        await until(
          async () => (await readDone(engine, job.id)) >= enough && (await chunksHeldBy(engine, workerId)).length > 0,
          `chunks in hand before kill ${kill}`,
        );
        await worker.kill('SIGKILL');
        const killedAt = Date.now();
        const left = await chunksHeldBy(engine, workerId);
        if (left.length === 0) {
          // It died between two chunks; that kill does not count.
          kill -= 1;
          continue;
        }
        if (kill === KILLS) worker = await spawnWorker(engine);
        else continue;
        await until(async () => (await stillHeld(engine, job.id, workerId, left)) === 0, 'the takeover', 10_000);
        takeovers.push(Date.now() - killedAt);
      }
      const ended = await untilState(engine, job.id, 'final', 40_000);
      expect(ended).toMatchObject({ state: 'succeeded', good: ROWS, failed: 0, skipped: 0 });
    } finally {
      await watch.stop();
    }
    expect(Math.max(...takeovers)).toBeLessThan(engine.config.leaseMs + 5000);
    expect(progress.every((done, place) => place === 0 || done >= (progress[place - 1] ?? 0))).toBe(true);
    expect(progress.length).toBeGreaterThan(20);
    const { rows: counts } = await sql<{ accounts: number; audits: number; audited: number }>`
      select (select count(*)::int from app_user where email like 'u%@example.test' and name like 'User %') as accounts,
        (select count(*)::int from audit where action = 'user.create') as audits,
        (select count(distinct subject_id)::int from audit where action = 'user.create') as audited`.execute(engine.db);
    expect(counts[0]).toMatchObject({ accounts: ROWS, audits: ROWS, audited: ROWS });
  });
});

async function readDone(engine: Engine, jobId: string): Promise<number> {
  const { rows } = await sql<{
    done: number;
  }>`select good + failed + skipped as done from run where job_id = ${jobId}`.execute(engine.db);
  return rows[0]?.done ?? 0;
}

async function chunksHeldBy(engine: Engine, workerId: string): Promise<number[]> {
  const { rows } = await sql<{ chunk: number }>`
    select chunk from chunk where worker_id = ${workerId} and state = 'running' and lease_until is not null`.execute(
    engine.db,
  );
  return rows.map((row) => row.chunk);
}

async function stillHeld(engine: Engine, jobId: string, workerId: string, chunks: number[]): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from chunk where job_id = ${jobId} and chunk = any(${chunks}::int[])
      and (state = 'pending' or worker_id = ${workerId})`.execute(engine.db);
  return rows[0]?.count ?? 0;
}
