// Traces from a request to the call for its rows, as a real OTLP collector receives them from the real exporter.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { currentTraceparent, inSpan, startTracing, traceparentOfCall } from '../../src/lib/tracing';
import { startTestServer } from '../support/webServer';
import { until } from '../support/until';

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
}

const servers: Server[] = [];
afterAll(() => servers.forEach((server) => server.close().closeAllConnections()));

async function listen(handle: (request: IncomingMessage, body: string) => object): Promise<string> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(handle(request, Buffer.concat(parts).toString('utf8'))));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('joins request, chunk and call of an operation in one trace, and hands it on', async () => {
  const spans: Span[] = [];
  const paths = new Set<string>();
  const collector = await listen((request, body) => {
    paths.add(request.url ?? '');
    for (const resource of JSON.parse(body).resourceSpans)
      for (const scope of resource.scopeSpans) spans.push(...scope.spans);
    return {};
  });
  const sent: string[] = [];
  const endpoint = await listen((request, body) => {
    sent.push(String(request.headers['traceparent']));
    const { rows } = JSON.parse(body) as { rows: { rowIndex: number }[] };
    return { results: rows.map(({ rowIndex }) => ({ rowIndex, success: true })) };
  });
  const tracing = startTracing(collector);
  const server = await startTestServer({ worker: true, env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector } });
  const traceId = 'ab'.repeat(16);
  try {
    await server.call('superadmin', 'POST', '/api/v1/operations', {
      key: 'traced',
      title: 'Traced',
      menu: ['Tests'],
      endpoint: `${endpoint}/rows?key=hidden`,
      roles: ['superadmin'],
    });
    const { body } = await server.call(
      'superadmin',
      'POST',
      '/api/v1/jobs',
      { kind: 'operation.traced', params: {}, rows: [{}, {}] },
      { traceparent: `00-${traceId}-${'cd'.repeat(8)}-01` },
    );
    const at = `/api/v1/jobs/${body.id}`;
    await until(async () => (await server.call('superadmin', 'GET', at)).body.state === 'succeeded', 'the job to end');
  } finally {
    await server.stop();
    await tracing.stop();
  }
  expect([...paths]).toEqual(['/v1/traces']);
  const own = spans.filter((span) => span.traceId === traceId);
  const byName = new Map(own.map((span) => [span.name, span]));
  expect([...byName.keys()].sort()).toEqual(['POST /api/v1/jobs', 'chunk', 'operation call']);
  expect(byName.get('POST /api/v1/jobs')?.parentSpanId).toBe('cd'.repeat(8));
  expect(byName.get('chunk')?.parentSpanId).toBe(byName.get('POST /api/v1/jobs')?.spanId);
  expect(byName.get('operation call')?.parentSpanId).toBe(byName.get('chunk')?.spanId);
  expect(sent).toEqual([`00-${traceId}-${byName.get('operation call')?.spanId}-01`]);
  expect(JSON.stringify(own)).not.toContain('hidden');
}, 60_000);

it('marks a span as failed when its work throws, and lets the error through', async () => {
  const received: string[] = [];
  const tracing = startTracing(
    await listen((_request, body) => {
      received.push(body);
      return {};
    }),
  );
  const failed = inSpan('failing', { kind: 'consumer' }, () => Promise.reject(new Error('no such thing')));
  await expect(failed).rejects.toThrow('no such thing');
  await tracing.stop();
  expect(received.join()).toContain('"status":{"code":2,"message":"no such thing"}');
});

it('is off until it is started: work runs, nothing is kept, and calls still carry a valid traceparent', async () => {
  const inside = await inSpan('nothing', { kind: 'client' }, () => Promise.resolve(currentTraceparent()));
  expect(inside).toBeNull();
  expect(traceparentOfCall()).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
});
