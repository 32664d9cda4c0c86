// Whoever started a job may go, and so may the web service: workers go on, and later everything is there.
import { createEmptyDatabase, type TestDatabase } from '../support/database';
import { ADMIN_ENV, adminClient, createOperation, jobEnd, jobUntil, sendRows } from '../support/apiClient';
import { clearFolder, killLeftovers, scratchFolder, startGantry } from '../support/gantryProcess';
import { startRowsEndpoint, type RowsEndpoint } from '../support/rowsEndpoint';
import { until } from '../support/until';

const folder = scratchFolder();
let database: TestDatabase;
let endpoint: RowsEndpoint;
beforeAll(async () => {
  database = await createEmptyDatabase();
  endpoint = await startRowsEndpoint(() => null);
});
afterAll(async () => {
  killLeftovers();
  await endpoint.stop();
  await database.drop();
  await clearFolder(folder);
});

const signIn = async (url: string): Promise<string> => {
  const answer = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url, 'sec-fetch-site': 'same-origin' },
    body: JSON.stringify({ email: ADMIN_ENV.ADMIN_EMAIL, password: ADMIN_ENV.ADMIN_PASSWORD }),
  });
  expect(answer.status).toBeLessThan(300);
  return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
};

test('[G1] [G98] a job goes on without its client and without the web service, and its history is whole afterwards', async () => {
  const env = { ...ADMIN_ENV, SECRET_KEY: '6a'.repeat(32), DATABASE_URL: database.url };
  const web = await startGantry(folder, { args: ['web'], env });
  await startGantry(folder, { args: ['worker'], env, untilReady: false });
  const client = adminClient(web.url);
  await createOperation(client, 'goes_on', endpoint.url, { chunkSize: 10, concurrency: 1 });
  const csv = ['n', ...Array.from({ length: 200 }, (_, n) => String(n))].join('\n');
  const { id } = await sendRows(client, 'goes_on', csv, { notify: { email: false } });
  await jobUntil(client, id, ({ progress }) => progress.done > 0, 'the first rows');
  endpoint.hold();
  web.signal('SIGKILL');
  await web.ended();
  const sentBefore = endpoint.sent.size;
  expect(sentBefore).toBeLessThan(200);
  endpoint.release();
  await until(() => endpoint.sent.size === 200, 'the worker to send all rows with no web service there', 30_000);

  const again = await startGantry(folder, { args: ['web'], env });
  const ended = await jobEnd(adminClient(again.url), id);
  expect(ended).toMatchObject({ state: 'succeeded', progress: { total: 200, done: 200, percent: 100 } });
  const cookie = await signIn(again.url);
  const events = (await (await fetch(`${again.url}/api/v1/jobs/${id}/events`, { headers: { cookie } })).json()) as {
    items: { type: string }[];
  };
  expect(events.items.map(({ type }) => type)).toEqual(['requested', 'started', 'ended']);
  again.signal('SIGTERM');
  await again.ended();
}, 120_000);
