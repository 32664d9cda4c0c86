// A kind that needs approval on both queue backends: workers are there and have nothing to do with it before it is approved.
import { approveJob } from '../../../src/jobs/commands/decideJob';
import { requeueJob } from '../../../src/jobs/commands/requeueJob';
import type { Actor } from '../../../src/jobs/actor';
import {
  backends,
  countEffects,
  insertUser,
  runJobToEnd,
  startEngine,
  startJob,
  untilState,
  type Engine,
} from '../../support/engine';

describe.each(backends())('approval on %s', (backend) => {
  let engine: Engine;
  let approver: Actor;
  beforeAll(async () => {
    engine = await startEngine({ backend });
    approver = await insertUser(engine.db, 'superadmin');
  });
  afterAll(() => engine.stop());

  it('[G57] [G62] starts nothing before it is approved, in the first run and in the next', async () => {
    const rows = Array.from({ length: 150 }, (_, n) => ({ n }));
    const { id } = await startJob(engine, { kind: 'test.guarded', rows });
    // A job that came later has been through the queue and the worker meanwhile.
    expect((await runJobToEnd(engine, { kind: 'test.echo', params: { value: 1 } })).state).toBe('succeeded');
    expect((await countEffects(engine, id)).all).toBe(0);
    await approveJob(engine.deps, approver, id);
    expect(await untilState(engine, id, 'final')).toMatchObject({ state: 'succeeded', good: 150 });
    expect((await countEffects(engine, id)).all).toBe(150);

    expect(await requeueJob(engine.deps, engine.actor, id)).toMatchObject({ state: 'awaiting_approval', run: 2 });
    expect((await runJobToEnd(engine, { kind: 'test.echo', params: { value: 2 } })).state).toBe('succeeded');
    expect((await countEffects(engine, id)).all).toBe(150);
    await approveJob(engine.deps, approver, id);
    await untilState(engine, id, 'succeeded');
    expect((await countEffects(engine, id)).all).toBe(300);
  });
});
