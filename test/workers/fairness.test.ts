// Whose turn it is: priority, fast track, and the bound after which nobody is passed over any more.
import { sql } from 'kysely';
import { defineJob } from '../../src/jobs/define';
import { prioritizeJob } from '../../src/jobs/commands/prioritizeJob';
import { liftStarving } from '../../src/db/queries/outbox';
import { z } from 'zod';
import { backends, insertUser, startEngine, startJob, untilState, type Engine } from '../support/engine';
import { until } from '../support/until';

const started: string[] = [];
let gate: { open: () => void; opened: Promise<void> };
const closeGate = (): void => {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  gate = { open, opened };
};

const turn = defineJob({
  kind: 'test.turn',
  title: 'Turn',
  menu: ['Test'],
  roles: ['superadmin'],
  params: z.strictObject({ name: z.string() }),
  run: async ({ params }) => {
    started.push(params.name);
    if (params.name === 'gate') await gate.opened;
  },
});

describe.each(backends())('whose turn it is on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    // A lease that outlasts the test: taken over, the job that holds the slot would let others pass.
    engine = await startEngine({ backend, plugins: [turn], workers: 0, env: { LEASE_MS: '30000' } });
    await engine.startWorker({ concurrency: 1 });
  }, 60_000);
  afterAll(async () => {
    gate.open();
    await engine.stop();
  });

  /** Fills the only slot and the window behind it, so that what comes now waits in the ledger. */
  const fill = async (): Promise<void> => {
    started.length = 0;
    closeGate();
    await startJob(engine, { kind: 'test.turn', params: { name: 'gate' }, priority: 100 });
    await until(() => started.includes('gate'), 'the slot to be taken');
    await startJob(engine, { kind: 'test.turn', params: { name: 'next' }, priority: 100 });
    await until(
      async () => (await sql`select 1 from outbox where sent_at is null`.execute(engine.db)).rows.length === 0,
      'the window to be full',
    );
  };
  const add = async (name: string, priority: number): Promise<string> =>
    (await startJob(engine, { kind: 'test.turn', params: { name }, priority })).id;
  const drain = async (ids: string[]): Promise<string[]> => {
    gate.open();
    for (const id of ids) await untilState(engine, id, 'succeeded');
    return started.filter((name) => name !== 'gate' && name !== 'next');
  };

  it('[G48] higher priority goes first, also when it was changed while it waited', async () => {
    await fill();
    const ids = [await add('low', -5), await add('mid', 0), await add('high', 7), await add('raised', -9)];
    await prioritizeJob(engine.deps, engine.actor, ids[3] as string, { priority: 50 });
    expect(await drain(ids)).toEqual(['raised', 'high', 'mid', 'low']);
  });

  it('[G47] the fast track makes a waiting job the next to start and leaves the order of the others', async () => {
    await fill();
    const ids = [await add('a', 9), await add('b', 0), await add('c', 0), await add('d', -3)];
    const user = await insertUser(engine.db, 'power_user');
    await expect(prioritizeJob(engine.deps, user, ids[2] as string, { first: true })).rejects.toMatchObject({
      code: 'not_found',
    });
    await prioritizeJob(engine.deps, engine.actor, ids[2] as string, { first: true });
    const { rows } = await sql<{ action: string; after: string }>`
      select action, after::text as after from audit where subject_id = ${ids[2]} and action = 'job.prioritize'`.execute(
      engine.db,
    );
    expect(rows).toEqual([{ action: 'job.prioritize', after: '{"first":true}' }]);
    expect(await drain(ids)).toEqual(['c', 'a', 'b', 'd']);
  });

  it('[G48] what waited longer than the bound is passed over no more', async () => {
    await fill();
    const ids = [await add('old', -100), await add('young', 90)];
    await sql`update outbox set due_at = gantry_now() - interval '61 minutes' where job_id = ${ids[0]}`.execute(
      engine.db,
    );
    expect(await liftStarving(engine.db, 3600_000, 10)).toBe(1);
    expect(await liftStarving(engine.db, 3600_000, 10)).toBe(0);
    expect(await drain(ids)).toEqual(['old', 'young']);
  });
});
