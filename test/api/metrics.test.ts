// What Prometheus reads: gauges of the moment, counters that never fall, distributions, and the process itself.
import { rollTallies } from '../../src/db/queries/statistics';
import { startTestServer, type TestServer } from '../support/webServer';
import { until } from '../support/until';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ worker: true });
}, 60_000);
afterAll(() => server.stop());

const scrape = async (): Promise<string> => (await server.call('superadmin', 'GET', '/metrics')).text;

/** Series -> value; each line is checked to be one of the text format. */
function parse(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = /^([a-z_:][\w:]*(?:\{[^}]*\})?) (-?[\d.e+-]+|\+Inf|NaN)$/i.exec(line);
    expect([line, match !== null]).toEqual([line, true]);
    expect(found.has(match?.[1] ?? '')).toBe(false);
    found.set(match?.[1] ?? '', Number(match?.[2]));
  }
  return found;
}

it('keeps the names it had, and counts runs by kind and outcome, rows, times and requests', async () => {
  const rows = [{}, {}, {}];
  const ids = [];
  for (const body of [
    { kind: 'test.teller', params: {} },
    { kind: 'test.teller', params: { fail: 'no' } },
    { kind: 'test.chatty', params: { lines: 0 }, rows },
  ])
    ids.push((await server.call('superadmin', 'POST', '/api/v1/jobs', body)).body.id);
  for (const id of ids)
    await until(
      async () => (await server.call('superadmin', 'GET', `/api/v1/jobs/${id}`)).body.group === 'processed',
      'the job to end',
      20_000,
    );
  // The duty does so every few seconds.
  await rollTallies(server.database.kysely, 100);
  await server.call(null, 'GET', '/api/v1/nowhere');
  const text = await scrape();
  const series = parse(text);
  for (const name of [
    'gantry_jobs{state="queued"}',
    'gantry_oldest_wait_seconds',
    'gantry_outbox_due',
    'gantry_notices_due',
    'gantry_queue_waiting',
    'gantry_queue_active',
    'gantry_slots_busy',
    'process_resident_memory_bytes',
  ])
    expect([name, series.has(name)]).toEqual([name, true]);
  expect(series.get('gantry_workers')).toBe(1);
  expect(series.get('gantry_slots')).toBe(server.config.workerConcurrency);
  expect(series.get('gantry_runs_created_total{kind="test.teller"}')).toBe(2);
  expect(series.get('gantry_runs_ended_total{kind="test.teller",outcome="succeeded"}')).toBe(1);
  expect(series.get('gantry_runs_ended_total{kind="test.teller",outcome="failed"}')).toBe(1);
  expect(series.get('gantry_rows_total{kind="test.chatty",result="good"}')).toBe(3);
  expect(series.get('gantry_process_seconds_count{kind="test.teller"}')).toBe(2);
  expect(series.get('gantry_process_seconds_bucket{kind="test.teller",le="+Inf"}')).toBe(2);
  const bucket = (le: string): number => series.get(`gantry_wait_seconds_bucket{kind="test.teller",le="${le}"}`) ?? -1;
  expect(bucket('0.1')).toBeLessThanOrEqual(bucket('1'));
  expect(bucket('21600')).toBe(2);
  expect(text).toContain('# TYPE gantry_wait_seconds histogram');
  expect(text).toContain('# TYPE gantry_runs_ended_total counter');
  expect(series.get('gantry_http_request_seconds_count{method="POST",route="/api/v1/jobs",status="202"}')).toBe(3);
  expect(series.get('gantry_http_request_seconds_count{method="GET",route="none",status="404"}')).toBe(1);
  // Ids never become labels.
  for (const id of ids) {
    await server.call('superadmin', 'GET', `/api/v1/jobs/${id}`);
    expect(await scrape()).not.toContain(id);
  }
});

it('is for loopback without a proxy, and for superadmins', async () => {
  const proxied = { 'x-forwarded-for': '203.0.113.9' };
  expect((await server.call(null, 'GET', '/metrics')).status).toBe(200);
  expect((await server.call(null, 'GET', '/metrics', undefined, proxied)).status).toBe(401);
  expect((await server.call('power_user', 'GET', '/metrics', undefined, proxied)).status).toBe(403);
  expect((await server.call('superadmin', 'GET', '/metrics', undefined, proxied)).status).toBe(200);
});
