// The call of an endpoint against a real HTTP server: what it sends, and what each answer means.
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OperationCall } from '../../../src/jobs/define';
import { createCallOperation, type CallOperation } from '../../../src/jobs/massActions/callOperation';
import { pause } from '../../../src/lib/abort';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;
let answer: Answer;
let server: Server;
let base: string;
let call: CallOperation;
let requests = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests += 1;
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => answer(request, response, Buffer.concat(parts).toString('utf8')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  call = createCallOperation({ allowHosts: ['127.0.0.0/8'] });
});
afterAll(async () => {
  await call.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const never = new AbortController().signal;
const wanted = (more: Partial<OperationCall> = {}): OperationCall => ({
  endpoint: `${base}/rows?x=1`,
  body: '{"rows":["ä"]}',
  idempotencyKey: 'job:1:0',
  jobId: 'job',
  secret: 'a secret',
  timeoutMs: 5000,
  ...more,
});
const replies =
  (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body);

it('posts the body as it is, signed, with its key and a trace', async () => {
  let seen: { request: IncomingMessage; body: string } | null = null;
  answer = (request, response, body) => {
    seen = { request, body };
    response.end('{"results":[{"rowIndex":0,"success":true}]}');
  };
  const result = await call(wanted(), never);
  expect(result).toEqual({ type: 'results', results: [{ rowIndex: 0, success: true }] });
  const { request, body } = seen as unknown as { request: IncomingMessage; body: string };
  expect(request).toMatchObject({ method: 'POST', url: '/rows?x=1' });
  expect(body).toBe('{"rows":["ä"]}');
  const { headers } = request;
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'idempotency-key': 'job:1:0',
    'x-gantry-job': 'job',
  });
  expect(headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
  const timestamp = String(headers['x-gantry-timestamp']);
  expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(30);
  const expected = createHmac('sha256', 'a secret').update(`${timestamp}.${body}`).digest('hex');
  expect(headers['x-gantry-signature']).toBe(`v1=${expected}`);
});

it('sends no signature without a secret', async () => {
  let signature: unknown = 'not called';
  answer = (request, response) => {
    signature = request.headers['x-gantry-signature'];
    response.end('{"results":[]}');
  };
  await call(wanted({ secret: null }), never);
  expect(signature).toBeUndefined();
});

it('leaves out results that are none, so that their rows fail for want of one', async () => {
  const results = [
    { rowIndex: 0, success: true, skipped: true, code: 'c', message: 'm', more: 1 },
    { rowIndex: '1', success: true },
    { rowIndex: 2, success: 'yes' },
    { rowIndex: 3.5, success: true },
    null,
    'x',
    { rowIndex: 4, success: false, code: 7, message: null },
  ];
  answer = replies(200, JSON.stringify({ results }));
  expect(await call(wanted(), never)).toEqual({
    type: 'results',
    results: [
      { rowIndex: 0, success: true, skipped: true, code: 'c', message: 'm' },
      { rowIndex: 4, success: false },
    ],
  });
});

it.each(['', 'no JSON', '[]', '{"results":{}}', 'null'])('refuses a 200 that says %j', async (body) => {
  answer = replies(200, body);
  expect(await call(wanted(), never)).toMatchObject({ type: 'refused', code: 'bad_answer' });
});

it('refuses an answer without end', async () => {
  answer = (_request, response) => {
    response.on('error', () => undefined);
    const more = (): void => {
      if (!response.destroyed) response.write('x'.repeat(1_000_000), more);
    };
    more();
  };
  expect(await call(wanted(), never)).toMatchObject({ type: 'refused', code: 'bad_answer' });
});

it.each<[number, Record<string, string>, number | null]>([
  [429, { 'retry-after': '7' }, 7000],
  [503, { 'retry-after': '0' }, 0],
  [503, { 'retry-after': '99999999' }, 86_400_000],
  [503, { 'retry-after': 'soon' }, null],
  [503, { 'retry-after': '-5' }, null],
  [429, {}, null],
  [500, { 'retry-after': '7' }, null],
  [502, {}, null],
])('wants another try after %i with %j', async (status, headers, afterMs) => {
  answer = replies(status, 'busy', headers);
  expect(await call(wanted(), never)).toMatchObject({
    type: 'retry',
    afterMs,
    message: expect.stringContaining(String(status)),
  });
});

it('reads a Retry-After that is a date', async () => {
  answer = replies(503, '', { 'retry-after': new Date(Date.now() + 60_000).toUTCString() });
  const result = await call(wanted(), never);
  expect(result).toMatchObject({ type: 'retry' });
  const { afterMs } = result as { afterMs: number };
  expect(afterMs).toBeGreaterThan(50_000);
  expect(afterMs).toBeLessThan(61_000);
});

it.each<[number, string, string]>([
  [400, '{"detail":"no such airport","title":"Bad"}', 'no such airport'],
  [422, '{"message":"wrong"}', 'wrong'],
  [403, '{"error":{"message":"not yours"}}', 'not yours'],
  [409, 'plain words', 'plain words'],
  [404, '', 'The endpoint answered 404.'],
  [408, '{}', 'The endpoint answered 408.'],
])('gives the message of a %i', async (status, body, message) => {
  answer = replies(status, body);
  expect(await call(wanted(), never)).toEqual({ type: 'refused', code: 'endpoint_refused', message });
});

it.each([301, 302, 307, 308])('does not follow a %i', async (status) => {
  const before = requests;
  answer = replies(status, '', { location: `${base}/elsewhere` });
  expect(await call(wanted(), never)).toMatchObject({ type: 'refused', code: 'endpoint_refused' });
  expect(requests).toBe(before + 1);
});

it('wants another try when the endpoint is silent, slow in its answer, or not there', async () => {
  answer = () => undefined;
  const silent = await call(wanted({ timeoutMs: 100 }), never);
  expect(silent).toEqual({ type: 'retry', afterMs: null, message: 'The endpoint did not answer within 100 ms.' });
  answer = (_request, response) => void response.write('{"results"');
  expect(await call(wanted({ timeoutMs: 100 }), never)).toMatchObject({ type: 'retry' });
  answer = (request) => void request.socket.destroy();
  expect(await call(wanted(), never)).toMatchObject({
    type: 'retry',
    message: expect.stringContaining('could not be reached'),
  });
  expect(await call(wanted({ endpoint: 'http://127.0.0.1:1/' }), never)).toMatchObject({ type: 'retry' });
  expect(await call(wanted({ endpoint: 'http://gantry.invalid/' }), never)).toMatchObject({ type: 'retry' });
});

it('throws when the work itself has to stop', async () => {
  answer = () => undefined;
  const stop = new AbortController();
  const calling = call(wanted(), stop.signal);
  void pause(50).then(() => stop.abort(new Error('canceled')));
  await expect(calling).rejects.toThrow('canceled');
});
