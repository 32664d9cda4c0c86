// Bad inputs against every route of the contract: refused in words, never a fault of ours, nothing stored.
import { z, type ZodType } from 'zod';
import { fullPath } from '../../src/api/router';
import { allRoutes } from '../../src/api/routes/allRoutes';
import { newId } from '../../src/lib/ids';
import { buildJob } from '../support/factories';
import { startTestServer, type TestServer } from '../support/webServer';

let server: TestServer;
let jobId: string;
beforeAll(async () => {
  server = await startTestServer();
  const owner = { ...server.callers.superadmin, name: 'The owner' };
  jobId = (await buildJob(server.database.kysely, { state: 'failed', owner, rows: 10 })).id;
}, 60_000);
afterAll(() => server.stop());

type Endpoint = (typeof allRoutes)[number]['endpoint'];
const addressOf = (endpoint: Endpoint): string =>
  fullPath({ endpoint }).replace(/:(\w+)/g, (_all, name: string) =>
    name === 'jobId'
      ? jobId
      : /^(userId|tokenId|agentId|filterId)$/.test(name)
        ? newId()
        : name === 'key'
          ? 'nothing'
          : '1',
  );
const named = allRoutes
  .filter(({ endpoint }) => endpoint.path !== '/stream')
  .map(({ endpoint }) => [`${endpoint.method.toUpperCase()} ${fullPath({ endpoint })}`, endpoint] as const);
const namesOf = (schema: ZodType): string[] =>
  Object.keys((z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })['properties'] as object) ?? {});
const cursorOf = (values: unknown): string => Buffer.from(JSON.stringify(values)).toString('base64url');

describe('cursors that no list gave out', () => {
  const lists = named.filter(([, endpoint]) => endpoint.method === 'get' && namesOf(endpoint.query).includes('cursor'));
  const uuid = newId();
  const crafted = [
    ...[
      [],
      ['X!'],
      ['x', 'y'],
      [1, 'y'],
      [1e20],
      [-1.5],
      [null],
      [{}],
      [uuid, uuid, uuid],
      ['2020-01-01T00:00:00Z', 'x'],
    ],
    ...['x', 1, null, { a: 1 }],
  ].map(cursorOf);
  it('has lists to try', () => expect(lists.length).toBeGreaterThan(10));
  it.each(lists)('%s', async (_name, endpoint) => {
    const root = `${addressOf(endpoint)}?cursor=`;
    for (const cursor of [...crafted, 'rubbish', '%00', 'a'.repeat(501)]) {
      const answer = await server.call('superadmin', 'GET', root + cursor);
      // 404: what the list belongs to is not there.
      expect([404, 422]).toContain(answer.status);
    }
    // Of the right shape, but further than any column reaches.
    for (const values of [[9e15], [9e15, uuid], [2_147_483_648], [uuid], ['zzz']]) {
      expect((await server.call('superadmin', 'GET', root + cursorOf(values))).status).toBeLessThan(500);
    }
  });
});

describe('text that cannot be kept', () => {
  const values = ['"a\\u0000b"', '"a\\ud800b"', '["\\u0000"]', '{"a":"\\u0000"}', '{"\\u0000":1}'];
  const cases = named.flatMap(([name, endpoint]) => {
    const { body } = endpoint;
    const members = body === null ? [] : namesOf(body);
    return members.map((member) => [`${name} in ${member}`, endpoint, member] as const);
  });
  it('has members to try', () => expect(cases.length).toBeGreaterThan(50));
  it.each(cases)('%s', async (_name, endpoint, member) => {
    for (const value of values) {
      const answer = await server.call(
        'superadmin',
        endpoint.method.toUpperCase(),
        addressOf(endpoint),
        `{"${member}":${value}}`,
        { 'Content-Type': 'application/json', 'If-Match': '"1"', 'Sec-Fetch-Site': 'same-origin' },
      );
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    }
  });

  const queries = named.flatMap(([name, endpoint]) =>
    endpoint.method === 'get'
      ? namesOf(endpoint.query).map((member) => [`${name} in ?${member}`, endpoint, member] as const)
      : [],
  );
  it.each(queries)('%s', async (_name, endpoint, member) => {
    for (const value of ['a%00b', '%00', '%ED%A0%80', '-%00', "'%3B--", '%25', '%5C', '9'.repeat(30)]) {
      const answer = await server.call('superadmin', 'GET', `${addressOf(endpoint)}?${member}=${value}`);
      expect(answer.status).toBeLessThan(500);
      if (value === 'a%00b') expect(answer.status).toBeGreaterThanOrEqual(400);
    }
  });
});

describe('JSON that breaks those who walk it', () => {
  const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  const json = { 'Content-Type': 'application/json' };
  it('is refused from the 33rd level on', async () => {
    // The body and its parameters are two levels.
    const start = (levels: number): string => `{"kind":"test.echo","params":{"value":${deep(levels)}}}`;
    expect((await server.call('superadmin', 'POST', '/api/v1/jobs', start(30), json)).status).toBe(202);
    expect((await server.call('superadmin', 'POST', '/api/v1/jobs', start(31), json)).status).toBe(400);
  });
  it.each([
    ['/api/v1/jobs', (value: string) => `{"kind":"test.echo","params":{"value":${value}}}`],
    ['/api/v1/jobs', (value: string) => `{"kind":"test.effects","params":{},"rows":[{"a":${value}}]}`],
    [
      '/api/v1/operations',
      (value: string) => `{"key":"deep","title":"x","endpoint":"http://127.0.0.1:1/","paramsSchema":{"a":${value}}}`,
    ],
    ['/api/v1/tokens', (value: string) => `{"name":${value}}`],
  ])('is refused by %s a hundred thousand levels deep', async (at, bodyOf) => {
    for (const headers of [json, { ...json, 'Idempotency-Key': 'deep' }]) {
      const answer = await server.call('superadmin', 'POST', at, bodyOf(deep(100_000)), headers);
      expect([answer.status, answer.body.code]).toEqual([400, 'bad_request']);
    }
  });
  it('does not count brackets in strings', async () => {
    const body = JSON.stringify({ kind: 'test.echo', params: { value: '[{"\\'.repeat(100) } });
    expect((await server.call('superadmin', 'POST', '/api/v1/jobs', body, json)).status).toBe(202);
  });
  it('changes no prototype', async () => {
    const body =
      '{"kind":"test.echo","params":{"value":1},"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
    const answer = await server.call('superadmin', 'POST', '/api/v1/jobs', body, json);
    expect(answer.status).toBe(422);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

it('stores nothing beyond what a field is for', async () => {
  const { body: me } = await server.call('user', 'GET', '/api/v1/me');
  for (const field of ['role', 'id', 'email', 'disabled', 'version', 'passwordHash', 'createdAt']) {
    const answer = await server.call('user', 'PATCH', '/api/v1/me', { [field]: 'superadmin' }, { 'If-Match': '"1"' });
    expect([answer.status, answer.body.fields[0].path]).toEqual([422, field]);
  }
  for (const field of ['id', 'owner', 'ownerId', 'state', 'epoch', 'run', 'version', 'derivedFrom', 'createdAt']) {
    const answer = await server.call('user', 'POST', '/api/v1/jobs', {
      kind: 'test.echo',
      params: { value: 1 },
      [field]: 1,
    });
    expect([answer.status, answer.body.fields[0].path]).toEqual([422, field]);
  }
  expect((await server.call('user', 'GET', '/api/v1/me')).body).toEqual(me);
});

it('says what a run number may be, and reads no body that calls itself something else', async () => {
  for (const rest of ['errors', 'errors/groups', 'errors.csv', 'errors.ndjson', 'log', 'report']) {
    const answer = await server.call('superadmin', 'GET', `/api/v1/jobs/${jobId}/${rest}?run=99999999999`);
    expect([answer.status, answer.body.fields[0].path]).toEqual([422, 'run']);
  }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const answer = await server.call('superadmin', 'POST', '/api/v1/tokens', '{"name":"x"}', { 'Content-Type': type });
    expect([answer.status, answer.body.code]).toEqual([415, 'wrong_type']);
  }
});
