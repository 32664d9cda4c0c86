// Commands on sets over HTTP: preview, frozen sets, results, roles, keys, the way back.
import { buildJob, buildOutcomes } from '../support/factories';
import { startTestServer, type TestServer } from '../support/webServer';
import { until } from '../support/until';
import type { JobState } from '../../src/jobs/lifecycle';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ worker: true });
}, 60_000);
afterAll(() => server.stop());

type Role = 'user' | 'power_user' | 'superadmin';
const owner = (role: Role) => ({ ...server.callers[role], name: `A ${role}` });
const build = (state: JobState, role: Role, more: object = {}) =>
  buildJob(server.database.kysely, { state, owner: owner(role), ...more });
const ask = (as: Role, body: unknown, headers?: Record<string, string>) =>
  server.call(as, 'POST', '/api/v1/bulk-actions', body, headers);
const stateOf = async (id: string) => (await server.call('superadmin', 'GET', `/api/v1/jobs/${id}`)).body?.state;

async function ended(id: string) {
  let bulk = await server.call('superadmin', 'GET', `/api/v1/bulk-actions/${id}`);
  await until(async () => {
    bulk = await server.call('superadmin', 'GET', `/api/v1/bulk-actions/${id}`);
    return bulk.body.finishedAt !== null;
  }, `bulk action ${id} to end`);
  return bulk.body;
}

async function resultsOf(id: string) {
  const { body } = await server.call('superadmin', 'GET', `/api/v1/bulk-actions/${id}/results?limit=100`);
  return Object.fromEntries(
    body.items.map((item: { jobId: string; result: string; code: string | null }) => [
      item.jobId,
      [item.result, item.code],
    ]),
  );
}

it('[G46] counts a set beforehand, acts on it, and tells of each job what became of it', async () => {
  const paused = await build('paused', 'user');
  const failed = await build('failed', 'user');
  const canceled = await build('canceled', 'user');
  const nowhere = '00000000-0000-7000-8000-000000000001';
  const ids = [paused.id, failed.id, canceled.id, nowhere];
  const preview = await ask('superadmin', { action: 'cancel', ids, dryRun: true });
  expect(preview.status).toBe(200);
  expect(preview.body).toEqual({
    dryRun: true,
    action: 'cancel',
    total: 4,
    matched: 1,
    byState: { paused: 1, failed: 1, canceled: 1 },
    skipped: 3,
    skippedBy: { job_state_forbids: 1, already_so: 1, not_found: 1 },
  });
  expect(await stateOf(paused.id)).toBe('paused');

  const answer = await ask('superadmin', { action: 'cancel', ids, expected: 4, reason: 'not needed' });
  expect(answer.status).toBe(202);
  expect(answer.headers.get('location')).toBe(`/api/v1/bulk-actions/${answer.body.id}`);
  expect(answer.body).toMatchObject({ action: 'cancel', total: 4, reason: 'not needed', selection: { ids: 4 } });
  const bulk = await ended(answer.body.id);
  expect(bulk).toMatchObject({ state: 'done', done: 4, succeeded: 1, skipped: 3, failed: 0, allowedActions: [] });
  expect(bulk.skippedBy).toEqual({ job_state_forbids: 1, already_so: 1, not_found: 1 });
  expect(await resultsOf(bulk.id)).toEqual({
    [paused.id]: ['succeeded', null],
    [failed.id]: ['skipped', 'job_state_forbids'],
    [canceled.id]: ['skipped', 'already_so'],
    [nowhere]: ['skipped', 'not_found'],
  });
  const job = (await server.call('superadmin', 'GET', `/api/v1/jobs/${paused.id}`)).body;
  expect(job).toMatchObject({ state: 'canceled', cancelReason: 'not needed' });
  const page = await server.call('superadmin', 'GET', `/api/v1/bulk-actions/${bulk.id}/results?limit=2`);
  const next = await server.call(
    'superadmin',
    'GET',
    `/api/v1/bulk-actions/${bulk.id}/results?limit=2&cursor=${page.body.nextCursor}`,
  );
  expect(new Set([...page.body.items, ...next.body.items].map((item) => item.jobId))).toEqual(new Set(ids));
  expect(next.body.nextCursor).toBeNull();
  const skipped = await server.call('superadmin', 'GET', `/api/v1/bulk-actions/${bulk.id}/results?result=skipped`);
  expect(skipped.body.items.every((item: { why: string }) => item.why.length > 10)).toBe(true);
});

it('[G100] requeues all by filter only as large as the preview said, leaves kinds that run once, and audits it', async () => {
  const failed = [await build('failed', 'user'), await build('failed', 'user')];
  const runsOnce = await build('failed', 'user', { kind: 'deployment' });
  const filter = { q: 'a job that is failed', state: 'failed', since: failed[0]?.createdAt.toISOString() };
  const unseen = await ask('superadmin', { action: 'requeue', filter });
  expect([unseen.status, unseen.body.fields[0].path]).toEqual([422, 'expected']);
  const preview = (await ask('superadmin', { action: 'requeue', filter, dryRun: true })).body;
  expect(preview).toMatchObject({ total: 3, matched: 2, skippedBy: { not_requeueable: 1 } });
  const late = await build('failed', 'user');
  const moved = await ask('superadmin', { action: 'requeue', filter, expected: 3 });
  expect([moved.status, moved.body.code, moved.body.counts]).toMatchObject([
    409,
    'set_changed',
    { total: 4, matched: 3 },
  ]);
  const { body } = await ask('superadmin', { action: 'requeue', filter, expected: 4 });
  expect(await ended(body.id)).toMatchObject({ succeeded: 3, skippedBy: { not_requeueable: 1 } });
  for (const job of [...failed, late]) {
    expect((await server.call('superadmin', 'GET', `/api/v1/jobs/${job.id}`)).body.run).toBe(2);
  }
  expect(await resultsOf(body.id)).toMatchObject({ [runsOnce.id]: ['skipped', 'not_requeueable'] });
  const audit = await server.call('superadmin', 'GET', `/api/v1/audit?subjectType=bulk-action&subjectId=${body.id}`);
  expect(audit.body.items).toMatchObject([
    {
      action: 'bulk-action.create',
      after: { action: 'requeue', total: 4, byState: { failed: 4 }, selection: { filter } },
    },
  ]);
  const single = await server.call('superadmin', 'GET', `/api/v1/audit?subjectType=job&subjectId=${late.id}`);
  expect(single.body.items).toMatchObject([{ action: 'job.requeue', actor: { id: server.callers.superadmin.id } }]);
});

it('[G100] drains what one owner has waiting, and nothing of others', async () => {
  const mine = [await build('paused', 'power_user'), await build('scheduled', 'power_user')];
  const other = await build('paused', 'user');
  const filter = { owner: 'power_user@example.org', group: 'unprocessed' };
  expect((await ask('superadmin', { action: 'cancel', filter })).status).toBe(422);
  const { total } = (await ask('superadmin', { action: 'cancel', filter, dryRun: true })).body;
  expect(total).toBe(2);
  const { body } = await ask('superadmin', { action: 'cancel', filter, expected: total });
  expect(await ended(body.id)).toMatchObject({ succeeded: 2, skipped: 0 });
  for (const job of mine) expect(await stateOf(job.id)).toBe('canceled');
  expect(await stateOf(other.id)).toBe('paused');
});

it('refuses a set that chooses nothing, and members that do not go together', async () => {
  const [some] = [await build('failed', 'user')];
  const refused: [object, string][] = [
    [{ action: 'delete' }, 'ids'],
    [{ action: 'delete', filter: {} }, 'filter'],
    [{ action: 'delete', filter: { scope: 'all', group: 'all' } }, 'filter'],
    [{ action: 'delete', filter: { q: '**', state: ',-', kind: ' ' } }, 'filter'],
    [{ action: 'delete', ids: [some?.id], all: true }, 'ids'],
    [{ action: 'delete', ids: [] }, 'ids'],
    [{ action: 'delete', ids: ['x'] }, 'ids.0'],
    [{ action: 'delete', filter: { state: 'nonsense' } }, 'state'],
    [{ action: 'delete', ids: [some?.id], only: 'failed' }, 'only'],
    [{ action: 'requeue', ids: [some?.id], code: 'bad' }, 'code'],
    [{ action: 'prioritize', ids: [some?.id] }, 'priority'],
    [{ action: 'approve', ids: [some?.id] }, 'action'],
    [{ action: 'cancel', all: true }, 'expected'],
    [{ action: 'delete', filter: { nonsense: 1 } }, 'filter.nonsense'],
  ];
  for (const [body, path] of refused) {
    const answer = await ask('superadmin', body);
    expect([body, answer.status, answer.body.fields?.map((field: { path: string }) => field.path)]).toEqual([
      body,
      422,
      expect.arrayContaining([path]),
    ]);
  }
  expect((await ask('superadmin', { action: 'delete', all: true, dryRun: true })).body.total).toBeGreaterThan(0);
});

it('[G45] deletes ended jobs only, ten seconds later; an abort until then leaves everything', async () => {
  const failed = await build('failed', 'power_user');
  const paused = await build('paused', 'power_user');
  const ids = [failed.id, paused.id];
  const first = (await ask('power_user', { action: 'delete', ids })).body;
  expect(Date.parse(first.startsAt) - Date.parse(first.createdAt)).toBeGreaterThanOrEqual(9_900);
  expect(first).toMatchObject({ state: 'waiting', done: 0, allowedActions: ['abort'] });
  const aborted = await server.call('power_user', 'POST', `/api/v1/bulk-actions/${first.id}/abort`, {});
  expect(aborted.body).toMatchObject({ state: 'aborted', done: 0, total: 2, allowedActions: [] });
  const again = await server.call('power_user', 'POST', `/api/v1/bulk-actions/${first.id}/abort`, {});
  expect(again.body).toEqual(aborted.body);
  expect(await stateOf(failed.id)).toBe('failed');

  const second = (await ask('power_user', { action: 'delete', ids })).body;
  await startNow(second.id);
  expect(await ended(second.id)).toMatchObject({ state: 'done', succeeded: 1, skippedBy: { job_not_final: 1 } });
  expect(await stateOf(failed.id)).toBeUndefined();
  expect(await stateOf(paused.id)).toBe('paused');
  expect((await server.call('power_user', 'DELETE', `/api/v1/jobs/${paused.id}`)).body.code).toBe('job_not_final');
  const late = await server.call('power_user', 'POST', `/api/v1/bulk-actions/${second.id}/abort`, {});
  expect([late.status, late.body.code]).toEqual([409, 'state_forbids']);
  const audit = await server.call('superadmin', 'GET', `/api/v1/audit?subjectType=job&subjectId=${failed.id}`);
  expect(audit.body.items[0]).toMatchObject({ action: 'job.delete', before: { state: 'failed', title: failed.title } });
});

/** The ten seconds are over. */
async function startNow(id: string): Promise<void> {
  const starts = { startsAt: new Date(Date.now() - 1000) };
  await server.database.kysely.updateTable('bulkAction').set(starts).where('id', '=', id).execute();
}

it('lets power users act on their own jobs as far as single commands do, and hides all others', async () => {
  const foreign = await build('paused', 'user');
  const own = await build('paused', 'power_user');
  const ids = [foreign.id, own.id];
  const preview = (await ask('power_user', { action: 'cancel', ids, dryRun: true })).body;
  expect(preview).toMatchObject({ matched: 1, byState: { paused: 1 }, skippedBy: { not_found: 1 } });
  const { body } = await ask('power_user', { action: 'cancel', ids });
  expect(await ended(body.id)).toMatchObject({ succeeded: 1, skippedBy: { not_found: 1 } });
  const { items } = (await server.call('power_user', 'GET', `/api/v1/bulk-actions/${body.id}/results`)).body;
  expect(items.find((item: { jobId: string }) => item.jobId === foreign.id)).toMatchObject({
    title: null,
    seenState: null,
  });
  expect(await stateOf(foreign.id)).toBe('paused');
  for (const action of ['requeue', 'pause']) expect((await ask('power_user', { action, ids })).status).toBe(403);
  expect(
    (await ask('power_user', { action: 'cancel', filter: { owner: 'user@example.org' }, dryRun: true })).status,
  ).toBe(403);
  expect((await ask('user', { action: 'cancel', ids })).status).toBe(403);
  const byRoot = (await ask('superadmin', { action: 'cancel', ids })).body;
  expect((await server.call('power_user', 'GET', `/api/v1/bulk-actions/${byRoot.id}`)).status).toBe(404);
  expect((await server.call('power_user', 'POST', `/api/v1/bulk-actions/${byRoot.id}/abort`, {})).status).toBe(404);
  const listed = (await server.call('power_user', 'GET', '/api/v1/bulk-actions?limit=100')).body.items;
  expect(new Set(listed.map((item: { createdBy: { id: string } }) => item.createdBy.id))).toEqual(
    new Set([server.callers.power_user.id]),
  );
  const all = (await server.call('superadmin', 'GET', '/api/v1/bulk-actions?limit=100')).body.items;
  expect(all.map((item: { id: string }) => item.id)).toEqual(expect.arrayContaining([body.id, byRoot.id]));
});

it('gives the same object for the same key, and refuses other content under it', async () => {
  const job = await build('paused', 'user');
  const key = { 'Idempotency-Key': `bulk-${job.id}` };
  const body = { action: 'cancel', ids: [job.id] };
  const answers = await Promise.all(Array.from({ length: 5 }, () => ask('superadmin', body, key)));
  const made = answers.filter((answer) => answer.status === 202);
  expect(new Set(made.map((answer) => answer.body.id)).size).toBe(1);
  expect(
    answers.filter((answer) => answer.status !== 202).every((answer) => answer.body.code === 'idempotency_in_progress'),
  ).toBe(true);
  const replay = await ask('superadmin', body, key);
  expect([replay.body.id, replay.headers.get('idempotency-replayed')]).toEqual([made[0]?.body.id, 'true']);
  expect((await ask('superadmin', { ...body, reason: 'other' }, key)).body.code).toBe('idempotency_mismatch');
  // Refused: the key is still free.
  const free = { 'Idempotency-Key': `free-${job.id}` };
  expect((await ask('superadmin', { ...body, expected: 7 }, free)).status).toBe(409);
  expect((await ask('superadmin', body, free)).status).toBe(202);
});

it('[G37] runs the failed rows of one cause again, by its code', async () => {
  const job = await build('completed_with_errors', 'user', { rows: 25 });
  await buildOutcomes(server.database.kysely, job, { good: [0, 1], failed: [3, 12, 20] });
  await server.database.kysely
    .updateTable('rowError')
    .set({ code: 'other' })
    .where('jobId', '=', job.id)
    .where('rowIndex', '=', 12)
    .execute();
  const groups = (await server.call('user', 'GET', `/api/v1/jobs/${job.id}/errors/groups`)).body.items;
  expect(groups).toEqual([
    { code: 'bad', message: 'row 3 is bad', count: 2, firstRowIndex: 3 },
    { code: 'other', message: 'row 12 is bad', count: 1, firstRowIndex: 12 },
  ]);
  const csv = (await server.call('user', 'GET', `/api/v1/jobs/${job.id}/errors.csv?code=other`)).text;
  expect(csv.trim().split('\n')).toEqual(['n,error_code,error_message', '12,other,row 12 is bad']);
  const ndjson = (await server.call('user', 'GET', `/api/v1/jobs/${job.id}/errors.ndjson?code=bad`)).text;
  expect(
    ndjson
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).n),
  ).toEqual([3, 20]);
  const requeue = (body: object) => server.call('superadmin', 'POST', `/api/v1/jobs/${job.id}/requeue`, body);
  expect((await requeue({ code: 'bad' })).status).toBe(422);
  expect((await requeue({ only: 'failed', code: 'no such' })).body.code).toBe('nothing_to_requeue');
  expect((await requeue({ only: 'failed', code: 'bad' })).body).toMatchObject({ run: 2, progress: { total: 2 } });
});
