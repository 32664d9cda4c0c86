// The routes of projects, artifacts, deployments and history, as a script uses them; who may do what; what is refused.
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { createHash } from 'node:crypto';
import type { Actor } from '../../src/jobs/actor';
import { openHarness, until, type Harness } from './harness';

let harness: Harness;
let member: Actor;
let stranger: Actor;
beforeAll(async () => {
  harness = await openHarness();
  member = await harness.user('user');
  stranger = await harness.user('power_user');
}, 60_000);
afterAll(() => harness.close());

const call: Harness['call'] = (...given) => harness.call(...given);
const config = { strategy: 'normal', deploy: [{ sourcePath: '/', deployPath: 'site' }] };

/** A form with the part `file`. */
function fileForm(name: string, content: string, part = 'file'): FormData {
  const form = new FormData();
  form.set(part, new File([content], name));
  return form;
}

async function made(path: string, body: unknown): Promise<{ id: number; version: number }> {
  const answer = await call('POST', path, body);
  if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

test('the shortest way, by HTTP alone: from a project to the history', async () => {
  await harness.agent('http-1');
  const project = await made('/api/v1/projects', { name: 'http' });
  const at = `/api/v1/projects/${project.id}`;
  const target = { labels: { zone: 'test' } };
  const stage = await made(`${at}/stages`, { name: 'live', type: 'server', target });
  const scenario = await made(`${at}/scenarios`, { name: 'publish', stageId: stage.id, config });
  const upload = await call('POST', `${at}/artifacts`, fileForm('hello.txt', 'hello'));
  expect(upload.status).toBe(201);
  expect(upload.body).toMatchObject({
    name: 'hello.txt',
    version: 1,
    size: 5,
    format: 'file',
    sha256: createHash('sha256').update('hello').digest('hex'),
  });
  const again = await call('POST', `${at}/artifacts`, fileForm('hello.txt', 'hello 2'));
  expect(again.body.version).toBe(2);

  const started = await call('POST', `${at}/scenarios/${scenario.id}/deploy`, { artifactId: upload.body.id });
  expect(started).toMatchObject({ status: 202, body: { id: expect.any(Number), status: 'waiting' } });
  const { id, jobId } = started.body;
  const ended = await until('it ends', async () => {
    const { body } = await call('GET', `/api/v1/deployments/${id}`);
    return body.endedAt ? body : null;
  });
  expect(ended).toMatchObject({ jobId, status: 'success', state: 'deployed', targets: { total: 1, failed: 0 } });

  const targets = await call('GET', `/api/v1/deployments/${id}/targets`);
  expect(targets.body.items).toMatchObject([
    {
      agent: { name: 'http-1', connected: true },
      status: 'success',
      steps: [{ step: 'pre' }, { step: 'deploy' }, { step: 'post' }],
    },
  ]);
  expect((await call('GET', `/api/v1/deployments/${id}/steps`)).body.items).toHaveLength(3);
  expect((await call('GET', `/api/v1/deployments/${id}/log`)).body).toContain('==> http-1 deploy success');
  const history = await call(
    'GET',
    `/api/v1/deployment-history?project=http&state=deployed&account=${harness.admin.email}`,
  );
  expect(history.body).toMatchObject({
    items: [
      { id, jobId, account: harness.admin.email, state: 'deployed', entries: { total: 1, byType: { server: 1 } } },
    ],
    nextCursor: null,
  });
  expect((await call('GET', '/api/v1/deployment-history?state=confirming&since=-1d')).body.items).toEqual([]);
  const entries = await call('GET', `/api/v1/deployment-history/${id}/entries`);
  expect(entries.body.items).toMatchObject([
    { objectType: 'server', path: '/live/http-1', operation: 'store', state: 'deployed', message: null },
  ]);
  const seed = await call('GET', `/api/v1/project/${project.id}/history/${id}`);
  expect(seed.body).toMatchObject({ id, status: 'success', type: 'Server', config: { strategy: 'normal' } });
  const listed = await call('GET', `/api/v1/project/${project.id}/history?pageNo=1&pageSize=1`);
  expect(Object.keys(listed.body.items[0]).sort()).toEqual([
    'id',
    'project',
    'scenario',
    'stage',
    'startTime',
    'status',
  ]);
  const canceled = await call('POST', `/api/v1/deployments/${id}/cancel`, {});
  expect(canceled).toMatchObject({ status: 409, body: { code: 'state_forbids' } });
}, 60_000);

test('only members see a project, only those with `deploy` change it, only superadmins found it', async () => {
  const project = await made('/api/v1/projects', { name: 'access' });
  const at = `/api/v1/projects/${project.id}`;
  const stage = await made(`${at}/stages`, { name: 's', type: 'server', target: { agents: ['nobody'] } });
  const body = { name: 'x', stageId: stage.id, config };
  const status = async (actor: Actor, method: string, path: string, sent?: unknown) =>
    (await call(method, path, sent, { as: actor })).status;

  expect(await status(stranger, 'GET', at)).toBe(404);
  expect(await status(stranger, 'POST', `${at}/scenarios`, body)).toBe(404);
  expect(await status(stranger, 'POST', '/api/v1/projects', { name: 'mine' })).toBe(403);
  expect(await status(stranger, 'GET', '/api/v1/agents')).toBe(403);
  expect((await call('GET', '/api/v1/projects', undefined, { as: stranger })).body.items).toEqual([]);

  const set = (permissions: string[]) => call('POST', `${at}/members`, { user: member.email, permissions });
  expect((await set(['view'])).body).toMatchObject({ userId: member.id, permissions: ['view'] });
  expect(await status(member, 'GET', at)).toBe(200);
  expect(await status(member, 'POST', `${at}/scenarios`, body)).toBe(403);
  expect(await status(member, 'POST', `${at}/artifacts`, fileForm('a', 'a'))).toBe(403);
  await set(['deploy']);
  expect(await status(member, 'POST', `${at}/scenarios`, body)).toBe(201);
  expect(await status(member, 'POST', `${at}/artifacts`, fileForm('a', 'a'))).toBe(201);
  expect(await status(member, 'POST', `${at}/stages`, { name: 't', type: 'server', target: {} })).toBe(403);

  await call('DELETE', `${at}/members/${member.id}`);
  expect(await status(member, 'GET', at)).toBe(404);
});

test('a foreign deployment is not there, and only who started it or a superadmin cancels it', async () => {
  await harness.agent('http-2', { away: true });
  const project = await made('/api/v1/projects', { name: 'foreign' });
  const scenarioId = await harness.scenario(project.id, { agents: ['http-2'] });
  const artifactId = await harness.site(project.id, { a: 'a' });
  const at = `/api/v1/projects/${project.id}`;
  await call('POST', `${at}/members`, { user: member.id, permissions: ['view'] });
  const { id } = (await call('POST', `${at}/scenarios/${scenarioId}/deploy`, { artifactId, reason: 'try' })).body;
  for (const path of ['', '/targets', '/steps', '/log']) {
    const answer = await call('GET', `/api/v1/deployments/${id}${path}`, undefined, { as: stranger });
    expect(answer.status).toBe(404);
  }
  expect((await call('POST', `/api/v1/deployments/${id}/cancel`, {}, { as: stranger })).status).toBe(404);
  expect((await call('POST', `/api/v1/deployments/${id}/cancel`, {}, { as: member })).status).toBe(403);
  expect((await call('POST', `${at}/scenarios/${scenarioId}/deploy`, { artifactId }, { as: member })).status).toBe(403);

  expect((await call('DELETE', `${at}/scenarios/${scenarioId}`)).body).toMatchObject({ status: 409, code: 'in_use' });
  expect((await call('DELETE', `${at}/artifacts/${artifactId}`)).body).toMatchObject({ status: 409, code: 'in_use' });
  expect((await call('POST', `/api/v1/deployments/${id}/cancel`, { reason: 'no' })).status).toBe(200);
  await until(
    'it is canceled',
    async () => (await call('GET', `/api/v1/deployments/${id}`)).body.status === 'canceled',
  );
  expect((await call('DELETE', `${at}/scenarios/${scenarioId}`)).status).toBe(204);
  expect((await call('DELETE', `${at}/artifacts/${artifactId}`)).status).toBe(204);
  expect((await call('GET', `/api/v1/deployments/${id}`)).body.status).toBe('canceled');
}, 30_000);

test('wrong content is told by its fields, and nothing is half done', async () => {
  const project = await made('/api/v1/projects', { name: 'wrong' });
  const at = `/api/v1/projects/${project.id}`;
  const stage = await made(`${at}/stages`, { name: 's', type: 'server', target: { agents: ['nobody'] } });
  const faults = async (path: string, body: unknown): Promise<string[]> => {
    const answer = await call('POST', path, body);
    expect(answer.status).toBe(422);
    return answer.body.fields.map((fault: { path: string }) => fault.path);
  };
  const scenario = (given: object) => ({ name: 'x', stageId: stage.id, config: { ...config, ...given } });
  expect(await faults('/api/v1/projects', { name: 'a b' })).toEqual(['name']);
  expect(await faults(`${at}/stages`, { name: 'k', type: 'kubernetes-service', target: {} })).toEqual(['type']);
  expect(await faults(`${at}/stages`, { name: 'k', type: 'server', target: {} })).toEqual(['target']);
  expect(await faults(`${at}/scenarios`, scenario({ strategy: 'blueGreen' }))).toEqual(['config.strategy']);
  expect(await faults(`${at}/scenarios`, scenario({ rollback: true }))).toEqual(['config.rollback']);
  expect(await faults(`${at}/scenarios`, scenario({ pre: [{ args: [' '] }] }))).toEqual(['config.pre.0.args']);
  expect(await faults(`${at}/scenarios`, scenario({ pre: [{ args: ['a'], user: ' ' }] }))).toEqual([
    'config.pre.0.user',
  ]);
  expect(await faults(`${at}/scenarios`, scenario({ deploy: [] }))).toEqual(['config.deploy']);
  const up = [{ sourcePath: '/', deployPath: '../x' }];
  expect(await faults(`${at}/scenarios`, scenario({ deploy: up }))).toEqual(['config.deploy.0.deployPath']);
  expect(await faults(`${at}/scenarios`, scenario({ canary: {} }))).toEqual(['config.canary']);
  expect(await faults(`${at}/artifacts`, fileForm('a', 'a', 'other'))).toEqual(['other']);

  const nul = String.fromCharCode(0);
  expect(await faults(`${at}/scenarios`, scenario({ pre: [{ args: ['echo', nul] }] }))).toEqual([
    'config.pre.0.args.1',
  ]);
  expect(await faults('/api/v1/agents/enrolment-tokens', { name: 'n', labels: { a: nul } })).toEqual(['labels.a']);
  expect(await faults(`${at}/members`, { user: `a${nul}@b`, permissions: [] })).toEqual(['user']);

  const { id } = await made(`${at}/scenarios`, scenario({}));
  const { body: artifact } = await call('POST', `${at}/artifacts`, fileForm('a', 'a'));
  expect(await faults(`${at}/scenarios/${id}/deploy`, { artifactId: 999_999 })).toEqual(['artifactId']);
  const nobody = await call('POST', `${at}/scenarios/${id}/deploy`, { artifactId: artifact.id });
  expect(nobody).toMatchObject({ status: 409, body: { code: 'state_forbids' } });
  expect(nobody.body.detail).toContain('nobody');
  expect((await call('GET', '/api/v1/deployment-history?project=wrong')).body.items).toEqual([]);
  expect(await harness.deps.db.selectFrom('job').select('id').where('title', 'like', '%wrong/%').execute()).toEqual([]);
});

test('a change takes the version that was read, and what is in use stays', async () => {
  const project = await made('/api/v1/projects', { name: 'versions' });
  const at = `/api/v1/projects/${project.id}`;
  const stage = await made(`${at}/stages`, { name: 's', type: 'server', target: { agents: ['a'] } });
  const scenario = await made(`${at}/scenarios`, { name: 'x', stageId: stage.id, config });
  const patch = (version: number) =>
    call(
      'PATCH',
      `${at}/scenarios/${scenario.id}`,
      { description: 'new' },
      { headers: { 'if-match': `"${version}"` } },
    );
  expect(await patch(1)).toMatchObject({ status: 200, body: { description: 'new', version: 2 } });
  expect(await patch(1)).toMatchObject({ status: 412, body: { code: 'version_moved' } });
  expect((await call('PATCH', `${at}/scenarios/${scenario.id}`, { description: 'x' })).status).toBe(422);
  expect((await call('DELETE', `${at}/stages/${stage.id}`)).body.code).toBe('in_use');
  expect((await call('DELETE', at)).body.code).toBe('in_use');
  expect((await call('POST', `${at}/stages`, { name: 's', type: 'server', target: { agents: ['a'] } })).body.code).toBe(
    'already_exists',
  );
  expect((await call('DELETE', `${at}/scenarios/${scenario.id}`)).status).toBe(204);
  expect((await call('DELETE', `${at}/stages/${stage.id}`)).status).toBe(204);
  expect((await call('DELETE', at)).status).toBe(204);
  expect((await call('GET', at)).status).toBe(404);
});

test('an upload that breaks off leaves neither a file nor a row', async () => {
  const project = await made('/api/v1/projects', { name: 'broken' });
  const before = readdirSync(harness.store.folder).length;
  await new Promise<void>((resolve) => {
    const sending = request(`${harness.url}/api/v1/projects/${project.id}/artifacts`, {
      method: 'POST',
      headers: {
        'content-type': 'multipart/form-data; boundary=b',
        authorization: `Bearer ${harness.tokenOf(harness.admin)}`,
      },
    });
    sending.on('error', () => resolve());
    sending.write('--b\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n' + 'x'.repeat(200_000));
    // Once the server has begun to write the file, the sender goes away.
    void until('the upload is on its way', () => readdirSync(harness.store.folder).length > before).then(() =>
      sending.destroy(),
    );
    sending.on('close', () => resolve());
  });
  await until('its file is gone', () => readdirSync(harness.store.folder).length === before);
  expect((await call('GET', `/api/v1/projects/${project.id}/artifacts`)).body.items).toEqual([]);
});
