// Undo: the values that good rows kept are put back by a job of its own, latest effect first, and only where nobody changed them since.
import { sql } from 'kysely';
import type { JobRow } from '../../../src/db/queries/jobs';
import { allowedActions } from '../../../src/jobs/allowedActions';
import { cancelJob } from '../../../src/jobs/commands/cancelJob';
import { approveJob } from '../../../src/jobs/commands/decideJob';
import { deleteJob } from '../../../src/jobs/commands/deleteJob';
import { policyOfKind } from '../../../src/jobs/commands/onJob';
import { requeueJob } from '../../../src/jobs/commands/requeueJob';
import { resumeJob } from '../../../src/jobs/commands/resumeJob';
import { errorFileNdjson } from '../../../src/jobs/massActions/errorFile';
import { parseRows } from '../../../src/jobs/massActions/parseRows';
import { undoJob } from '../../../src/jobs/undo/undoJob';
import {
  backends,
  insertUser,
  jobOf,
  runJobToEnd,
  startEngine,
  startJob,
  untilState,
  type Engine,
} from '../../support/engine';
import { makeStock, stock } from '../../support/testKinds';
import { until } from '../../support/until';

jest.setTimeout(40_000);

const rowsOf = (count: number, amount = 99): object[] =>
  Array.from({ length: count }, (_, n) => ({ sku: `s${n}`, amount }));

const approved = { ...stock, kind: 'test.approved', policy: { needsApproval: true } };

describe.each(backends())('undo on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend, plugins: [approved] });
  });
  beforeEach(() => makeStock(engine.db, 60));
  afterAll(() => engine.stop());

  const amounts = async (): Promise<number[]> =>
    (await sql<{ amount: number }>`select amount from stock order by length(sku), sku`.execute(engine.db)).rows.map(
      (row) => row.amount,
    );
  const setAmount = (sku: string, amount: number) =>
    sql`update stock set amount = ${amount} where sku = ${sku}`.execute(engine.db);
  const kept = async (jobId: string): Promise<number> =>
    (await sql<{ n: number }>`select count(*)::int as n from undo_value where job_id = ${jobId}`.execute(engine.db))
      .rows[0]?.n ?? 0;
  const start = (rows: object[], more: object = {}): Promise<JobRow> =>
    runJobToEnd(engine, { kind: 'test.stock', rows, ...more });
  const undo = async (job: JobRow): Promise<JobRow> =>
    untilState(engine, (await undoJob(engine.deps, engine.actor, job.id)).id, 'final');
  const rowsOfErrorFile = async (id: string): Promise<unknown[]> => {
    const lines: unknown[] = [];
    for await (const line of errorFileNdjson(engine.db, id, 1)) {
      const { error_message: _, ...row } = JSON.parse(line) as Record<string, unknown>;
      lines.push(row);
    }
    return lines;
  };
  const actionsOf = async (id: string): Promise<string[]> => {
    const job = await jobOf(engine, id);
    return allowedActions(job, policyOfKind(await engine.deps.catalog.get(job.kind)), engine.actor);
  };

  it('puts back what good rows changed, and says so on both jobs', async () => {
    const job = await start([...rowsOf(30), { sku: 'none', amount: 1 }, { sku: 's1' }]);
    expect(job).toMatchObject({ state: 'completed_with_errors', good: 30, failed: 2 });
    expect(await kept(job.id)).toBe(30);
    expect(await actionsOf(job.id)).toContain('undo');
    const undone = await undo(job);
    expect(undone).toMatchObject({
      ...{
        state: 'succeeded',
        good: 30,
        kind: 'test.stock',
        undoOf: job.id,
        derivedFrom: job.id,
        title: 'Undo: Stock',
      },
    });
    expect(await amounts()).toEqual(Array(60).fill(10));
    expect(await jobOf(engine, job.id)).toMatchObject({ undoneBy: undone.id, keepsValues: false });
    expect(await actionsOf(job.id)).not.toContain('undo');
    expect(await actionsOf(undone.id)).not.toContain('undo');
    // Asked again, the same job answers; taken back is what takes back not.
    expect((await undoJob(engine.deps, engine.actor, job.id)).id).toBe(undone.id);
    await expect(undoJob(engine.deps, engine.actor, undone.id)).rejects.toMatchObject({
      ...{ code: 'job_state_forbids', message: expect.stringContaining('takes another job back') },
    });
  });

  it('takes later changes of one subject back before earlier ones', async () => {
    const job = await start([...rowsOf(20, 20), ...rowsOf(20, 30), ...rowsOf(20, 40)]);
    expect(job.good).toBe(60);
    expect(await undo(job)).toMatchObject({ state: 'succeeded', good: 60 });
    expect(await amounts()).toEqual(Array(60).fill(10));
  });

  it('leaves alone what was changed since, and can be asked again for the rest', async () => {
    const job = await start(rowsOf(12));
    await setAmount('s3', 55);
    const first = await undo(job);
    expect(first).toMatchObject({ state: 'completed_with_errors', good: 11, failed: 1 });
    const errors = await engine.db.selectFrom('rowError').selectAll().where('jobId', '=', first.id).execute();
    expect(errors).toMatchObject([{ code: 'changed_since', message: 'It was 10, became 99, and is 55 now.' }]);
    expect(await rowsOfErrorFile(first.id)).toEqual([
      { undo: { rowIndex: 3, data: { sku: 's3', amount: 99 }, before: { amount: 10 } }, error_code: 'changed_since' },
    ]);
    expect((await amounts()).slice(0, 12)).toEqual([10, 10, 10, 55, 10, 10, 10, 10, 10, 10, 10, 10]);
    expect(await kept(job.id)).toBe(1);
    await setAmount('s3', 99);
    const second = await undo(job);
    expect(second.id).not.toBe(first.id);
    expect(second).toMatchObject({ state: 'succeeded', good: 1, total: 1 });
    expect(await amounts()).toEqual(Array(60).fill(10));
  });

  it('goes back to the time before the first run, however often the job ran', async () => {
    const job = await start(rowsOf(5));
    await requeueJob(engine.deps, engine.actor, job.id);
    await untilState(engine, job.id, 'final');
    expect(await undo(job)).toMatchObject({ state: 'succeeded', good: 5 });
    expect(await amounts()).toEqual(Array(60).fill(10));
    // Run once more, it keeps anew and is taken back anew.
    await requeueJob(engine.deps, engine.actor, job.id);
    await untilState(engine, job.id, 'final');
    expect((await amounts())[0]).toBe(99);
    expect(await undo(job)).toMatchObject({ state: 'succeeded', good: 5 });
    expect(await amounts()).toEqual(Array(60).fill(10));
  });

  it('[G40] takes back exactly the rows that a canceled job had done', async () => {
    const job = await startJob(engine, { kind: 'test.stock', rows: rowsOf(60), trial: 20 });
    await untilState(engine, job.id, 'paused');
    expect((await amounts()).filter((amount) => amount === 99)).toHaveLength(20);
    await cancelJob(engine.deps, engine.actor, job.id);
    expect(await jobOf(engine, job.id)).toMatchObject({ state: 'canceled', good: 20 });
    expect(await undo(job)).toMatchObject({ state: 'succeeded', good: 20, total: 20 });
    expect(await amounts()).toEqual(Array(60).fill(10));
  });

  it('[G40] is not offered by a kind that does not declare it', async () => {
    const job = await runJobToEnd(engine, { kind: 'test.effects', rows: [{}, {}] });
    expect(await actionsOf(job.id)).not.toContain('undo');
    await expect(undoJob(engine.deps, engine.actor, job.id)).rejects.toMatchObject({
      ...{ code: 'job_state_forbids', status: 409, message: expect.stringContaining('keeps no earlier values') },
    });
  });

  it('runs again as the one undo of its job, and never beside a run of it', async () => {
    const job = await startJob(engine, { kind: 'test.stock', rows: rowsOf(40), trial: 20 });
    await untilState(engine, job.id, 'paused');
    await cancelJob(engine.deps, engine.actor, job.id);
    const first = await undo(job);
    await engine.db.updateTable('job').set({ undoneBy: null }).where('id', '=', job.id).execute();
    await requeueJob(engine.deps, engine.actor, first.id);
    expect(await jobOf(engine, job.id)).toMatchObject({ undoneBy: first.id });
    await untilState(engine, first.id, 'final');
    await requeueJob(engine.deps, engine.actor, job.id);
    await untilState(engine, job.id, 'paused');
    await expect(requeueJob(engine.deps, engine.actor, first.id)).rejects.toMatchObject({
      ...{ code: 'job_state_forbids', message: expect.stringContaining('has been run again and has not ended') },
    });
    await cancelJob(engine.deps, engine.actor, job.id);
    expect(await undo(job)).toMatchObject({ state: 'succeeded', good: 20 });
  });

  it('rests after its trial like any job, one undo at a time, and no run beside it', async () => {
    const job = await start(rowsOf(40));
    const undoing = await undoJob(engine.deps, engine.actor, job.id, { trial: 10 });
    await untilState(engine, undoing.id, 'paused');
    expect((await amounts()).filter((amount) => amount === 10)).toHaveLength(30);
    expect(await actionsOf(job.id)).not.toContain('requeue');
    await expect(requeueJob(engine.deps, engine.actor, job.id)).rejects.toMatchObject({
      ...{ code: 'job_state_forbids', message: expect.stringContaining('being taken back') },
    });
    const again = await Promise.all([1, 2, 3].map(() => undoJob(engine.deps, engine.actor, job.id)));
    expect(again.map(({ id }) => id)).toEqual(Array(3).fill(undoing.id));
    await resumeJob(engine.deps, engine.actor, undoing.id);
    expect(await untilState(engine, undoing.id, 'final')).toMatchObject({ state: 'succeeded', good: 40 });
    expect(await amounts()).toEqual(Array(60).fill(10));
  });

  it('makes one undo of calls at once, and leaves nothing staged', async () => {
    const job = await start(rowsOf(25));
    const made = await Promise.all([1, 2, 3, 4].map(() => undoJob(engine.deps, engine.actor, job.id)));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    await untilState(engine, made[0]?.id ?? '', 'final');
    const uploads = await engine.db.selectFrom('upload').selectAll().execute();
    expect(uploads).toEqual([]);
    const inputs = await engine.db.selectFrom('jobInput').select('jobId').distinct().execute();
    const jobs = await engine.db.selectFrom('job').select('id').execute();
    expect(inputs.map((row) => row.jobId).filter((id) => !jobs.some((row) => row.id === id))).toEqual([]);
  });

  it('needs approval where its kind does', async () => {
    const other = await insertUser(engine.db, 'superadmin');
    const job = await startJob(engine, { kind: 'test.approved', rows: rowsOf(4) });
    await approveJob(engine.deps, other, job.id);
    await untilState(engine, job.id, 'succeeded');
    const undoing = await undoJob(engine.deps, engine.actor, job.id);
    expect(undoing.state).toBe('awaiting_approval');
    expect((await amounts())[0]).toBe(99);
    await approveJob(engine.deps, other, undoing.id);
    expect(await untilState(engine, undoing.id, 'final')).toMatchObject({ state: 'succeeded', good: 4 });
    expect(await amounts()).toEqual(Array(60).fill(10));
  });

  it('harms nothing in the hands of a worker that knows no undo', async () => {
    const job = await start(rowsOf(4));
    const undoing = await undoJob(engine.deps, engine.actor, job.id, { trial: 1 });
    const { rows: lines } = await sql<{
      line: string;
    }>`select rows as line from job_input where job_id = ${undoing.id}`.execute(engine.db);
    const asRows = (lines[0]?.line ?? '').split('\n').map((line, rowIndex) => ({ rowIndex, line }));
    const read = parseRows(asRows, null, null);
    expect(read.rows).toEqual([]);
    expect(read.faults).toHaveLength(4);
    await cancelJob(engine.deps, engine.actor, undoing.id);
  });

  it('is for the owner and superadmins; kept values go with the job', async () => {
    const owner = await insertUser(engine.db, 'user');
    const stranger = await insertUser(engine.db, 'power_user');
    const job = await start(rowsOf(3), { actor: owner });
    await expect(undoJob(engine.deps, stranger, job.id)).rejects.toMatchObject({ code: 'not_found' });
    const elsewhere = { email: true, to: 'evil@outside.test' };
    await expect(undoJob(engine.deps, owner, job.id, { notify: elsewhere })).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(undoJob(engine.deps, owner, job.id, { trial: 2 ** 40 })).rejects.toMatchObject({ code: 'invalid' });
    const undoing = await undoJob(engine.deps, owner, job.id);
    expect(undoing).toMatchObject({ ownerId: owner.id });
    await untilState(engine, undoing.id, 'final');
    const other = await start(rowsOf(3, 77));
    await deleteJob(engine.deps, engine.actor, other.id);
    await until(async () => (await kept(other.id)) === 0, 'the kept values to go with their job');
    await expect(undoJob(engine.deps, engine.actor, other.id)).rejects.toMatchObject({ code: 'not_found' });
  });
});
