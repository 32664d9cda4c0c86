// Cancels waiting jobs while a busy worker reaches for them: short in the suite, long in `npm run faults`.
import { sql } from 'kysely';
import { cancelJob } from '../../src/jobs/commands/cancelJob';
import { GantryError } from '../../src/lib/errors';
import { startJob, untilState, type Engine } from './engine';

/** @returns how many were canceled before they had begun, and how many of those had an effect all the same. */
export async function raceCancels(engine: Engine, jobs: number): Promise<{ canceled: number; started: number }> {
  const canceled: string[] = [];
  const one = async (): Promise<void> => {
    const { id } = await startJob(engine, { kind: 'test.work', params: { ms: 20 } });
    try {
      const answer = await cancelJob(engine.deps, engine.actor, id);
      if (answer.state === 'canceled' && answer.startedAt === null) canceled.push(id);
    } catch (error) {
      // It had ended already.
      if (!(error instanceof GantryError) || error.code !== 'job_state_forbids') throw error;
    }
    await untilState(engine, id, 'final');
  };
  for (let left = jobs; left > 0; left -= 50) await Promise.all(Array.from({ length: Math.min(50, left) }, one));
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from effect where job_id = any(${canceled}::uuid[])`.execute(engine.db);
  return { canceled: canceled.length, started: rows[0]?.count ?? 0 };
}
