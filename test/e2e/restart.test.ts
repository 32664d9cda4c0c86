// Killed in the middle of a job and started again on the same DATA_DIR: ready within 15 s, and the job is finished.
import { clearFolder, killLeftovers, scratchFolder, serverPid, isAlive, startGantry } from '../support/gantryProcess';
import { ADMIN_ENV, adminClient, createOperation, jobEnd, jobUntil, sendRows } from '../support/apiClient';
import { startRowsEndpoint, type RowsEndpoint } from '../support/rowsEndpoint';

const ROWS = 2000;
/** The bar of the promise. */
const READY_WITHIN_MS = 15_000;
const env = { ...ADMIN_ENV, LEASE_MS: '2000' };

const folder = scratchFolder();
let endpoint: RowsEndpoint;

beforeAll(async () => {
  endpoint = await startRowsEndpoint((data) =>
    Number(data['n']) % 100 === 7 ? { code: 'seven', message: 'ends in 07' } : null,
  );
});

afterAll(async () => {
  killLeftovers();
  await endpoint.stop();
  await clearFolder(folder);
});

test('SIGKILL in the middle of a job loses nothing: the next start takes over the database and finishes it', async () => {
  const first = await startGantry(folder, { env });
  const client = adminClient(first.url);
  await createOperation(client, 'kill', endpoint.url, { chunkSize: 50, concurrency: 2 });
  const csv = ['n', ...Array.from({ length: ROWS }, (_, index) => String(index))].join('\n');
  const job = await sendRows(client, 'kill', csv);
  await jobUntil(client, job.id, ({ progress }) => progress.done >= 200, 'some progress');
  endpoint.hold();
  const before = await jobUntil(client, job.id, ({ state }) => state === 'running', 'a running job');
  expect(before.progress.done).toBeLessThan(ROWS);
  first.signal('SIGKILL');
  expect((await first.ended()).signal).toBe('SIGKILL');
  expect(isAlive(serverPid(folder))).toBe(true);
  endpoint.release();

  const second = await startGantry(folder, { env, readyWithinMs: READY_WITHIN_MS });
  const after = adminClient(second.url);
  const ended = await jobEnd(after, job.id);
  expect(ended).toMatchObject({
    state: 'completed_with_errors',
    progress: { total: ROWS, done: ROWS, failed: ROWS / 100 },
  });
  expect(ended.progress.done).toBeGreaterThanOrEqual(before.progress.done);
  // None is lost; at most the chunks in flight were sent twice.
  expect(endpoint.sent.size).toBe(ROWS);
  const repeated = [...endpoint.sent.values()].filter((times) => times > 1).length;
  expect(repeated).toBeLessThanOrEqual(2 * 50);

  second.signal('SIGINT');
  expect(await second.ended()).toEqual({ code: 0, signal: null });
}, 120_000);
