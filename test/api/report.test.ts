// What a job tells of itself over HTTP: its report, its progress, its times, and why it waits.
import { presentProgress, type ProgressFacts } from '../../src/api/presenters/progress';
import { startTestServer, type TestServer } from '../support/webServer';
import { until } from '../support/until';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ worker: true });
}, 60_000);
afterAll(() => server.stop());

const get = (path: string) => server.call('superadmin', 'GET', `/api/v1${path}`);

async function ended(params: object, as: 'superadmin' | 'user' = 'superadmin'): Promise<string> {
  const { id } = (await server.call(as, 'POST', '/api/v1/jobs', { kind: 'test.teller', params })).body;
  await until(async () => (await get(`/jobs/${id}`)).body.group === 'processed', 'the job to end', 20_000);
  return id;
}

describe('the report [G33]', () => {
  it('holds what the handler returned and the lines it reported, with the highest severity on the job', async () => {
    const report = [
      ['info', 'three accounts made'],
      ['warning', 'one had no phone'],
      ['info', 'done'],
    ];
    const id = await ended({ report, result: { made: 3 } });
    expect((await get(`/jobs/${id}`)).body).toMatchObject({
      reportUrl: `/api/v1/jobs/${id}/report`,
      reportSeverity: 'warning',
    });
    expect((await get(`/jobs/${id}/report`)).body).toEqual({
      run: 1,
      result: { made: 3 },
      severity: 'warning',
      counts: { info: 2, warning: 1, error: 0 },
      entries: report.map(([severity, message]) => ({ severity, message, data: { from: 'teller' } })),
    });
    const { body } = await get(`/jobs/${id}/report?severity=warning`);
    expect(body.entries.map((entry: { severity: string }) => entry.severity)).toEqual(['warning']);
  });

  it('is kept when the job failed after it was told', async () => {
    const id = await ended({ report: [['error', 'the source is gone']], fail: 'no more' });
    expect((await get(`/jobs/${id}`)).body).toMatchObject({ state: 'failed', reportSeverity: 'error' });
    expect((await get(`/jobs/${id}/report`)).body).toMatchObject({ result: null, entries: [{ severity: 'error' }] });
  });

  it('is linked only when there is one, and of each run apart', async () => {
    const id = await ended({});
    expect((await get(`/jobs/${id}`)).body).toMatchObject({ reportUrl: null, reportSeverity: null });
    expect((await get(`/jobs/${id}/report`)).status).toBe(404);
    expect((await get(`/jobs/${id}/report?run=2`)).status).toBe(404);
  });

  it('keeps the first thousand lines and counts them all', async () => {
    const id = await ended({ report: Array.from({ length: 1500 }, (_, index) => ['info', `line ${index}`]) });
    const { body } = await get(`/jobs/${id}/report`);
    expect(body.counts).toEqual({ info: 1500, warning: 0, error: 0 });
    expect(body.entries).toHaveLength(1000);
    expect(body.entries[999].message).toBe('line 999');
  });

  it('is not there for others', async () => {
    const id = await ended({ result: { secret: 1 } }, 'user');
    expect((await server.call('user', 'GET', `/api/v1/jobs/${id}/report`)).status).toBe(200);
    expect((await server.call('power_user', 'GET', `/api/v1/jobs/${id}/report`)).status).toBe(404);
  });
});

describe('progress', () => {
  const start = new Date('2026-01-01T00:00:00Z');
  const at = (ms: number): Date => new Date(start.getTime() + ms);
  const facts = (given: Partial<ProgressFacts>): ProgressFacts => ({
    state: 'running',
    total: null,
    good: 0,
    failed: 0,
    skipped: 0,
    progressDone: 0,
    progressTotal: null,
    progressPercent: 0,
    note: null,
    startedAt: start,
    finishedAt: null,
    pausedMs: 0,
    ...given,
  });

  it('reaches 100 only at the end, and never falls although the total rises [G25]', () => {
    const percent = (given: Partial<ProgressFacts>) => presentProgress(facts(given), at(1000)).percent;
    expect(percent({ total: 200, good: 199 })).toBe(99);
    expect(percent({ total: 200, good: 200 })).toBe(99);
    expect(percent({ total: 200, good: 150, failed: 50, state: 'completed_with_errors', finishedAt: at(900) })).toBe(
      100,
    );
    expect(percent({ total: 200, good: 150, state: 'canceled', finishedAt: at(900) })).toBe(75);
    expect(percent({ progressDone: 10, progressTotal: 10, state: 'failed', finishedAt: at(900) })).toBe(99);
    expect(percent({ progressDone: 10, progressTotal: 40, progressPercent: 50 })).toBe(50);
    expect(percent({ state: 'succeeded', finishedAt: at(900) })).toBe(100);
  });

  it('tells rows and totals; a total that is not known is null, and so is the percentage [G27]', () => {
    expect(presentProgress(facts({ progressDone: 7 }), at(1000))).toMatchObject({
      total: null,
      done: 7,
      percent: null,
    });
    expect(presentProgress(facts({ total: 10, good: 3, failed: 2, skipped: 1 }), at(1000))).toMatchObject({
      total: 10,
      done: 6,
      failed: 2,
      skipped: 1,
    });
  });

  it('estimates from 5 % or 30 s on, right to a third at half-way, and says nothing when it knows nothing [G26]', () => {
    const eta = (given: Partial<ProgressFacts>, ms: number) => presentProgress(facts(given), at(ms)).etaMs;
    expect(eta({ total: 1000, good: 49 }, 4900)).toBeNull();
    expect(eta({ total: 1000, good: 50 }, 5000)).toBe(95_000);
    expect(eta({ total: 100_000, good: 100 }, 29_999)).toBeNull();
    expect(eta({ total: 100_000, good: 100 }, 30_000)).toBeGreaterThan(0);
    // A job of 60 s with jitter, half done: 30 s are left.
    expect(Math.abs((eta({ total: 1000, good: 500 }, 33_000) ?? 0) - 30_000) / 30_000).toBeLessThan(0.3);
    // Time that it rested does not count.
    expect(eta({ total: 1000, good: 500, pausedMs: 3_600_000 }, 3_630_000)).toBe(30_000);
    expect(eta({ progressDone: 5 }, 60_000)).toBeNull();
    expect(eta({ total: 10, good: 5, state: 'paused' }, 60_000)).toBeNull();
    expect(eta({ total: 10 }, 60_000)).toBeNull();
  });
});

it('counts errors while the job runs, and its times tick [G29] [G7]', async () => {
  const rows = Array.from({ length: 3 }, () => ({}));
  const body = { kind: 'test.chatty', params: { lines: 1, pauseMs: 60_000 }, rows };
  const { id } = (await server.call('superadmin', 'POST', '/api/v1/jobs', body)).body;
  await until(async () => (await get(`/jobs/${id}`)).body.state === 'running', 'the job to run');
  // What a chunk writes when it ends, long before the job does.
  await server.database.kysely.updateTable('run').set({ good: 1, failed: 1 }).where('jobId', '=', id).execute();
  const first = (await get(`/jobs/${id}`)).body;
  expect(first).toMatchObject({ state: 'running', errorCount: 1, finishedAt: null, progress: { done: 2, failed: 1 } });
  const waited = Date.parse(first.startedAt) - Date.parse(first.queuedAt);
  expect(first.waitMs).toBe(waited);
  await until(async () => (await get(`/jobs/${id}`)).body.processMs > first.processMs, 'its time to tick');
  await server.call('superadmin', 'POST', `/api/v1/jobs/${id}/cancel`, {});
  await until(async () => (await get(`/jobs/${id}`)).body.group === 'processed', 'the job to end', 20_000);
  const last = (await get(`/jobs/${id}`)).body;
  expect(last.waitMs).toBe(waited);
  expect(last.processMs).toBe(Date.parse(last.finishedAt) - Date.parse(last.startedAt));
}, 30_000);
