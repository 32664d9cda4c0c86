// Carrying out commands on sets: exactly once whatever is killed, under the asker's role as it is then, and large sets.
import { sql } from 'kysely';
import { findBulkAction, type BulkRow } from '../../../src/db/queries/bulkActions';
import { beginDueBulkActions, claimBulkItems, markBulkItems } from '../../../src/db/queries/bulkItems';
import type { JobFilter } from '../../../src/db/queries/jobs';
import type { Actor } from '../../../src/jobs/actor';
import { carryOutSome } from '../../../src/jobs/bulk/carryOut';
import { abortBulkAction, countSet, createBulkAction } from '../../../src/jobs/bulk/createBulkAction';
import type { BulkRequest } from '../../../src/jobs/bulk/judgeJob';
import { newId } from '../../../src/lib/ids';
import { insertUser, startEngine, type Engine } from '../../support/engine';
import { killSpawned, spawnWorker } from '../../support/spawnWorker';
import { until } from '../../support/until';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ backend: 'postgres', workers: 0, env: { LEASE_MS: '1500' } });
}, 60_000);
afterEach(killSpawned);
afterAll(() => engine.stop());

/** Many jobs at once, all of one state. @returns the filter that finds just them. */
async function insertJobs(count: number, state: 'paused' | 'failed', owner: Actor): Promise<JobFilter> {
  const kind = `test.set-${newId()}`;
  const ended = state === 'failed' ? sql`gantry_now(), gantry_now() + interval '14 days'` : sql`null, null`;
  await sql`
    with made as (insert into job (id, kind, title, state, owner_id, owner_name, owner_email, params, finished_at, purge_at)
      select gen_random_uuid(), ${kind}, 'job ' || n, ${state}::job_state, ${owner.id}, ${owner.name}, ${owner.email}, '{}', ${ended}
      from generate_series(1, ${count}::int) n returning id)
    insert into run (job_id, run) select id, 1 from made`.execute(engine.db);
  return { kinds: { in: [kind] } };
}

function ask(actor: Actor, request: BulkRequest, filter: JobFilter): Promise<BulkRow> {
  return createBulkAction(engine.deps, actor, { id: newId(), request, set: { filter, ids: null, selection: {} } });
}

async function bulkOf(id: string): Promise<BulkRow> {
  const bulk = await findBulkAction(engine.db, id);
  if (!bulk) throw new Error('the bulk action is not there');
  return bulk;
}

const doneOf = ({ counts }: BulkRow): number => counts.succeeded + counts.failed;

/** How often each job of the set was acted on, told by the audit, which nothing can change. */
async function actsOf(id: string, action: string): Promise<Record<string, number>> {
  const { rows } = await sql<{ times: number; jobs: number }>`
    select times, count(*)::int as jobs from (select i.job_id, count(a.id)::int as times
      from bulk_item i left join audit a on a.subject_id = i.job_id::text and a.action = ${action}
      where i.bulk_id = ${id} group by i.job_id) each group by times`.execute(engine.db);
  return Object.fromEntries(rows.map(({ times, jobs }) => [String(times), jobs]));
}

/** As a worker does, until nothing is left. */
async function carryOutAll(id: string): Promise<BulkRow> {
  await beginDueBulkActions(engine.db, 100);
  while (await carryOutSome(engine.deps, id, 5000));
  return bulkOf(id);
}

it('[G46] acts on each job once when the worker is killed in the middle, and another goes on from there', async () => {
  const bulk = await ask(engine.actor, { action: 'cancel' }, await insertJobs(250, 'paused', engine.actor));
  const first = await spawnWorker(engine);
  await until(async () => doneOf(await bulkOf(bulk.id)) > 10, 'some jobs to be canceled');
  await first.kill('SIGKILL');
  const atKill = await bulkOf(bulk.id);
  // Without this the kill came too late to prove anything.
  expect([atKill.state, doneOf(atKill) < 250]).toEqual(['running', true]);
  const second = await engine.startWorker();
  await until(async () => (await bulkOf(bulk.id)).state === 'done', 'the set to be dealt with', 40_000);
  await second.stop();
  expect((await bulkOf(bulk.id)).counts).toEqual({ succeeded: 250, failed: 0, skippedBy: {} });
  expect(await actsOf(bulk.id, 'job.cancel')).toEqual({ '1': 250 });
}, 90_000);

it('[G46] acts on each job once when several workers share a set', async () => {
  const bulk = await ask(engine.actor, { action: 'cancel' }, await insertJobs(120, 'paused', engine.actor));
  await Promise.all([carryOutAll(bulk.id), carryOutAll(bulk.id), carryOutAll(bulk.id)]);
  expect((await carryOutAll(bulk.id)).counts).toEqual({ succeeded: 120, failed: 0, skippedBy: {} });
  expect(await actsOf(bulk.id, 'job.cancel')).toEqual({ '1': 120 });
});

it('takes a command back whose claim ran out before it was committed', async () => {
  const bulk = await ask(engine.actor, { action: 'delete' }, await insertJobs(1, 'failed', engine.actor));
  await engine.db
    .updateTable('bulkAction')
    .set({ startsAt: new Date(0) })
    .where('id', '=', bulk.id)
    .execute();
  await beginDueBulkActions(engine.db, 100);
  const late = newId();
  const [item] = await claimBulkItems(engine.db, bulk.id, late, 0, 1);
  expect(await carryOutSome(engine.deps, bulk.id, 5000)).toBe(true);
  const hold = { bulkId: bulk.id, claim: late, ownerId: engine.actor.id, role: engine.actor.role };
  const end = { place: item?.place ?? -1, result: 'succeeded' as const, code: null, message: null };
  expect(await markBulkItems(engine.db, hold, [end])).toBe(0);
  expect(await actsOf(bulk.id, 'job.delete')).toEqual({ '1': 1 });
});

it('leaves a job alone that was requeued after the set was frozen', async () => {
  const bulk = await ask(engine.actor, { action: 'cancel' }, await insertJobs(2, 'paused', engine.actor));
  const [moved] = await engine.db.selectFrom('bulkItem').select('jobId').where('bulkId', '=', bulk.id).execute();
  const jobId = moved?.jobId ?? '';
  await engine.db.insertInto('run').values({ jobId, run: 2 }).execute();
  await engine.db.updateTable('job').set({ run: 2 }).where('id', '=', jobId).execute();
  expect((await carryOutAll(bulk.id)).counts).toEqual({ succeeded: 1, failed: 0, skippedBy: { changed_since: 1 } });
});

it('stops where it is when it is aborted', async () => {
  const bulk = await ask(engine.actor, { action: 'cancel' }, await insertJobs(250, 'paused', engine.actor));
  await beginDueBulkActions(engine.db, 100);
  await carryOutSome(engine.deps, bulk.id, 5000);
  const [aborted] = await Promise.all([
    abortBulkAction(engine.deps, engine.actor, bulk.id),
    carryOutSome(engine.deps, bulk.id, 5000),
  ]);
  const { succeeded } = aborted.counts;
  expect([aborted.state, succeeded >= 100, succeeded < 250]).toEqual(['aborted', true, true]);
  expect(await carryOutSome(engine.deps, bulk.id, 5000)).toBe(false);
  // What was answered is what was done, to the job.
  expect((await actsOf(bulk.id, 'job.cancel'))['1']).toBe(succeeded);
  expect((await bulkOf(bulk.id)).counts.succeeded).toBe(succeeded);
});

it.each([
  ['is disabled', { disabledAt: new Date() }],
  ['has a lesser role', { role: 'power_user' as const }],
])('stops when whoever asked %s', async (_why, change) => {
  const asker = await insertUser(engine.db, 'superadmin');
  const bulk = await ask(asker, { action: 'cancel' }, await insertJobs(150, 'paused', engine.actor));
  await beginDueBulkActions(engine.db, 100);
  await carryOutSome(engine.deps, bulk.id, 5000);
  await engine.db.updateTable('appUser').set(change).where('id', '=', asker.id).execute();
  await carryOutAll(bulk.id);
  const stopped = await bulkOf(bulk.id);
  expect(stopped).toMatchObject({ state: 'aborted', counts: { succeeded: 100 } });
  expect(stopped.abortWhy).toMatch(/may not/);
  expect(await actsOf(bulk.id, 'job.cancel')).toEqual({ '0': 50, '1': 100 });
});

it('goes on in turn with several sets, and tells those who follow', async () => {
  const bulks = await Promise.all(
    [1, 2, 3].map(async () => ask(engine.actor, { action: 'cancel' }, await insertJobs(5, 'paused', engine.actor))),
  );
  const worker = await engine.startWorker();
  for (const { id } of bulks) await until(async () => (await bulkOf(id)).state === 'done', 'each set to be done');
  await until(async () => {
    const { rows } = await sql<{ state: string; ownerId: string }>`
      select state, owner_id from feed where topic = 'bulk-action' and subject_id = ${bulks[0]?.id ?? ''} order by seq desc limit 1`.execute(
      engine.db,
    );
    return rows[0]?.state === 'done' && rows[0].ownerId === engine.actor.id;
  }, 'the stream to tell of it');
  await worker.stop();
});

it('[G46] previews and freezes tens of thousands of jobs in a moment', async () => {
  const filter = await insertJobs(20_000, 'failed', engine.actor);
  const request: BulkRequest = { action: 'requeue', only: 'failed' };
  const set = { filter, ids: null, selection: {} };
  const startedAt = performance.now();
  const counts = await countSet(engine.deps, engine.db, engine.actor, request, set);
  const bulk = await createBulkAction(engine.deps, engine.actor, { id: newId(), request, set, expected: 20_000 });
  expect(performance.now() - startedAt).toBeLessThan(5000);
  expect(counts).toMatchObject({ total: 20_000, matched: 0, skippedBy: { kind_gone: 20_000 } });
  expect(await bulkOf(bulk.id)).toMatchObject({ total: 20_000, counts: { succeeded: 0 } });
  await abortBulkAction(engine.deps, engine.actor, bulk.id);
}, 60_000);
