// Sends requests made from openapi.json to a real server and judges every answer: no fault of ours, and as the contract says.
// Called by test/hostile/fuzz.test.ts (short) and test/faults/fuzz.fault.ts (long).
import fc from 'fast-check';
import { Pool } from 'undici';
import { createToken } from '../../src/api/auth/accounts';
import type { UserRole } from '../../src/db/generated/database';
import { SYSTEM_ACTOR } from '../../src/jobs/actor';
import { createApprovalLinks } from '../../src/lib/approvalLink';
import { newId } from '../../src/lib/ids';
import { expectContract } from './expectContract';
import { buildJob, buildOperation, buildUser } from './factories';
import { OPERATIONS, requestTo, Verbatim, written, type FuzzRequest, type Operation, type Piece } from './fuzzRequests';
import { KnownId } from './fuzzValues';
import type { Answer, TestServer } from './webServer';

export interface Fuzzer {
  /** @throws what was sent and answered, made as short as it can be while it is still wrong. */
  run(operation: Operation, options: { seed: number; runs: number }): Promise<void>;
  /** Answers so far, by status. */
  answers: Map<number, number>;
  /** Works as ever: a caller of each role signs in anew and does something sane. */
  expectSane(): Promise<void>;
  stop(): Promise<void>;
}

const ROLES = ['superadmin', 'user'] as const;
const KNOWN_OF_A_NAME = 8;
/** Anonymous calls are limited by address; these come from many. */
const ADDRESSES = 200;

export async function startFuzzer(server: TestServer): Promise<Fuzzer> {
  const known = await knownThings(server);
  const answers = new Map<number, number>();
  const tokens = { superadmin: '', user: '' };
  for (const role of ROLES) tokens[role] = await newToken(server, role);
  const ways = Array.from(
    { length: ADDRESSES },
    (_, at) => new Pool(server.url, { connections: 1, localAddress: `127.0.2.${at + 1}` }),
  );
  let sent = 0;
  // What would end a process outside Jest.
  const faults: unknown[] = [];
  const onFault = (fault: unknown): void => void faults.push(fault);
  process.on('unhandledRejection', onFault);

  const send = async (request: FuzzRequest): Promise<Answer> => {
    const way = ways[(sent += 1) % ways.length] as Pool;
    const { path, headers, body } = asSent(request, known);
    const response = await way.request({
      method: request.method as 'POST',
      path,
      headers: {
        'sec-fetch-site': 'same-origin',
        ...(request.as ? { authorization: `Bearer ${tokens[request.as]}` } : {}),
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      },
      body,
    });
    const text = await response.body.text();
    const given = new Headers();
    for (const [name, value] of Object.entries(response.headers)) given.set(name, String(value));
    const isJson = /[/+]json/.test(given.get('content-type') ?? '');
    return { status: response.statusCode, headers: given, text, body: isJson && text ? JSON.parse(text) : null };
  };

  const judge = async (operation: Operation, request: FuzzRequest): Promise<void> => {
    const answer = await send(request);
    answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
    const { path } = asSent(request, known);
    try {
      // The endpoint of an operation may be away; that is told, and no fault of ours.
      const isAway = operation.path === '/api/v1/jobs/preview' && answer.body?.code === 'unavailable';
      if (!isAway) expect(answer.status).toBeLessThan(500);
      // A browser that follows the link of a mail gets refusals as pages.
      const isPage = operation.path.includes('/link/') && answer.headers.get('content-type')?.includes('text/html');
      if (!isPage) expectContract(request.method, path, answer);
      expect(faults).toEqual([]);
    } catch (error) {
      const what = JSON.stringify(asSent(request, known));
      throw new Error(`${request.method} ${what}\nanswered ${answer.status} ${answer.text.slice(0, 500)}`, {
        cause: error,
      });
    }
    learn(operation, answer, known);
    // It may have ended its own session, or the user it is.
    if (request.as && answer.status === 401 && !('Authorization' in request.headers)) {
      tokens[request.as] = await newToken(server, request.as);
    }
  };

  return {
    answers,
    run: async (operation, { seed, runs }) => {
      if (operation.method !== 'GET' && /\{(jobId|token)\}/.test(operation.path)) await freshJobs(server, known);
      await fc.assert(
        fc.asyncProperty(requestTo(operation), (request) => judge(operation, request)),
        { seed: seed + OPERATIONS.indexOf(operation), numRuns: runs },
      );
      // A call may have taken the caller's role.
      for (const role of ROLES) {
        const me = await send({
          as: role,
          method: 'GET',
          path: [{ raw: 'api' }, { raw: 'v1' }, { raw: 'me' }],
          query: [],
          headers: {},
          body: null,
        });
        if (me.body?.role !== role) tokens[role] = await newToken(server, role);
      }
    },
    expectSane: async () => {
      for (const role of ROLES) {
        tokens[role] = await newToken(server, role);
        const content = { kind: 'test.echo', params: { value: role } };
        const jobs = { method: 'POST', path: [{ raw: 'api' }, { raw: 'v1' }, { raw: 'jobs' }], query: [], headers: {} };
        const made = await send({ ...jobs, as: role, body: { type: 'application/json', content } });
        expect(made.status).toBe(202);
        const path = [...jobs.path, made.body.id as string];
        const read = await send({ as: role, method: 'GET', path, query: [], headers: {}, body: null });
        expect(read.body).toMatchObject({ id: made.body.id, params: { value: role } });
      }
      expect(faults).toEqual([]);
    },
    stop: async () => {
      process.off('unhandledRejection', onFault);
      await Promise.all(ways.map((way) => way.close()));
    },
  };
}

type Known = Map<string, (string | number)[]>;

/** One of each kind of thing that has an address. */
async function knownThings(server: TestServer): Promise<Known> {
  const { database, callers } = server;
  await buildOperation(database.kysely, { key: 'fuzzed', endpoint: 'http://127.0.0.1:9/', supportsDryRun: true });
  const made = async (path: string, body: unknown): Promise<Record<string, string | number>> => {
    const answer = await server.call('superadmin', 'POST', `/api/v1${path}`, body);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return answer.body as Record<string, string | number>;
  };
  const project = await made('/projects', { name: 'fuzzed' });
  const at = `/projects/${project['id']}`;
  const agent = { id: newId(), name: 'nobody', labels: '{}', publicKey: '' };
  await database.kysely.insertInto('agent').values(agent).execute();
  const stage = await made(`${at}/stages`, { name: 'live', type: 'server', target: { agents: [agent.name] } });
  const config = { strategy: 'normal', deploy: [{ sourcePath: '/', deployPath: 'site' }] };
  const scenario = await made(`${at}/scenarios`, { name: 'publish', stageId: stage['id'], config });
  const file = new FormData();
  file.set('file', new File(['hello'], 'hello.txt'));
  const artifact = await made(`${at}/artifacts`, file);
  const deployment = await made(`${at}/scenarios/${scenario['id']}/deploy`, { artifactId: artifact['id'] });
  const filter = await made('/saved-filters', { name: 'failed ones', filter: { state: 'failed' } });
  const token = await made('/tokens', { name: 'spare' });
  const bulk = await made('/bulk-actions', { action: 'cancel', ids: [deployment['jobId']] });
  const known: Known = new Map();
  const things = {
    key: { id: 'fuzzed' },
    projectId: project,
    stageId: stage,
    scenarioId: scenario,
    artifactId: artifact,
  };
  const others = {
    deploymentId: deployment,
    historyId: deployment,
    filterId: filter,
    tokenId: token,
    bulkId: bulk,
    agentId: agent,
  };
  for (const [name, { id }] of Object.entries({ ...things, ...others, userId: callers.user }))
    known.set(name, [id as string]);
  await freshJobs(server, known);
  return known;
}

/** Jobs in states that allow most; those before them may have been moved on. */
async function freshJobs({ database, callers }: TestServer, known: Known): Promise<void> {
  const db = database.kysely;
  const ids: string[] = [];
  for (const state of ['failed', 'paused', 'awaiting_approval', 'running'] as const) {
    const owner = { ...callers[ids.length % 2 ? 'superadmin' : 'user'], name: 'Fuzz' };
    const { id } = await buildJob(db, { state, owner, rows: 10 });
    await db.insertInto('jobFile').values({ jobId: id, name: 'a.csv', type: 'text/csv', rows: 0 }).execute();
    await db.updateTable('run').set({ report: '{"rows":10}' }).where('jobId', '=', id).execute();
    ids.push(id);
  }
  const { jobId, run, requestHash, expiresAt } = await db
    .selectFrom('approval')
    .selectAll()
    .where('jobId', 'in', ids)
    .executeTakeFirstOrThrow();
  const approverId = callers.superadmin.id;
  const links = createApprovalLinks('ab'.repeat(32));
  known.set('token', [links.tokenFor({ jobId, run, approverId, requestHash: requestHash.toString('hex'), expiresAt })]);
  known.set('jobId', ids);
  known.set('hash', ids);
}

/** The lists and answers of an address give the ids that stand behind it. */
function learn({ path }: Operation, { status, body }: Answer, known: Known): void {
  if (status >= 300 || typeof body !== 'object' || body === null) return;
  const behind = OPERATIONS.find(
    (each) => /^\/\{\w+\}$/.test(each.path.slice(path.length)) && each.path.startsWith(path),
  );
  const name = behind && /\{(\w+)\}$/.exec(behind.path)?.[1];
  if (!name) return;
  const items = (Array.isArray(body.items) ? body.items : [body]) as Record<string, unknown>[];
  const ids = items
    .map((item) => item['key'] ?? item['id'])
    .filter((id) => typeof id === 'string' || typeof id === 'number');
  const [first, ...rest] = new Set([...(known.get(name) ?? []), ...ids]);
  if (first !== undefined) known.set(name, [first, ...rest.slice(1 - KNOWN_OF_A_NAME)]);
}

function asSent(request: FuzzRequest, known: Known) {
  const lookUp = ({ name, which }: KnownId): string | number => {
    const ids = known.get(name) ?? [];
    return ids[which % Math.max(1, ids.length)] ?? newId();
  };
  const encoded = (value: Piece): string =>
    value instanceof KnownId
      ? encodeURIComponent(lookUp(value))
      : typeof value === 'string'
        ? encodeURIComponent(value.toWellFormed())
        : value.raw;
  const query = request.query.map(([name, value]) => `${encodeURIComponent(name)}=${encoded(value)}`).join('&');
  const path = `/${request.path.map(encoded).join('/')}${query ? `?${query}` : ''}`;
  const { body } = request;
  if (!body) return { path, headers: request.headers, body: null };
  const content = written(body.type, withIds(body.content, lookUp));
  return { path, headers: { 'content-type': body.type, ...request.headers }, body: content };
}

function withIds(value: unknown, lookUp: (id: KnownId) => string | number): unknown {
  if (value instanceof KnownId) return lookUp(value);
  if (Array.isArray(value)) return value.map((each) => withIds(each, lookUp));
  if (typeof value !== 'object' || value === null || value instanceof Verbatim) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withIds(each, lookUp)]));
}

async function newToken({ database }: TestServer, role: UserRole): Promise<string> {
  const user = await buildUser(database.kysely, { role });
  return (await createToken(database.kysely, SYSTEM_ACTOR, { userId: user.id, name: 'fuzz', expiresAt: null })).token;
}
