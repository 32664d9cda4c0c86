// The commands beside the services: accounts and tokens, alone or next to a running start, and a worker that joins it.
import { clearFolder, killLeftovers, scratchFolder, startGantry } from '../support/gantryProcess';
import { ADMIN_ENV, adminClient, createOperation, jobEnd, sendRows } from '../support/apiClient';
import { createDemoClient } from '../../src/demo/demoClient';
import { startRowsEndpoint, type RowsEndpoint } from '../support/rowsEndpoint';
import { until } from '../support/until';

const folder = scratchFolder();
let endpoint: RowsEndpoint;

beforeAll(async () => {
  endpoint = await startRowsEndpoint(() => null);
});

afterAll(async () => {
  killLeftovers();
  await endpoint.stop();
  await clearFolder(folder);
});

async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const command = await startGantry(folder, { args, untilReady: false });
  return { code: (await command.ended()).code, output: command.output() };
}

const newUser = ['user', 'create', '--email', 'pat@gantry.example', '--name', 'Pat', '--role', 'power_user'];

test('an account is made before the first start, and not a second time', async () => {
  expect(await run(...newUser)).toMatchObject({ code: 0, output: expect.stringMatching(/password: \S{16}/) });
  expect(await run(...newUser)).toMatchObject({
    code: 1,
    output: expect.stringContaining('account of pat@gantry.example already'),
  });
}, 60_000);

test('what an account may not be is told by option', async () => {
  const { code, output } = await run('user', 'create', '--email', 'pat', '--name', ' ', '--role', 'king');
  expect(code).toBe(1);
  for (const option of ['--email', '--name', '--role']) expect(output).toContain(option);
});

test('a token made beside a running start is printed alone, and opens the API as its user', async () => {
  const gantry = await startGantry(folder, { env: ADMIN_ENV });
  const made = await run('token', 'create', '--user', 'pat@gantry.example');
  expect(made).toMatchObject({ code: 0, output: expect.stringMatching(/^\S{30,}\n$/) });
  const client = createDemoClient(gantry.url, made.output.trim());
  expect(await client.get('/api/v1/me')).toMatchObject({ email: 'pat@gantry.example', role: 'power_user' });
  expect(await run('token', 'create', '--user', 'nobody@gantry.example')).toMatchObject({ code: 1 });
  gantry.signal('SIGTERM');
  expect((await gantry.ended()).code).toBe(0);
}, 90_000);

test('a worker joins a running start by its DATA_DIR, is shown, takes work, and leaves alone', async () => {
  const gantry = await startGantry(folder, { env: ADMIN_ENV });
  const worker = await startGantry(folder, { args: ['worker'], env: ADMIN_ENV, untilReady: false });
  const client = adminClient(gantry.url);
  const connected = async (): Promise<number> => {
    const { items } = await client.get<{ items: { state: string }[] }>('/api/v1/workers');
    return items.filter((item) => item.state === 'connected').length;
  };
  await until(async () => (await connected()) === 2, 'the second worker');
  await createOperation(client, 'joined', endpoint.url, { chunkSize: 10, concurrency: 8 });
  const csv = ['n', ...Array.from({ length: 500 }, (_, index) => String(index))].join('\n');
  expect(await jobEnd(client, (await sendRows(client, 'joined', csv)).id)).toMatchObject({ state: 'succeeded' });
  worker.signal('SIGTERM');
  expect(await worker.ended()).toEqual({ code: 0, signal: null });
  await until(async () => (await connected()) === 1, 'the leave of the worker');
  gantry.signal('SIGTERM');
  expect((await gantry.ended()).code).toBe(0);
}, 90_000);
