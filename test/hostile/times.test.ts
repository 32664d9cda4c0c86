// Times, zones, pages and numbers at their ends, over HTTP and in the settings (reliability B11).
import { ConfigError, loadConfig } from '../../src/config/config';
import { nextAfter } from '../../src/workers/maintenance/schedule';
import { startTestServer, type TestServer } from '../support/webServer';
import { ADDRESSES, CRONS, RUN_ATS } from './stories/times';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

const shown = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}… (${text.length})` : text);

it.each(ADDRESSES.map((story) => [shown(story.address), story] as const))('%s', async (_name, story) => {
  const answer = await server.call('superadmin', 'GET', `/api/v1${story.address}`);
  expect(answer.status).toBe(story.status);
  if (story.field !== undefined) {
    expect(answer.body.fields.map(({ path }: { path: string }) => path)).toContain(story.field);
  }
});

it.each(RUN_ATS)('a job that begins at %j: %i', async (runAt, status) => {
  const body = { kind: 'test.echo', params: { value: 1 }, runAt };
  const answer = await server.call('superadmin', 'POST', '/api/v1/jobs', body);
  expect(answer.status).toBe(status);
  if (status === 422) return expect(answer.body.fields[0].path).toBe('runAt');
  const { body: job } = await server.call('superadmin', 'GET', `/api/v1/jobs/${answer.body.id}`);
  expect(Date.parse(job.runAt)).toBe(Date.parse(String(runAt).replace(/(\.\d{3})\d+/, '$1')));
});

it.each(CRONS)('the cron %j: %s', (cron, taken) => {
  for (const name of ['RETENTION_CRON', 'DIGEST_CRON']) {
    const load = (): unknown => loadConfig({ [name]: cron });
    if (!taken) {
      expect(load).toThrow(ConfigError);
      expect(load).toThrow(name);
      continue;
    }
    expect(load).not.toThrow();
    if (cron === '') continue;
    // Five times in a row, each later than the one before.
    let at = new Date('2026-11-24T10:00:00Z');
    for (let count = 0; count < 5; count += 1) {
      const next = nextAfter(cron, at);
      expect(next.getTime()).toBeGreaterThan(at.getTime());
      at = next;
    }
  }
});
