// Kills workers that hold jobs which may not be started twice, and counts what came of it: short in the suite, long in
// `npm run faults`.
import { sql } from 'kysely';
import { countEffects, startJob, untilState, type Engine } from './engine';
import { spawnWorker } from './spawnWorker';
import { until } from './until';

/** Each round a worker is killed that holds `atOnce` jobs; those count as so many kills. */
export async function killHolders(
  engine: Engine,
  plan: { kills: number; atOnce: number; told?: (done: number) => void },
): Promise<{ duplicates: number; lost: number }> {
  const ended = { duplicates: 0, lost: 0 };
  for (let killed = 0; killed < plan.kills; killed += plan.atOnce) {
    const ids: string[] = [];
    for (let count = 0; count < plan.atOnce; count += 1) {
      ids.push((await startJob(engine, { kind: 'test.once', params: { ms: 60_000 } })).id);
    }
    const worker = await spawnWorker(engine, { WORKER_CONCURRENCY: String(plan.atOnce) });
    const started = async (): Promise<number> => {
      const { rows } = await sql<{ count: number }>`
        select count(distinct job_id)::int as count from effect where job_id = any(${ids}::uuid[])`.execute(engine.db);
      return rows[0]?.count ?? 0;
    };
    await until(async () => (await started()) === plan.atOnce, 'all to start');
    await worker.kill('SIGKILL');
    // The next one finds what the dead one left.
    const finder = await engine.startWorker({ concurrency: 4 });
    for (const id of ids) {
      const job = await untilState(engine, id, 'final');
      if (job.state === 'failed' && job.errorCode === 'worker_lost') ended.lost += 1;
      ended.duplicates += (await countEffects(engine, id)).all - 1;
    }
    await finder.stop();
    plan.told?.(killed + plan.atOnce);
  }
  return ended;
}
