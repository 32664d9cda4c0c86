// `gantry backup` while jobs run, `gantry restore` into an empty DATA_DIR: ended jobs stay as they were, open ones go on to their
// end, the audit is intact; and archives that must not be restored are refused before anything is written.
import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readArchive, writeArchive, type Manifest } from '../../src/cli/archive';
import type { DemoClient } from '../../src/demo/demoClient';
import {
  ADMIN_ENV,
  adminClient,
  createOperation,
  jobEnd,
  jobUntil,
  sendRows,
  type JobView,
} from '../support/apiClient';
import { clearFolder, killLeftovers, scratchFolder, startGantry } from '../support/gantryProcess';
import { startRowsEndpoint, type RowsEndpoint } from '../support/rowsEndpoint';
import { until } from '../support/until';
import { killCli, runCli, type CliResult } from './runCli';

const first = scratchFolder();
const second = scratchFolder();
const files = scratchFolder();
const archive = path.join(files, 'gantry.tar.gz');
const EXACT = '{"n": 12345678901234567890.10, "text": "tab\\t \\\\N \\u00e9"}';
/** How often each row arrived, by the word that its job gave it. */
const arrived = new Map<string, number>();
let endpoint: RowsEndpoint;

beforeAll(async () => {
  endpoint = await startRowsEndpoint((data) => {
    arrived.set(data['word'] ?? '', (arrived.get(data['word'] ?? '') ?? 0) + 1);
    return data['word'] === 'ended3' ? { code: 'bad', message: 'A bad row.' } : null;
  });
});

afterAll(async () => {
  killCli();
  killLeftovers();
  await endpoint.stop();
  for (const folder of [first, second, files]) await clearFolder(folder);
});

const on = (dataDir: string, ...args: string[]): Promise<CliResult> => runCli(args, { env: { DATA_DIR: dataDir } });
const rows = (word: string, count: number): string =>
  ['word', ...Array.from({ length: count }, (_, place) => `${word}${place}`)].join('\n');
const arrivals = (word: string): number[] =>
  [...arrived].filter(([key]) => key.replace(/\d+$/, '') === word).map(([, count]) => count);

interface AuditItem {
  id: number;
  action: string;
}

async function auditOf(client: DemoClient): Promise<AuditItem[]> {
  return (await client.get<{ items: AuditItem[] }>('/api/v1/audit?limit=100')).items;
}

interface Before {
  ended: JobView;
  running: string;
  paused: string;
  scheduled: string;
  audit: AuditItem[];
}
let before: Before;

test('a backup of a running Gantry is one file for its owner alone, and disturbs nobody', async () => {
  const gantry = await startGantry(first, { env: { ...ADMIN_ENV, LEASE_MS: '2000' } });
  const client = adminClient(gantry.url);
  await createOperation(client, 'kept', endpoint.url, {
    chunkSize: 10,
    concurrency: 2,
    secret: 'secret of the operation',
  });
  writeFileSync(path.join(files, 'params.json'), EXACT);
  const ended = await jobEnd(client, (await sendRows(client, 'kept', rows('ended', 30))).id);
  expect(ended.state).toBe('completed_with_errors');
  const env = { BASE_URL: gantry.url, GANTRY_TOKEN: ADMIN_ENV.ADMIN_TOKEN };
  const paused = await runCli(
    ['jobs', 'start', '--kind', 'operation.kept', '--params', `@${files}/params.json`, '--rows', '-', '--trial', '10'],
    { env, stdin: rows('paused', 40) },
  );
  const pausedId = paused.stdout.trim();
  await jobUntil(client, pausedId, ({ state }) => state === 'paused', 'the trial');
  const scheduled = await sendRows(client, 'kept', rows('scheduled', 5), {
    runAt: new Date(Date.now() + 3_600_000).toISOString(),
  });
  const calls = endpoint.calls();
  endpoint.hold();
  const running = await sendRows(client, 'kept', rows('running', 100));
  await until(() => endpoint.calls() > calls, 'a chunk under way');
  before = { ended, running: running.id, paused: pausedId, scheduled: scheduled.id, audit: await auditOf(client) };

  const { code, stdout, stderr } = await on(first, 'backup', '--to', archive, '--json');
  expect([code, stderr]).toEqual([0, expect.stringMatching(/4 jobs, \d+ rows in all, as of .*it holds secrets/)]);
  const said = JSON.parse(stdout) as Manifest;
  expect(said.tables.find(({ name }) => name === 'job')).toMatchObject({ rows: 4 });
  expect(statSync(archive).mode & 0o777).toBe(0o600);

  // Everything that follows here is not in the archive.
  endpoint.release();
  expect(await jobEnd(client, running.id)).toMatchObject({ state: 'succeeded' });
  gantry.signal('SIGTERM');
  expect((await gantry.ended()).code).toBe(0);
}, 180_000);

test('restored into an empty DATA_DIR, ended jobs stay as they were, open ones go on to their end, and the audit is intact', async () => {
  const sentBefore = arrivals('ended');
  const restored = await on(second, 'restore', '--from', archive);
  expect([restored.code, restored.stderr]).toEqual([0, expect.stringContaining('Restored 4 jobs as of')]);

  const gantry = await startGantry(second, { env: { OPERATIONS_ALLOW_HOSTS: '127.0.0.1', LEASE_MS: '2000' } });
  const client = adminClient(gantry.url);
  expect(await jobEnd(client, before.running)).toMatchObject({
    state: 'succeeded',
    progress: { done: 100, failed: 0 },
  });
  expect(arrivals('running').length).toBe(100);

  await client.post(`/api/v1/jobs/${before.paused}/resume`, {});
  expect(await jobEnd(client, before.paused)).toMatchObject({ state: 'succeeded', progress: { done: 40 } });
  expect(arrivals('paused')).toEqual(Array(40).fill(1));
  expect(await client.get(`/api/v1/jobs/${before.scheduled}`)).toMatchObject({ state: 'scheduled' });
  expect(await client.get(`/api/v1/jobs/${before.ended.id}`)).toEqual(before.ended);
  expect(arrivals('ended')).toEqual(sentBefore);

  const audit = await auditOf(client);
  expect(audit).toEqual(expect.arrayContaining(before.audit));
  expect(audit).toContainEqual(expect.objectContaining({ action: 'ledger.restore' }));
  const busy = await on(second, 'restore', '--from', archive, '--replace');
  expect([busy.code, busy.stderr]).toEqual([1, expect.stringContaining('Another `gantry start` runs on DATA_DIR')]);
  gantry.signal('SIGTERM');
  expect((await gantry.ended()).code).toBe(0);
}, 180_000);

test('a backup of a stopped Gantry is the same; a ledger with jobs is filled only with --replace, and then wholly', async () => {
  const later = path.join(files, 'later.tar.gz');
  expect(await on(second, 'backup', '--to', later)).toMatchObject({ code: 0 });
  const refused = await on(second, 'restore', '--from', archive);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/jobs or accounts here already\. Nothing was changed/),
  ]);
  expect(await on(second, 'restore', '--from', later, '--replace')).toMatchObject({ code: 0 });
  const again = path.join(files, 'again.tar.gz');
  expect(await on(second, 'backup', '--to', again)).toMatchObject({ code: 0 });
  // Row for row the same, but for the audit, which knows of the restore.
  const [one, two] = await Promise.all([later, again].map((file) => readArchive(file, drain)));
  const hashes = (manifest: Manifest | undefined): string[] =>
    (manifest?.entries ?? [])
      .filter(({ name }) => !name.startsWith('tables/audit/'))
      .map(({ name, sha256 }) => `${name} ${sha256}`);
  expect(hashes(two)).toEqual(hashes(one));
  let jobs = '';
  await readArchive(again, async (name, content) => {
    for await (const part of content) if (name.startsWith('tables/job/')) jobs += part.toString();
  });
  expect(jobs).toContain(EXACT.replaceAll('\\', '\\\\'));
}, 180_000);

describe('refused before anything is written', () => {
  const refuse = async (file: string, words: RegExp): Promise<void> => {
    const { code, stderr } = await on(path.join(files, 'never'), 'restore', '--from', file);
    expect([code, stderr]).toEqual([1, expect.stringMatching(words)]);
    expect(() => statSync(path.join(files, 'never', 'postgres'))).toThrow();
  };
  const changed = (name: string, change: (bytes: Buffer) => Buffer): string => {
    const file = path.join(files, name);
    writeFileSync(file, change(readFileSync(archive)));
    return file;
  };

  test('an archive that was cut off', () =>
    refuse(
      changed('short.tar.gz', (bytes) => bytes.subarray(0, bytes.length >> 1)),
      /is broken: .*Nothing was restored/,
    ));

  test('one in which a byte is another', () =>
    refuse(
      changed('flipped.tar.gz', (bytes) => {
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0x10;
        return bytes;
      }),
      /is broken: .*Nothing was restored/,
    ));

  test('a file that is no archive, and one that is not there', async () => {
    await refuse(path.resolve('package.json'), /is broken: /);
    await refuse(path.join(files, 'none.tar.gz'), /ENOENT/);
  });

  test.each([
    ['of a newer schema', { migrations: ['0001-ledger', '9999-later'] }, /whose schema this one does not know/],
    ['whose secrets open by another key', { keyCheck: 'f'.repeat(64) }, /open by another SECRET_KEY/],
  ])('one %s', async (_what, more, words) => {
    const manifest = await readArchive(archive, drain);
    const file = path.join(files, 'crafted.tar.gz');
    const writer = writeArchive(file);
    await writer.finish({ ...manifest, ...more });
    await refuse(file, words);
    rmSync(file);
  });

  test('one whose entry would lie outside its folder', async () => {
    const file = path.join(files, 'outside.tar.gz');
    const writer = writeArchive(file);
    await writer.add('artifacts/../../escaped', Buffer.from('x'));
    await writer.finish(await readArchive(archive, drain));
    await refuse(file, /an entry that no backup has/);
  });
});

test('a backup that cannot be written leaves nothing behind, and one of nothing is refused', async () => {
  const target = path.join(files, 'no-such-folder', 'x.tar.gz');
  const failed = await on(first, 'backup', '--to', target);
  expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('ENOENT')]);
  const nothing = await on(path.join(files, 'empty'), 'backup', '--to', path.join(files, 'x.tar.gz'));
  expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining('There is no Gantry under DATA_DIR')]);
  copyFileSync(archive, path.join(files, 'copy.tar.gz'));
  await expect(readArchive(path.join(files, 'copy.tar.gz'), drain)).resolves.toMatchObject({ format: 1 });
}, 60_000);

async function drain(_name: string, content: AsyncIterable<Buffer>): Promise<void> {
  for await (const part of content) void part;
}
