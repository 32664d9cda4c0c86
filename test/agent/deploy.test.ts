// The real agent against a real server over sockets: enrolment, a whole deployment, what programs see, cancel, and wrong artifacts.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../src/lib/agentProtocol';
import { buildTarGz, buildZip, siteFiles } from './buildArchive';
import { startAgentServer, type AgentServer } from './agentServer';
import { scratchFolder, startAgent, type RunningAgent } from './startAgent';
import { until } from './until';

let server: AgentServer;
let scratch: ReturnType<typeof scratchFolder>;
let agent: RunningAgent;
let root: string;

beforeEach(async () => {
  server = await startAgentServer();
  scratch = scratchFolder();
  root = join(scratch.path, 'root');
  agent = startAgent({ server: server.url, root, enrolToken: server.token });
  await until('the agent', () => server.isConnected());
});
afterEach(async () => {
  await agent.stop().catch(() => undefined);
  await server.close();
  scratch.remove();
});

const node = (script: string, ...args: string[]): { args: string[] } => ({
  args: [process.execPath, '-e', script, ...args],
});
const words = (reports: Report[]): string[] =>
  reports.filter((report) => report.status !== 'progress').map((report) => `${report.step} ${report.status}`);
const logOf = (commandId: string): string =>
  server
    .reports(commandId)
    .map((report) => report.log ?? '')
    .join('');
const site = (version: string) =>
  buildTarGz(siteFiles(version)).then((bytes) => server.addArtifact(bytes, 'site.tar.gz', 'tar.gz'));

describe('enrolment', () => {
  it('keeps a key that only its owner can read, and needs no token the second time', async () => {
    expect(lstatSync(join(root, '.gantry-agent/identity.json')).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(root, '.gantry-agent')).mode & 0o777).toBe(0o700);
    await agent.stop();
    agent = startAgent({ server: server.url, root });
    await until('the agent again', () => server.connections() === 2 && server.isConnected());
  });

  it('fails clearly with a bad token, without a token, and with a bad address', async () => {
    const other = join(scratch.path, 'other');
    await expect(startAgent({ server: server.url, root: other, enrolToken: 'used-up' }).ended).rejects.toThrow(
      'not valid any more',
    );
    await expect(startAgent({ server: server.url, root: other }).ended).rejects.toThrow('--enrol TOKEN');
    await expect(startAgent({ server: 'no address', root: other }).ended).rejects.toThrow('no address of a server');
  });

  it('ends when the server does not know it any more', async () => {
    server.revoked = true;
    await server.away();
    await server.back();
    await expect(agent.ended).rejects.toThrow('does not know the agent alpha');
  });

  it('obeys nobody with another key', async () => {
    const impostor = await startAgentServer();
    impostor.gullible = true;
    const command = impostor.command(impostor.addArtifact(Buffer.from('x'), 'x', 'file'), {
      agentId: server.agentId(),
    });
    impostor.onMessage = () => impostor.deploy(command);
    await agent.stop();
    agent = startAgent({ server: impostor.url, root });
    await until('a second try', () => impostor.connections() === 2);
    expect(impostor.heard.filter((message) => message.type !== 'hello')).toEqual([]);
    expect(existsSync(join(root, 'site'))).toBe(false);
    await impostor.close();
  });
});

describe('a deployment', () => {
  it('runs pre, deploy and post, and reports each once', async () => {
    const command = server.command(await site('one'), {
      scenario: {
        pre: [node("console.log('before'); console.error('warn')")],
        deploy: [{ sourcePath: '/', deployPath: 'site' }],
        post: [node("console.log(require('fs').readFileSync('site/current/part-0/file-0.txt','utf8'))")],
      },
    });
    server.deploy(command);
    const last = await server.final(command.id);
    expect(last).toMatchObject({ step: 'post', status: 'success' });
    const steps = ['pre started', 'pre success', 'deploy started', 'deploy success', 'post started', 'post success'];
    expect(words(server.reports(command.id))).toEqual(steps);
    expect(server.reports(command.id).map((report) => report.seq)).toEqual(
      server.reports(command.id).map((_, index) => index + 1),
    );
    expect(readlinkSync(join(root, 'site/current'))).toBe(`releases/${command.deploymentId}`);
    expect(readFileSync(join(root, 'site/current/part-1/file-1.txt'), 'utf8')).toBe('one');
    expect(logOf(command.id)).toMatch(/before\n/);
    expect(logOf(command.id)).toMatch(/warn\n/);
    expect(logOf(command.id)).toMatch(/^one$/m);
    await until('no journal', () => readdirSync(join(root, '.gantry-agent/commands')).length === 0);
    expect(readdirSync(join(root, '.gantry-agent/artifacts'))).toEqual([]);
  });

  it('keeps the five newest releases', async () => {
    for (let version = 1; version <= 7; version++) {
      const command = server.command(await site(String(version)));
      server.deploy(command);
      expect((await server.final(command.id)).status).toBe('success');
    }
    const releases = readdirSync(join(root, 'site/releases')).filter((name) => !name.startsWith('.'));
    expect(releases.sort()).toEqual(['3', '4', '5', '6', '7']);
    expect(readFileSync(join(root, 'site/current/part-0/file-0.txt'), 'utf8')).toBe('7');
  });

  it('takes zip and plain files, to several folders', async () => {
    const zip = server.addArtifact(
      buildZip([
        { name: 'www/index.html', content: 'hi' },
        { name: 'bin/run', content: '#', mode: 0o100755 },
      ]),
      'a.zip',
      'zip',
    );
    const deploy = [
      { sourcePath: '/www', deployPath: 'web/public' },
      { sourcePath: 'bin', deployPath: '/tools' },
    ];
    const command = server.command(zip, { scenario: { pre: [], deploy, post: [] } });
    server.deploy(command);
    expect((await server.final(command.id)).status).toBe('success');
    expect(readFileSync(join(root, 'web/public/current/index.html'), 'utf8')).toBe('hi');
    expect(statSync(join(root, 'tools/current/run')).mode & 0o777).toBe(0o755);
  });

  it('hands arguments to programs byte for byte, and nothing of its own environment', async () => {
    const odd = ['; echo x', '| cat', '& :', '$(id)', '`id`', 'a\nb', '"\'', '$HOME', '*', ' ', '', 'é😀', '--', '-rf'];
    const script = "require('fs').writeFileSync('seen', JSON.stringify([process.argv.slice(1), process.env]))";
    process.env['AGENT_SECRET'] = 'not for programs';
    const command = server.command(await site('x'), {
      scenario: { pre: [{ args: [process.execPath, '-e', script, '--', ...odd] }], deploy: [], post: [] },
    });
    server.deploy(command);
    expect((await server.final(command.id)).status).toBe('success');
    delete process.env['AGENT_SECRET'];
    const [argv, environment] = JSON.parse(readFileSync(join(root, 'seen'), 'utf8')) as [
      string[],
      Record<string, string>,
    ];
    expect(argv).toEqual(odd);
    expect(environment).toMatchObject({ GANTRY_STEP: 'pre', GANTRY_ROOT: root });
    expect(environment).not.toHaveProperty('AGENT_SECRET');
  });
});

describe('what fails leaves the version before', () => {
  beforeEach(async () => {
    const command = server.command(await site('good'));
    server.deploy(command);
    await server.final(command.id);
  });
  const expectGood = (): void => {
    expect(readFileSync(join(root, 'site/current/part-0/file-0.txt'), 'utf8')).toBe('good');
    expect(readdirSync(join(root, 'site/releases')).filter((name) => !name.startsWith('.'))).toEqual(['1']);
    expect(readdirSync(join(root, 'site/releases')).filter((name) => name.startsWith('.tmp'))).toEqual([]);
    expect(readdirSync(join(root, '.gantry-agent/artifacts'))).toEqual([]);
  };

  it('an artifact with one flipped bit, or longer than it should be', async () => {
    for (const harm of [
      (bytes: Buffer) => ((bytes[50] = bytes[50]! ^ 1), bytes),
      (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')]),
    ]) {
      const bytes = await buildTarGz(siteFiles('bad'));
      const artifact = server.addArtifact(bytes, 'bad.tar.gz', 'tar.gz');
      server.tamper(artifact.id, harm(Buffer.from(bytes)));
      const command = server.command(artifact, {
        scenario: {
          pre: [node("require('fs').writeFileSync('ran','')")],
          deploy: [{ sourcePath: '/', deployPath: 'site' }],
          post: [],
        },
      });
      server.deploy(command);
      expect(await server.final(command.id)).toMatchObject({ step: 'pre', status: 'fail', code: 'bad_artifact' });
      expect(existsSync(join(root, 'ran'))).toBe(false);
      expectGood();
    }
  });

  it('an artifact that is changed between the check and the unpacking', async () => {
    const script =
      "const f=require('fs'),d='.gantry-agent/artifacts/';for(const n of f.readdirSync(d))f.appendFileSync(d+n,'x')";
    const command = server.command(await site('bad'), {
      scenario: { pre: [node(script)], deploy: [{ sourcePath: '/', deployPath: 'site' }], post: [] },
    });
    const artifact = command.artifact;
    const first = await buildTarGz(siteFiles('bad'));
    expect(artifact.size).toBe(first.length);
    // The second download, made because the file is not what it was, is not better.
    server.onMessage = (message) =>
      void (
        message.type === 'report' &&
        message.log?.includes('SHA-256 is right') &&
        server.tamper(artifact.id, Buffer.alloc(artifact.size))
      );
    server.deploy(command);
    expect(await server.final(command.id)).toMatchObject({ step: 'deploy', status: 'fail', code: 'bad_artifact' });
    expectGood();
  });

  it('an unsafe archive, a bad path, a failing and an endless program', async () => {
    const evil = server.addArtifact(
      await buildTarGz([
        { name: 'a', content: 'a' },
        { name: '../evil', content: 'x' },
      ]),
      'e.tgz',
      'tar.gz',
    );
    const good = await site('bad');
    symlinkSync('/tmp', join(root, 'away'));
    const deployTo = (deployPath: string) => ({ pre: [], deploy: [{ sourcePath: '/', deployPath }], post: [] });
    const before = (call: { args: string[]; timeoutMs?: number }) => ({
      pre: [call],
      deploy: [{ sourcePath: '/', deployPath: 'site' }],
      post: [],
    });
    const cases = [
      [server.command(evil), 'deploy', 'unsafe_archive'],
      [server.command(good, { scenario: deployTo('../out') }), 'deploy', 'bad_path'],
      [server.command(good, { scenario: deployTo('.Gantry-agent/x') }), 'deploy', 'bad_path'],
      [server.command(good, { scenario: deployTo('away/site') }), 'deploy', 'bad_path'],
      [server.command(good, { scenario: before(node('process.exit(3)')) }), 'pre', 'command_failed'],
      [server.command(good, { scenario: before({ args: ['/no/such/program'] }) }), 'pre', 'command_failed'],
      [
        server.command(good, { scenario: before({ ...node('setInterval(()=>{},1000)'), timeoutMs: 200 }) }),
        'pre',
        'timed_out',
      ],
    ] as const;
    for (const [command, step, code] of cases) {
      server.deploy(command);
      expect(await server.final(command.id)).toMatchObject({ step, status: 'fail', code, error: expect.any(String) });
      expectGood();
    }
    expect(existsSync(join(scratch.path, 'evil'))).toBe(false);
    expect(existsSync(join(scratch.path, 'out'))).toBe(false);
  });

  it('a cancel, inside a program and for a command that waits its turn', async () => {
    const endless = node(
      "require('child_process').spawn(process.execPath,['-e','setInterval(()=>{},1e3)'],{stdio:'ignore'});console.log('runs');setInterval(()=>{},1e3)",
    );
    const running = server.command(await site('bad'), {
      scenario: { pre: [endless], deploy: [{ sourcePath: '/', deployPath: 'site' }], post: [] },
    });
    const waiting = server.command(running.artifact);
    server.deploy(running);
    server.deploy(waiting);
    await until('the program', () => logOf(running.id).includes('runs'));
    server.send({ type: 'cancel', commandId: waiting.id });
    const asked = Date.now();
    server.send({ type: 'cancel', commandId: running.id });
    expect(await server.final(running.id)).toMatchObject({ step: 'pre', status: 'fail', code: 'canceled' });
    expect(Date.now() - asked).toBeLessThan(1500);
    expect(words([await server.final(waiting.id)])).toEqual(['pre fail']);
    expectGood();
  });

  it('a folder of somebody else in the place of the link', async () => {
    mkdirSync(join(root, 'mine/current'), { recursive: true });
    writeFileSync(join(root, 'mine/current/file'), 'mine');
    const command = server.command(await site('bad'), {
      scenario: { pre: [], deploy: [{ sourcePath: '/', deployPath: 'mine' }], post: [] },
    });
    server.deploy(command);
    expect(await server.final(command.id)).toMatchObject({ step: 'deploy', status: 'fail', code: 'bad_path' });
    expect(readFileSync(join(root, 'mine/current/file'), 'utf8')).toBe('mine');
  });
});
