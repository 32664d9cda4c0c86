// What a kind's policy says is kept whatever happens to its jobs: what may be asked of them, how long they stay; and a paused job
// leaves its slots to others.
import { sql } from 'kysely';
import { cancelJob } from '../../src/jobs/commands/cancelJob';
import { rejectJob } from '../../src/jobs/commands/decideJob';
import { pauseJob } from '../../src/jobs/commands/pauseJob';
import { resumeJob } from '../../src/jobs/commands/resumeJob';
import type { JobRow } from '../../src/db/queries/jobs';
import {
  countEffects,
  insertUser,
  jobOf,
  runJobToEnd,
  startEngine,
  startJob,
  untilState,
  type Engine,
} from '../support/engine';
import { findWorker } from '../support/findWorker';
import { until } from '../support/until';
import { startTestServer, type TestServer } from '../support/webServer';

jest.setTimeout(60_000);

describe('in the engine', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend: 'postgres', env: { CANCEL_GRACE_MS: '200', WORKER_CONCURRENCY: '4' } });
  });
  afterAll(() => engine.stop());

  const QUARTER_DAY_MS = 6 * 3600_000;
  const keptMs = (job: JobRow): number => (job.purgeAt?.getTime() ?? 0) - (job.finishedAt?.getTime() ?? 0);

  it("[G49] a kind's own retention counts in every way a run may end", async () => {
    const ends: Record<string, () => Promise<JobRow>> = {
      succeeded: () => runJobToEnd(engine, { kind: 'test.brief' }),
      timedOut: () => runJobToEnd(engine, { kind: 'test.brief', params: { deed: 'heed' } }),
      deaf: () => runJobToEnd(engine, { kind: 'test.brief', params: { deed: 'sleep', ms: 1500 } }),
      rows: () => runJobToEnd(engine, { kind: 'test.briefRows', rows: [{}, {}] }),
      canceledWaiting: async () => {
        const { id } = await startJob(engine, { kind: 'test.brief', runAt: new Date(Date.now() + 3600_000) });
        return cancelJob(engine.deps, engine.actor, id);
      },
      canceledRunning: async () => {
        const { id } = await startJob(engine, { kind: 'test.brief', params: { deed: 'heed' } });
        await until(async () => (await countEffects(engine, id)).all === 1, 'the start');
        await cancelJob(engine.deps, engine.actor, id);
        return untilState(engine, id, 'canceled');
      },
      rejected: async () => {
        const { id } = await startJob(engine, { kind: 'test.briefAsked' });
        return rejectJob(engine.deps, await insertUser(engine.db, 'superadmin'), id, { reason: 'no' });
      },
    };
    for (const [way, end] of Object.entries(ends)) {
      expect([way, keptMs(await end())]).toEqual([way, QUARTER_DAY_MS]);
    }
    const other = await runJobToEnd(engine, { kind: 'test.wild' });
    expect(keptMs(other)).toBe(14 * 24 * 3600_000);
  });

  it('[G44] a paused job holds no slot, and goes on where it was', async () => {
    const rows = Array.from({ length: 2000 }, () => ({}));
    const job = await startJob(engine, { kind: 'test.effects', params: { chunkMs: 100 }, rows });
    await until(async () => (await countEffects(engine, job.id)).all > 0, 'the first chunks');
    await pauseJob(engine.deps, engine.actor, job.id);
    const paused = await untilState(engine, job.id, 'paused');
    expect(paused.good).toBeLessThan(2000);
    const held = await sql`select 1 from chunk where job_id = ${job.id} and state = 'running'`.execute(engine.db);
    expect(held.rows).toEqual([]);
    await until(async () => (await findWorker(engine)).busy === 0, 'every slot to be free');
    // Others have the slots meanwhile.
    expect((await runJobToEnd(engine, { kind: 'test.work', params: { ms: 50 } })).state).toBe('succeeded');
    expect(await jobOf(engine, job.id)).toMatchObject({ state: 'paused', good: paused.good });
    await resumeJob(engine.deps, engine.actor, job.id);
    expect(await untilState(engine, job.id, 'final')).toMatchObject({ state: 'succeeded', good: 2000 });
    expect(await countEffects(engine, job.id)).toEqual({ all: 2000, rows: 2000 });
  });
});

describe('at the API', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ worker: true });
    await sql`create table effect (job_id uuid not null, row_index bigint not null)`.execute(server.database.kysely);
  });
  afterAll(() => server.stop());

  it('[G42] says before the start that a kind cannot be canceled or requeued, and refuses both with the reason', async () => {
    const kinds = (await server.call('user', 'GET', '/api/v1/job-kinds?limit=100')).body.items as {
      kind: string;
      policy: object;
    }[];
    expect(kinds.find(({ kind }) => kind === 'test.firm')?.policy).toMatchObject({
      cancelable: false,
      requeueable: false,
      restartable: true,
      isolated: false,
      timeoutMs: null,
      retentionDays: 0.25,
    });
    const body = { kind: 'test.firm', params: { deed: 'heed', ms: 1500 }, notify: { email: false } };
    const { id } = (await server.call('user', 'POST', '/api/v1/jobs', body)).body;
    const at = `/api/v1/jobs/${id}`;
    const read = async () => (await server.call('superadmin', 'GET', at)).body;
    await until(async () => (await read()).state === 'running', 'the start');
    expect((await read()).allowedActions).not.toContain('cancel');
    const refused = await server.call('user', 'POST', `${at}/cancel`, {});
    expect([refused.status, refused.body.code]).toEqual([409, 'job_state_forbids']);
    expect(refused.body.detail).toContain('runs through once it has begun');
    expect((await read()).state).toBe('running');
    await until(async () => (await read()).state === 'succeeded', 'the end');
    expect((await read()).allowedActions).not.toContain('requeue');
    const again = await server.call('superadmin', 'POST', `${at}/requeue`, {});
    expect([again.status, again.body.code]).toEqual([409, 'job_state_forbids']);
    expect(again.body.detail).toContain('its kind runs once');
    expect((await read()).run).toBe(1);
  });
});
