// Retention: the boundary to the second by the database's clock, what goes and what stays, and the notice that is waited for.
import { sql } from 'kysely';
import { isWithin, retention } from '../../src/workers/maintenance/retention';
import { abandonedUploads } from '../../src/workers/maintenance/abandonedUploads';
import { idempotencyKeys } from '../../src/workers/maintenance/idempotencyKeys';
import { declare, runIfDue } from '../../src/workers/maintenance/schedule';
import { createLogger } from '../../src/lib/logger';
import { newId } from '../../src/lib/ids';
import type { Database } from '../../src/db/database';
import type { MaintenanceDeps } from '../../src/workers/maintenance/startMaintenance';
import { openTestDatabase } from '../support/database';
import { runJobToEnd, startEngine, type Engine } from '../support/engine';
import { deleteJob } from '../../src/jobs/commands/deleteJob';
import { sweepTombstones } from '../../src/workers/maintenance/sweepTombstones';

const FOURTEEN_DAYS_S = 14 * 24 * 3600;

describe('retention', () => {
  let engine: Engine;
  const opened: Database[] = [];
  beforeAll(async () => {
    engine = await startEngine({ backend: 'postgres' });
  });
  afterAll(async () => {
    await Promise.all(opened.map((database) => database.close()));
    await engine.stop();
  });

  /** The duty as it would run `seconds` from now. */
  const later = (seconds: number): MaintenanceDeps => {
    const database = openTestDatabase(engine.databaseUrl, `${seconds} seconds`);
    opened.push(database);
    return {
      ...engine.deps,
      db: database.kysely,
      logger: createLogger({ level: 'silent' }),
      cancelGraceMs: 1000,
      retentionDays: 14,
      starvationMs: 3600_000,
    };
  };
  const rowsLeft = async (jobId: string): Promise<Record<string, number>> => {
    const left: Record<string, number> = {};
    for (const table of [
      'job',
      'run',
      'chunk',
      'job_input',
      'row_outcome',
      'row_error',
      'job_event',
      'log_line',
      'notice',
    ]) {
      const { rows } = await sql<{ count: number }>`
        select count(*)::int as count from ${sql.table(table)} where ${sql.ref(table === 'job' ? 'id' : 'job_id')} = ${jobId}`.execute(
        engine.db,
      );
      if (rows[0]?.count) left[table] = rows[0].count;
    }
    return left;
  };
  /** Ends a job as if it had ended this many seconds before now. */
  const aged = async (seconds: number): Promise<string> => {
    const job = await runJobToEnd(engine, { kind: 'test.effects', rows: [{ bad: true }, {}] });
    await sql`
      update job set finished_at = date_trunc('second', gantry_now()) - ${seconds}::float8 * interval '1 second',
        purge_at = date_trunc('second', gantry_now()) - ${seconds}::float8 * interval '1 second' + interval '336 hours'
      where id = ${job.id}`.execute(engine.db);
    return job.id;
  };

  it('[G49] keeps a job a few seconds before its 14 x 24 hours are over, and takes it with all that hangs on it after them', async () => {
    const jobId = await aged(0);
    expect((await retention(later(FOURTEEN_DAYS_S - 30))).jobs).toBe(0);
    expect(await rowsLeft(jobId)).toMatchObject({
      job: 1,
      run: 1,
      chunk: 1,
      job_input: 1,
      row_outcome: 1,
      row_error: 1,
    });
    expect((await retention(later(FOURTEEN_DAYS_S + 1))).jobs).toBe(1);
    expect(await rowsLeft(jobId)).toEqual({});
    const { rows: audits } = await sql`select 1 from audit where subject_id = ${jobId}`.execute(engine.db);
    expect(audits.length).toBeGreaterThan(0);
  });

  it('[G49] judges the boundary to the second', async () => {
    const before = await runJobToEnd(engine, { kind: 'test.echo', params: { value: 1 } });
    const { rows } = await sql<{ left: number }>`
      select extract(epoch from purge_at - gantry_now())::float8 as left from job where id = ${before.id}`.execute(
      engine.db,
    );
    expect(rows[0]?.left).toBeGreaterThan(FOURTEEN_DAYS_S - 5);
    expect(rows[0]?.left).toBeLessThanOrEqual(FOURTEEN_DAYS_S);
    // One second from its time: not yet. The time itself: gone.
    await sql`update job set purge_at = gantry_now() + interval '1 second' where id = ${before.id}`.execute(engine.db);
    expect((await retention(later(-1))).jobs).toBe(0);
    expect((await retention(later(1))).jobs).toBe(1);
    expect(await rowsLeft(before.id)).toEqual({});
  });

  it('[G51] works in batches within its window only, and goes on where it was at the next time', async () => {
    const owner = engine.actor.id;
    await sql`
      insert into job (id, kind, title, state, owner_id, owner_name, owner_email, params, finished_at, purge_at)
      select gen_random_uuid(), 'test.echo', 'over', 'succeeded', ${owner}, 'a', 'a@example.test', '{}', gantry_now(), gantry_now()
      from generate_series(1, 450)`.execute(engine.db);
    const deps = later(1);
    const { rows } = await sql<{ at: Date }>`select gantry_now() as at`.execute(deps.db);
    const hour = (plus: number): string =>
      `${String(((rows[0] as { at: Date }).at.getUTCHours() + plus + 24) % 24).padStart(2, '0')}:00`;
    expect(await retention(deps, { window: `${hour(2)}-${hour(3)}` })).toEqual({
      jobs: 0,
      batches: 0,
      ended: 'window',
    });
    const stopping = new AbortController();
    const first = retention(
      { ...deps, waker: { wake: () => stopping.abort(), close: () => undefined } },
      {
        window: `${hour(-1)}-${hour(2)}`,
        signal: stopping.signal,
      },
    );
    expect(await first).toEqual({ jobs: 200, batches: 1, ended: 'stopping' });
    const rest = await retention(deps, { window: `${hour(-1)}-${hour(2)}` });
    expect(rest).toMatchObject({ jobs: 250, ended: 'done' });
    expect(rest.batches).toBeGreaterThanOrEqual(2);
    expect((await sql`select 1 from job where title = 'over'`.execute(engine.db)).rows).toEqual([]);
  });

  it.each([
    ['01:00-05:30', '2026-01-01T00:59:59Z', false],
    ['01:00-05:30', '2026-01-01T01:00:00Z', true],
    ['01:00-05:30', '2026-01-01T05:29:59Z', true],
    ['01:00-05:30', '2026-01-01T05:30:00Z', false],
    ['23:00-02:00', '2026-01-01T23:30:00Z', true],
    ['23:00-02:00', '2026-01-01T01:59:00Z', true],
    ['23:00-02:00', '2026-01-01T12:00:00Z', false],
    [undefined, '2026-01-01T12:00:00Z', true],
  ])('the window %s at %s: %s', (window, at, expected) => expect(isWithin(window, new Date(at))).toBe(expected));

  it('waits for a notice that is still to go out, but no longer than 72 hours', async () => {
    const jobId = await aged(0);
    await sql`update job set purge_at = finished_at where id = ${jobId}`.execute(engine.db);
    await sql`
      insert into notice (id, job_id, run, kind, recipient, payload, due_at)
      values (${newId()}, ${jobId}, 1, 'job-ended', 'a@example.test', '{}', 'infinity')`.execute(engine.db);
    expect((await retention(later(71.9 * 3600))).jobs).toBe(0);
    expect((await retention(later(72.1 * 3600))).jobs).toBe(1);
    // The notice itself still goes out.
    expect(await rowsLeft(jobId)).toEqual({ notice: 1 });
  });

  it('clears what was deleted by hand', async () => {
    const job = await runJobToEnd(engine, { kind: 'test.effects', rows: [{}, { bad: true }] });
    await deleteJob(engine.deps, engine.actor, job.id);
    while (await sweepTombstones(later(0)));
    expect(await rowsLeft(job.id)).toEqual({});
  });

  it('clears an upload that nobody touched for an hour, not one younger', async () => {
    const jobId = newId();
    await sql`insert into upload (job_id, user_id) values (${jobId}, ${engine.actor.id})`.execute(engine.db);
    await sql`insert into job_input (job_id, input_chunk, first_row_index, row_count, rows) values (${jobId}, 0, 0, 1, '{}')`.execute(
      engine.db,
    );
    while (await abandonedUploads(later(3590)));
    expect(await rowsLeft(jobId)).toEqual({ job_input: 1 });
    while (await abandonedUploads(later(3610)));
    expect(await rowsLeft(jobId)).toEqual({});
    expect((await sql`select 1 from upload where job_id = ${jobId}`.execute(engine.db)).rows).toEqual([]);
  });

  it('keeps an idempotency key for 24 hours', async () => {
    await sql`
      insert into idempotency (user_id, route, key, job_hash, reserved_for)
      values (${engine.actor.id}, 'POST /jobs', 'k', '\\x00', ${newId()})`.execute(engine.db);
    const count = async (): Promise<number> => (await sql`select 1 from idempotency`.execute(engine.db)).rows.length;
    await idempotencyKeys(later(24 * 3600 - 30));
    expect(await count()).toBe(1);
    await idempotencyKeys(later(24 * 3600 + 1));
    expect(await count()).toBe(0);
  });

  it('runs a recurring duty once for each due time, however many ask', async () => {
    const { db } = later(600);
    await declare(engine.db, 'test duty', '*/5 * * * *');
    let runs = 0;
    const ask = (): Promise<boolean> => runIfDue(db, 'test duty', '*/5 * * * *', () => Promise.resolve((runs += 1)));
    await Promise.all(Array.from({ length: 8 }, ask));
    expect(runs).toBe(1);
    expect(await ask()).toBe(false);
  });
});
