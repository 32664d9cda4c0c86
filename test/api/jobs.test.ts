// Jobs over HTTP: start, look, steer; every answer is checked against the contract.
import { z } from 'zod';
import { jobDoc } from '../../src/api/contract/jobShapes';
import { startTestServer, type TestServer } from '../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

const start = (body: unknown, headers?: Record<string, string>) =>
  server.call('superadmin', 'POST', '/api/v1/jobs', body, headers);
const form = (job: unknown, rows: string, type = 'text/csv'): FormData => {
  const data = new FormData();
  data.append('job', JSON.stringify(job));
  data.append('rows', new Blob([rows], { type }), 'rows');
  return data;
};
const inputRows = async (): Promise<number> => {
  const row = await server.database.kysely
    .selectFrom('jobInput')
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return row.count;
};
const jobCount = async (): Promise<number> => {
  const row = await server.database.kysely
    .selectFrom('job')
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return row.count;
};

it('answers 202 with the job and its address, and keeps the parameters byte for byte', async () => {
  const answer = await server.call(
    'superadmin',
    'POST',
    '/api/v1/jobs',
    '{"kind":"test.echo","params":{"value":1.50}}',
    { 'Content-Type': 'application/json' },
  );
  expect(answer.status).toBe(202);
  expect(answer.headers.get('location')).toBe(`/api/v1/jobs/${answer.body.id}`);
  expect(z.strictObject(jobDoc.shape).parse(answer.body)).toMatchObject({
    kind: 'test.echo',
    state: 'queued',
    run: 1,
    group: 'unprocessed',
  });
  const row = await server.database.kysely
    .selectFrom('job')
    .select('params')
    .where('id', '=', answer.body.id)
    .executeTakeFirstOrThrow();
  expect(row.params).toBe('{"value":1.50}');
});

it.each([
  ['no kind', {}, 'kind'],
  ['an unknown member', { kind: 'test.echo', params: {}, colour: 1 }, 'colour'],
  ['wrong parameters', { kind: 'test.work', params: { ms: 'long' } }, 'params.ms'],
  ['rows for a kind without', { kind: 'test.echo', params: {}, rows: [{}] }, 'rows'],
  ['a priority out of range', { kind: 'test.echo', params: {}, priority: 101 }, 'priority'],
])('names the field of %s and makes nothing', async (_name, body, path) => {
  const before = await jobCount();
  const answer = await start(body);
  expect(answer.status).toBe(422);
  expect(answer.body.fields.map((field: { path: string }) => field.path)).toContain(path);
  expect(await jobCount()).toBe(before);
});

it('takes a CSV upload with BOM, quotes and newlines', async () => {
  const answer = await server.call(
    'superadmin',
    'POST',
    '/api/v1/jobs',
    form({ kind: 'test.effects', params: {} }, '\uFEFFa,b\n1,"two\nlines"\n"3, ""x""",4\n'),
  );
  expect(answer.status).toBe(202);
  expect(answer.body.progress.total).toBe(2);
});

it('takes the part `job` with a type of its own, as curl sends it', async () => {
  const data = new FormData();
  data.append('job', new Blob(['{"kind":"test.effects","params":{}}'], { type: 'application/json' }), 'job.json');
  data.append('rows', new Blob(['a\n1\n'], { type: 'text/csv' }), 'rows.csv');
  expect((await server.call('superadmin', 'POST', '/api/v1/jobs', data)).status).toBe(202);
});

describe('a refused upload says where, and leaves nothing', () => {
  it.each([
    ['a short line', 'a,b\n1,2\n3\n', { line: 3 }],
    ['a duplicate header', 'a,a\n1,2\n', { line: 1 }],
  ])('%s', async (_name, rows, where) => {
    const before = await inputRows();
    const answer = await server.call(
      'superadmin',
      'POST',
      '/api/v1/jobs',
      form({ kind: 'test.effects', params: {} }, rows),
    );
    expect([answer.status, answer.body.code]).toEqual([422, 'bad_upload']);
    expect(answer.body.faults[0]).toMatchObject(where);
    expect(await inputRows()).toBe(before);
  });

  it('a wrong encoding', async () => {
    const data = new FormData();
    data.append('job', JSON.stringify({ kind: 'test.effects', params: {} }));
    data.append('rows', new Blob([Buffer.from('a,b\nM\xfcller,2\n', 'latin1')], { type: 'text/csv' }), 'rows');
    const answer = await server.call('superadmin', 'POST', '/api/v1/jobs', data);
    expect([answer.status, answer.body.code]).toEqual([422, 'bad_upload']);
    expect(answer.body.faults[0].message).toContain('UTF-8');
  });

  it('no rows, no part, JSON posing as multipart', async () => {
    expect(
      (await server.call('superadmin', 'POST', '/api/v1/jobs', form({ kind: 'test.effects', params: {} }, 'a,b\n')))
        .body.code,
    ).toBe('no_rows');
    const alone = new FormData();
    alone.append('job', JSON.stringify({ kind: 'test.effects', params: {} }));
    expect((await server.call('superadmin', 'POST', '/api/v1/jobs', alone)).body.code).toBe('no_rows');
    const posing = await server.call('superadmin', 'POST', '/api/v1/jobs', '{"kind":"test.effects"}', {
      'Content-Type': 'multipart/form-data; boundary=x',
    });
    expect(posing.status).toBe(400);
    const without = await server.call('superadmin', 'POST', '/api/v1/jobs', 'x', {
      'Content-Type': 'multipart/form-data',
    });
    expect(without.status).toBe(400);
    expect(
      (await server.call('superadmin', 'POST', '/api/v1/jobs', 'x', { 'Content-Type': 'text/plain' })).status,
    ).toBe(415);
  });

  it('one that breaks off', async () => {
    const before = await inputRows();
    const body = new ReadableStream({
      pull(controller) {
        if (sent === 0)
          controller.enqueue(
            Buffer.from(
              `--x\r\nContent-Disposition: form-data; name="job"\r\n\r\n{"kind":"test.effects","params":{}}\r\n--x\r\nContent-Disposition: form-data; name="rows"; filename="r"\r\nContent-Type: text/csv\r\n\r\na,b\n`,
            ),
          );
        else if (sent < 40) controller.enqueue(Buffer.from('1,2\n'.repeat(1000)));
        else controller.error(new Error('the client goes away'));
        sent += 1;
      },
    });
    let sent = 0;
    const call = fetch(`${server.url}/api/v1/jobs`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${server.callers.superadmin.token}`,
        'Content-Type': 'multipart/form-data; boundary=x',
      },
      body,
      duplex: 'half',
    } as RequestInit);
    await expect(call).rejects.toThrow();
    const uploads = () => server.database.kysely.selectFrom('upload').select('jobId').execute();
    const deadline = Date.now() + 10_000;
    while ((await uploads()).length > 0 && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await uploads()).toEqual([]);
    expect(await inputRows()).toBe(before);
  });
});

describe('an Idempotency-Key', () => {
  it('gives the same job again for the same content, and 409 for other content', async () => {
    const key = { 'Idempotency-Key': 'one' };
    const first = await start({ kind: 'test.echo', params: { value: 1 } }, key);
    const again = await start({ params: { value: 1 }, kind: 'test.echo' }, key);
    expect([again.status, again.body.id, again.headers.get('idempotency-replayed')]).toEqual([
      202,
      first.body.id,
      'true',
    ]);
    const other = await start({ kind: 'test.echo', params: { value: 2 } }, key);
    expect([other.status, other.body.code]).toEqual([409, 'idempotency_mismatch']);
  });

  it('compares the rows of an upload, and leaves nothing of a replay', async () => {
    const key = { 'Idempotency-Key': 'rows' };
    const first = await server.call(
      'superadmin',
      'POST',
      '/api/v1/jobs',
      form({ kind: 'test.effects', params: {} }, 'a\n1\n'),
      key,
    );
    const staged = await inputRows();
    const again = await server.call(
      'superadmin',
      'POST',
      '/api/v1/jobs',
      form({ kind: 'test.effects', params: {} }, 'a\n1\n'),
      key,
    );
    expect(again.body.id).toBe(first.body.id);
    const other = await server.call(
      'superadmin',
      'POST',
      '/api/v1/jobs',
      form({ kind: 'test.effects', params: {} }, 'a\n2\n'),
      key,
    );
    expect(other.status).toBe(409);
    expect(await inputRows()).toBe(staged);
  });

  it('is not used by a refused request', async () => {
    const key = { 'Idempotency-Key': 'refused' };
    expect((await start({ kind: 'test.work', params: {} }, key)).status).toBe(422);
    expect((await start({ kind: 'test.work', params: { ms: 1 } }, key)).status).toBe(202);
  });
});

it('pages by keyset through more jobs than a page, each once, and refuses what it does not know', async () => {
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const at: string = `/api/v1/jobs?limit=3${cursor ? `&cursor=${cursor}` : ''}`;
    const { body } = await server.call('superadmin', 'GET', at);
    seen.push(...body.items.map((job: { id: string }) => job.id));
    cursor = body.nextCursor;
  } while (cursor);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.length).toBe(await jobCount());
  expect((await server.call('superadmin', 'GET', '/api/v1/jobs?limit=101')).status).toBe(422);
  expect((await server.call('superadmin', 'GET', '/api/v1/jobs?colour=red')).status).toBe(422);
  expect((await server.call('superadmin', 'GET', '/api/v1/jobs?cursor=rubbish')).status).toBe(422);
  expect((await server.call('superadmin', 'GET', '/api/v1/jobs?since=yesterday')).status).toBe(422);
});

it('cancels, refuses what the state forbids, and deletes only what has ended', async () => {
  const { body: job } = await start({ kind: 'test.work', params: { ms: 1 } });
  expect((await server.call('superadmin', 'DELETE', `/api/v1/jobs/${job.id}`)).body.code).toBe('job_not_final');
  const canceled = await server.call('superadmin', 'POST', `/api/v1/jobs/${job.id}/cancel`, { reason: 'not needed' });
  expect(canceled.body).toMatchObject({ state: 'canceled', cancelReason: 'not needed', group: 'processed' });
  expect((await server.call('superadmin', 'POST', `/api/v1/jobs/${job.id}/cancel`, {})).status).toBe(200);
  const paused = await server.call('superadmin', 'POST', `/api/v1/jobs/${job.id}/pause`, {});
  expect([paused.status, paused.body.code, paused.body.allowedActions]).toEqual([
    409,
    'job_state_forbids',
    ['requeue', 'delete'],
  ]);
  expect((await server.call('superadmin', 'DELETE', `/api/v1/jobs/${job.id}`)).status).toBe(204);
  expect((await server.call('superadmin', 'GET', `/api/v1/jobs/${job.id}`)).status).toBe(404);
});

it('exports the filtered list with formulas neutralised', async () => {
  await start({ kind: 'test.echo', params: { value: 1 }, title: '=1+1' });
  const { text, headers } = await server.call('superadmin', 'GET', '/api/v1/export/jobs.csv?q=1%2B1');
  expect(headers.get('content-type')).toContain('text/csv');
  expect(text).toContain("'=1+1");
  expect(text.split('\n')[0]).toContain('id,kind,title,state');
});
