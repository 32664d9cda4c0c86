// The event stream: what changed arrives, in order, for whom it concerns; a client that was away gets what it missed.
import type { UserRole } from '../../src/db/generated/database';
import { startTestServer, type TestServer } from '../support/webServer';
import { until } from '../support/until';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ worker: true });
}, 60_000);
afterAll(() => server.stop());

interface Stream {
  events: { event: string; id: string; data: { id?: string; state?: string; version?: number } }[];
  cursor(): string;
  ended: Promise<void>;
  close(): void;
}

async function open(as: UserRole, headers: Record<string, string> = {}): Promise<Stream> {
  const end = new AbortController();
  const response = await fetch(`${server.url}/api/v1/stream`, {
    headers: { ...headers, Authorization: headers['Authorization'] ?? `Bearer ${server.callers[as].token}` },
    signal: end.signal,
  });
  const stream: Stream = { events: [], cursor: () => last, ended: Promise.resolve(), close: () => end.abort() };
  let last = '';
  const read = async (): Promise<void> => {
    let text = '';
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(bytes).toString('utf8');
      for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
        const fields = Object.fromEntries(
          text
            .slice(0, at)
            .split('\n')
            .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
        );
        text = text.slice(at + 2);
        if (fields['id']) last = fields['id'];
        if (fields['event'])
          stream.events.push({ event: fields['event'], id: last, data: JSON.parse(fields['data'] ?? '{}') });
      }
    }
  };
  stream.ended = read().catch(() => undefined);
  await until(() => last !== '', 'the stream to tell its cursor');
  return stream;
}

const runJob = async (as: UserRole): Promise<string> => {
  const { body } = await server.call(as, 'POST', '/api/v1/jobs', { kind: 'test.echo', params: { value: 1 } });
  await until(
    async () => (await server.call(as, 'GET', `/api/v1/jobs/${body.id}`)).body.state === 'succeeded',
    'the job to succeed',
  );
  return body.id;
};
const endOf = (stream: Stream, id: string) =>
  stream.events.find((each) => each.event === 'job' && each.data.id === id && each.data.state === 'succeeded');

it('tells the owner and superadmins of a job, and nobody else', async () => {
  const streams = { user: await open('user'), other: await open('power_user'), superadmin: await open('superadmin') };
  const id = await runJob('user');
  await until(() => Boolean(endOf(streams.user, id) && endOf(streams.superadmin, id)), 'both to hear of the end');
  expect(streams.user.events.some((each) => each.event === 'notification' && each.data.id === id)).toBe(true);
  expect(JSON.stringify(streams.other.events)).not.toContain(id);
  const versions = streams.user.events
    .filter((each) => each.event === 'job' && each.data.id === id)
    .map((each) => each.data.version ?? 0);
  expect(versions).toEqual([...versions].sort((a, b) => a - b));
  Object.values(streams).forEach((stream) => stream.close());
});

it('gives a client that comes back what it missed', async () => {
  const before = await open('user');
  const cursor = before.cursor();
  before.close();
  const id = await runJob('user');
  const after = await open('user', { 'Last-Event-ID': cursor });
  await until(() => Boolean(endOf(after, id)), 'the missed end');
  after.close();
});

it.each(['rubbish', 'f999999999'])('answers the unknown cursor %s with a reset', async (cursor) => {
  const stream = await open('user', { 'Last-Event-ID': cursor });
  await until(() => stream.events[0]?.event === 'reset', 'the reset');
  stream.close();
});

it('ends when the token is deleted', async () => {
  const made = await server.call('user', 'POST', '/api/v1/tokens', { name: 'short-lived' });
  const stream = await open('user', { Authorization: `Bearer ${made.body.token}` });
  await server.call('user', 'DELETE', `/api/v1/tokens/${made.body.id}`);
  let isOver = false;
  void stream.ended.then(() => (isOver = true));
  await until(() => isOver, 'the stream to end', 6000);
});

it('ends when the role changes', async () => {
  const { id } = server.callers.power_user;
  const stream = await open('power_user');
  const { body } = await server.call('superadmin', 'GET', `/api/v1/users/${id}`);
  await server.call('superadmin', 'PATCH', `/api/v1/users/${id}`, { role: 'user' }, { 'If-Match': `${body.version}` });
  await stream.ended;
  expect(stream.events).toEqual([]);
}, 6000);

it('is cut at once when the service stops', async () => {
  const short = await startTestServer();
  const response = await fetch(`${short.url}/api/v1/stream`, {
    headers: { Authorization: `Bearer ${short.callers.user.token}` },
  });
  const text = response.text();
  const start = performance.now();
  await short.stop();
  // Waiting for it would take the three seconds that other answers are given.
  expect(performance.now() - start).toBeLessThan(2500);
  expect(await text).toContain('id: f');
}, 30_000);

it('tells a token of jobs nothing of deployments, and is closed to tokens without jobs:read', async () => {
  const bearer = async (scopes: string[]): Promise<Record<string, string>> => {
    const made = await server.call('superadmin', 'POST', '/api/v1/tokens', { name: 'scoped', scopes });
    return { Authorization: `Bearer ${made.body.token}` };
  };
  const both = await open('superadmin', await bearer(['jobs:read', 'deployments:read']));
  const jobs = await open('superadmin', await bearer(['jobs:read']));
  const change = { topic: 'deployment', subjectId: '4711', ownerId: server.callers.superadmin.id };
  await server.database.kysely.insertInto('change').values(change).execute();
  const id = await runJob('superadmin');
  await until(() => endOf(both, id) !== undefined && endOf(jobs, id) !== undefined, 'both to hear of the job');
  const heard = (stream: Stream): boolean => stream.events.some((each) => each.event === 'deployment');
  expect([heard(both), heard(jobs)]).toEqual([true, false]);
  both.close();
  jobs.close();
  const { status } = await fetch(`${server.url}/api/v1/stream`, { headers: await bearer(['deployments:read']) });
  expect(status).toBe(403);
});
