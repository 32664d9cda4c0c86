// The commands that talk to a server: what they print where, how they end, and what they say when they are refused.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openTcpProxy } from '../support/tcpProxy';
import { clearFolder, scratchFolder } from '../support/gantryProcess';
import { startRowsEndpoint, type RowsEndpoint } from '../support/rowsEndpoint';
import { until } from '../support/until';
import { startTestServer, type TestServer } from '../support/webServer';
import { callCli } from './callCli';
import { killCli, runCli, startCli, type CliResult } from './runCli';

const folder = scratchFolder();
let server: TestServer;
let endpoint: RowsEndpoint;

beforeAll(async () => {
  endpoint = await startRowsEndpoint((data) =>
    data['n'] === 'bad' ? { code: 'bad', message: 'A bad\u001b[31m row.' } : null,
  );
  server = await startTestServer({ worker: true });
});

afterAll(async () => {
  killCli();
  endpoint.release();
  await server.stop();
  await endpoint.stop();
  await clearFolder(folder);
});

const env = (): Record<string, string> => ({
  BASE_URL: server.url,
  GANTRY_TOKEN: server.callers.superadmin.token,
});
/** A later --server wins, so that a test may give its own. */
const cli = (...args: string[]): Promise<CliResult> => {
  const [group, command, ...rest] = args;
  const given = ['--server', server.url, '--token', server.callers.superadmin.token];
  return callCli([group ?? '', command ?? '', ...given, ...rest]);
};
const asRole = (role: 'user' | 'power_user' | 'superadmin', ...args: string[]): Promise<CliResult> =>
  cli(...args, '--token', server.callers[role].token);

let jobId: string;

test('an operation is added and listed; a job of rows from standard input is started and its id printed alone', async () => {
  const flags = [
    '--key',
    'one',
    '--title',
    'One',
    '--endpoint',
    endpoint.url,
    '--role',
    'user',
    '--role',
    'superadmin',
  ];
  expect(await cli('operations', 'add', ...flags)).toMatchObject({ code: 0, stdout: 'operation.one\n' });
  const listed = await cli('operations', 'list', '--json');
  expect(JSON.parse(listed.stdout)).toMatchObject({ items: [{ key: 'one', roles: ['user', 'superadmin'] }] });

  const start = ['jobs', 'start', '--kind', 'operation.one', '--rows', '-', '--format', 'ndjson', '--max-failed', '5'];
  const started = await runCli(start, { env: env(), stdin: '{"n":"1"}\n{"n":"bad"}\n{"n":"2"}\n' });
  expect(started).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9a-f-]{36}\n$/) });
  jobId = started.stdout.trim();
  const watched = await cli('jobs', 'watch', jobId, '--json');
  expect(watched.code).toBe(3);
  const documents = watched.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { state: string });
  expect(documents[documents.length - 1]).toMatchObject({ id: jobId, state: 'completed_with_errors', errorCount: 1 });
});

test('list, show, errors and log print tables without control characters, and JSON alone with --json', async () => {
  const listed = await cli('jobs', 'list', '--state', 'completed_with_errors', '--limit', '5');
  const shown = await cli('jobs', 'show', jobId);
  const errors = await cli('jobs', 'errors', jobId);
  const log = await cli('jobs', 'log', jobId, '--json');
  expect(listed.stdout).toMatch(new RegExp(`^ID +STATE .*\\n${jobId} +completed_with_errors +operation.one `));
  expect(shown.stdout).toMatch(/^rows +3 of 3, 1 failed, 0 skipped$/m);
  expect(errors.stdout).toMatch(/^1 +1 +bad +A bad \[31m row\.$/m);
  expect(errors.stderr).toContain('--csv FILE');
  for (const line of log.stdout.split('\n').filter(Boolean)) expect(JSON.parse(line)).toHaveProperty('line');
});

test('the error file is written whole under its name, or to standard output, and may be sent again', async () => {
  const file = path.join(folder, 'errors.csv');
  expect(await cli('jobs', 'errors', jobId, '--csv', file)).toMatchObject({ code: 0, stdout: '' });
  const { stdout } = await runCli(['jobs', 'errors', jobId, '--csv', '-'], { env: env() });
  expect(readFileSync(file, 'utf8')).toBe(stdout);
  expect(stdout).toMatch(/^n,error_code,error_message\r?\nbad,bad,/);
  const again = await cli('jobs', 'start', '--kind', 'operation.one', '--rows', file, '--watch');
  expect(again).toMatchObject({ code: 4, stderr: expect.stringContaining('1 of 1, 1 failed') });
});

test('the same idempotency key and content give one job, other content is refused', async () => {
  const start = (row: string): Promise<CliResult> =>
    runCli(['jobs', 'start', '--kind', 'operation.one', '--rows', '-', '--idempotency-key', 'once'], {
      env: env(),
      stdin: `n\n${row}\n`,
    });
  const [one, two] = [await start('1'), await start('1')];
  expect(two.stdout).toBe(one.stdout);
  expect(await start('2')).toMatchObject({ code: 5, stdout: '' });
});

test('what the server refuses is told in its words with its hints, and ends with 5', async () => {
  const broken = path.join(folder, 'broken.csv');
  writeFileSync(broken, 'n,m\n1,2\n3\n4,5,6\n');
  const upload = await cli('jobs', 'start', '--kind', 'operation.one', '--rows', broken);
  expect(upload).toMatchObject({ code: 5, stdout: '' });
  expect(upload.stderr).toMatch(/row 1, line 3/);
  const state = await cli('jobs', 'pause', jobId);
  expect([state.code, state.stderr]).toEqual([5, expect.stringMatching(/What may be done with it now: .*requeue/)]);
  expect(await cli('jobs', 'show', '00000000-0000-7000-8000-000000000000')).toMatchObject({ code: 5 });
  const forbidden = await asRole('user', 'operations', 'list');
  expect(forbidden).toMatchObject({ code: 5, stdout: '' });
  const nobody = await runCli(['jobs', 'list'], { env: { BASE_URL: server.url } });
  expect([nobody.code, nobody.stderr]).toEqual([5, expect.stringContaining('Give a token: GANTRY_TOKEN')]);
  const wrong = await cli('jobs', 'list', '--token', 'x'.repeat(40));
  expect([wrong.code, wrong.stderr]).toEqual([5, expect.stringContaining('is not known there')]);
});

test.each([
  [['jobs', 'start'], /--kind <kind>/],
  [['jobs', 'start', '--kind', 'k', '--params', '{'], /--params takes JSON or @FILE/],
  [['jobs', 'start', '--kind', 'k', '--rows', '/not/there.csv'], /--rows could not be read: .*No job was made/],
  [['jobs', 'start', '--kind', 'k', '--rows', '/etc/hostname'], /--format csv or --format ndjson/],
  [['jobs', 'start', '--kind', 'k', '--trial', 'many'], /--trial takes a whole number from 1 on/],
  [['jobs', 'requeue', 'x', '--only', 'some'], /--only takes failed, unfinished/],
  [['jobs', 'list', '--server', 'localhost'], /--server takes an address/],
  [['jobs', 'fly'], /unknown command/],
  [['operations', 'add', '--key', 'k'], /missing: --title, --endpoint/],
])('a wrong call ends with 2 and sends nothing: gantry %j', async (args, words) => {
  const { code, stdout, stderr } = await cli(...args);
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(words)]);
});

test('a server that does not answer ends with 6; a variable that is wrong with 2', async () => {
  const away = await runCli(['jobs', 'list'], { env: { PORT: '1' } });
  expect([away.code, away.stderr]).toEqual([
    6,
    expect.stringContaining('http://127.0.0.1:1 does not answer (ECONNREFUSED)'),
  ]);
  const wrong = await runCli(['jobs', 'list'], { env: { GANTRY_TOKEN: 'short' } });
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/GANTRY_TOKEN got a value that is not shown/)]);
  expect(wrong.stderr).not.toContain('short');
});

/** A job whose only call is held, so that it runs until `release`. */
async function startHeld(): Promise<string> {
  const calls = endpoint.calls();
  endpoint.hold();
  const started = await runCli(['jobs', 'start', '--kind', 'operation.one', '--rows', '-'], {
    env: env(),
    stdin: 'n\n1\n',
  });
  await until(() => endpoint.calls() > calls, 'the call');
  return started.stdout.trim();
}

test('Ctrl-C while watching lets go with 130 and says how to go on; the job goes on', async () => {
  const id = await startHeld();
  const watching = startCli(['jobs', 'watch', id], { env: env() });
  await until(() => watching.stderr().includes('running'), 'the first line');
  watching.child.kill('SIGINT');
  const { code, stderr } = await watching.ended;
  expect([code, stderr]).toEqual([130, expect.stringContaining(`gantry jobs watch ${id}`)]);
  expect(stderr).toContain(`gantry jobs cancel ${id}`);
  expect((await server.call('superadmin', 'GET', `/api/v1/jobs/${id}`)).body.state).toBe('running');
  endpoint.release();
  expect(await cli('jobs', 'watch', id)).toMatchObject({ code: 0 });
});

test('watching goes on over a link that breaks: it asks again and resumes the stream', async () => {
  const proxy = await openTcpProxy(Number(new URL(server.url).port));
  const id = await startHeld();
  const watching = startCli(['jobs', 'watch', id], { env: { ...env(), BASE_URL: `http://127.0.0.1:${proxy.port}` } });
  await until(() => watching.stderr().includes('running'), 'the first line');
  await proxy.refuse();
  await until(() => watching.stderr().includes('does not answer'), 'the words for a broken link');
  await proxy.accept();
  endpoint.release();
  expect(await watching.ended).toMatchObject({ code: 0, stderr: expect.stringContaining('succeeded') });
  await proxy.close();
}, 60_000);

test('a canceled job ends a watch with 4, and keeps the reason', async () => {
  const id = await startHeld();
  const canceling = startCli(['jobs', 'cancel', id, '--reason', 'wrong list', '--watch'], { env: env() }).ended;
  await until(
    async () => (await server.call('superadmin', 'GET', `/api/v1/jobs/${id}`)).body.state !== 'running',
    'the cancel',
  );
  endpoint.release();
  expect(await canceling).toMatchObject({ code: 4 });
  const shown = await cli('jobs', 'show', id);
  expect(shown.stdout).toMatch(/^cancel reason +wrong list$/m);
  expect(await cli('jobs', 'requeue', id, '--only', 'unfinished', '--watch')).toMatchObject({
    code: expect.any(Number),
  });
});

test('a token is made, listed, works, and is refused once it is revoked', async () => {
  const made = await cli('token', 'create', '--user', server.callers.user.email, '--server', server.url, '--json');
  const { id, token } = JSON.parse(made.stdout) as { id: string; token: string };
  const listed = await cli('token', 'list');
  expect(listed.stdout).toContain(id);
  expect(listed.stdout).not.toContain(token);
  expect(await cli('jobs', 'list', '--json', '--token', token)).toMatchObject({ code: 0 });
  expect(await cli('token', 'revoke', id)).toMatchObject({ code: 0 });
  expect(await cli('jobs', 'list', '--token', token)).toMatchObject({ code: 5 });
});
