// F21 (reliability.md): the agent is killed at every step, the server goes away in the middle. The target is old or new, whole;
// the work is finished by the next start; every report arrives, in order, with one content for one number.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentCommand, Report } from '../../src/lib/agentProtocol';
import { buildTarGz, siteFiles } from './buildArchive';
import { startAgentServer, type AgentServer } from './agentServer';
import { removeAgentProgram, scratchFolder, startAgentProcess, type AgentProcess } from './startAgent';
import { until } from './until';

const FILES = 200;
let server: AgentServer;
let scratch: ReturnType<typeof scratchFolder>;
let agent: AgentProcess;
let gate: Gate;
let deployments: number;

beforeEach(async () => {
  server = await startAgentServer();
  gate = await startGate();
  scratch = scratchFolder();
  agent = startAgentProcess(server.url, scratch.path, server.token);
  await until('the agent', () => server.isConnected());
  deployments = 0;
  await deploy('old');
});
afterEach(async () => {
  await agent.kill();
  await server.close();
  await gate.close();
  scratch.remove();
});

afterAll(removeAgentProgram);

/** Programs of the scenario knock here and wait until they are let through; so a test knows where the agent stands. */
interface Gate {
  call(name: string): { args: string[] };
  knocks(name: string): number;
  open: boolean;
  close(): Promise<void>;
}
async function startGate(): Promise<Gate> {
  const knocks: string[] = [];
  let waiting: (() => void)[] = [];
  let isOpen = true;
  const http: Server = createServer((request, response) => {
    knocks.push((request.url ?? '').slice(1));
    if (isOpen) response.end();
    else waiting.push(() => response.end());
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
  return {
    call: (name) => ({
      args: [process.execPath, '-e', `fetch('${url}${name}').then(r => r.text()).catch(() => process.exit(1))`],
    }),
    knocks: (name) => knocks.filter((knock) => knock === name).length,
    get open() {
      return isOpen;
    },
    set open(value) {
      isOpen = value;
      if (value) for (const pass of waiting) pass();
      if (value) waiting = [];
    },
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

async function commandFor(version: string): Promise<AgentCommand> {
  const artifact = server.addArtifact(await buildTarGz(siteFiles(version, FILES)), 'site.tar.gz', 'tar.gz');
  return server.command(artifact, {
    deploymentId: ++deployments,
    scenario: {
      pre: [gate.call('pre-1'), gate.call('pre-2')],
      deploy: [{ sourcePath: '/', deployPath: 'site' }],
      post: [gate.call('post-1'), gate.call('post-2')],
    },
  });
}

async function deploy(version: string): Promise<void> {
  const { artifact, scenario } = await commandFor(version);
  const command = server.command(artifact, { deploymentId: 1, scenario: { ...scenario, pre: [], post: [] } });
  server.deploy(command);
  expect((await server.final(command.id)).status).toBe('success');
}

/** The version that `current` shows; fails if it is mixed or has holes. */
function versionOnTarget(): string {
  // The link is followed once, as a server that serves one answer does: it may be switched while the files are read.
  const release = realpathSync(join(scratch.path, 'site/current'));
  const files = siteFiles('', FILES).map((file) => readFileSync(join(release, file.name), 'utf8'));
  const versions = [...new Set(files)];
  expect(versions).toHaveLength(1);
  return versions[0] ?? '';
}

function expectDone(command: AgentCommand): void {
  expect(versionOnTarget()).toBe('new');
  expect(readlinkSync(join(scratch.path, 'site/current'))).toBe(`releases/${command.deploymentId}`);
  expect(readdirSync(join(scratch.path, 'site/releases')).filter((name) => name.startsWith('.tmp'))).toEqual([]);
  const reports = server.reports(command.id);
  expect(reports.map((report) => report.seq)).toEqual(reports.map((_, index) => index + 1));
  const words = reports
    .filter((report) => report.status !== 'progress')
    .map((report) => `${report.step} ${report.status}`);
  expect(words).toEqual([
    'pre started',
    'pre success',
    'deploy started',
    'deploy success',
    'post started',
    'post success',
  ]);
}

async function killAndRestart(): Promise<void> {
  await agent.kill();
  expect(['old', 'new']).toContain(versionOnTarget());
  agent = startAgentProcess(server.url, scratch.path);
}

const atReport = (step: Report['step'], status: Report['status'], log?: string) => async (command: AgentCommand) => {
  await new Promise<void>((resolve) => {
    server.onMessage = (message) => {
      if (message.type !== 'report' || message.commandId !== command.id) return;
      if (message.step !== step || message.status !== status || (log && !message.log?.includes(log))) return;
      server.onMessage = () => undefined;
      resolve();
      // Not acknowledged: it has to come again.
      return false;
    };
    server.deploy(command);
  });
};
const atGate = (name: string) => async (command: AgentCommand) => {
  const before = gate.knocks(name);
  // Those before it pass by hand.
  gate.open = false;
  server.deploy(command);
  await until(`the program ${name}`, () => {
    if (gate.knocks(name) > before) return true;
    gate.open = true;
    gate.open = false;
    return false;
  });
};
const atSight = (what: string, look: () => boolean) => async (command: AgentCommand) => {
  server.deploy(command);
  await until(what, look);
};

const moments: [string, (command: AgentCommand) => Promise<void>][] = [
  [
    'when it has accepted',
    async (command) => {
      server.deploy(command);
      await until('accepted', () =>
        server.heard.some((message) => message.type === 'accepted' && message.commandId === command.id),
      );
    },
  ],
  ['at the first report', atReport('pre', 'started')],
  ['in the first program of pre', atGate('pre-1')],
  ['in the second program of pre', atGate('pre-2')],
  ['after pre', atReport('pre', 'success')],
  ['while it unpacks', atSight('scratch', () => existsSync(join(scratch.path, 'site/releases/.tmp-new-2/part-1')))],
  ['when the release stands', atSight('the release', () => existsSync(join(scratch.path, 'site/releases/2')))],
  [
    'when the link is switched',
    atSight('the link', () => readlinkSync(join(scratch.path, 'site/current')) === 'releases/2'),
  ],
  ['after deploy', atReport('deploy', 'success')],
  ['in the second program of post', atGate('post-2')],
  ['at the last report', atReport('post', 'success')],
];

it.each(moments)('killed %s: old or new, and finished by the next start', async (_when, reach) => {
  const command = await commandFor('new');
  await reach(command);
  await killAndRestart();
  gate.open = true;
  expect((await server.final(command.id)).status).toBe('success');
  expectDone(command);
  await until('an empty journal', () => readdirSync(join(scratch.path, '.gantry-agent/commands')).length === 0);
});

it('does not run again what was done before the kill, and ends what the kill left running', async () => {
  const command = await commandFor('new');
  const counts = () => ['pre-1', 'pre-2', 'post-1', 'post-2'].map((name) => gate.knocks(name));
  const before = counts();
  await atGate('post-2')(command);
  const pidOf = (text: string): number => Number(/"name":"post 1 begun","data":\{"pid":(\d+)/.exec(text)?.[1]);
  const pid = pidOf(readFileSync(join(scratch.path, '.gantry-agent/commands', `${command.id}.ndjson`), 'utf8'));
  expect(() => process.kill(pid, 0)).not.toThrow();
  await killAndRestart();
  await until('the left-over program is gone', () => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  });
  gate.open = true;
  await server.final(command.id);
  // Only post-2 was begun and not done.
  expect(counts().map((count, index) => count - (before[index] ?? 0))).toEqual([1, 1, 1, 2]);
});

it('killed at ten moments as they come, the target is never mixed and every command ends', async () => {
  for (let round = 0; round < 10; round++) {
    const command = await commandFor(round % 2 ? 'old' : 'new');
    server.deploy(command);
    await until('some reports', () => server.reports(command.id).length > round % 5);
    await killAndRestart();
    expect((await server.final(command.id)).status).toBe('success');
    expect(versionOnTarget()).toBe(round % 2 ? 'old' : 'new');
    await until('the agent', () => server.isConnected());
  }
}, 120_000);

it('finishes the work while the server is away, and reports it when it is back', async () => {
  const command = await commandFor('new');
  await atGate('pre-2')(command);
  await server.away();
  const heard = server.reports(command.id).length;
  gate.open = true;
  await until('the new version', () => versionOnTarget() === 'new');
  await until('post', () => gate.knocks('post-2') === 1);
  expect(server.reports(command.id)).toHaveLength(heard);
  await server.back();
  expect((await server.final(command.id)).status).toBe('success');
  expectDone(command);
});

it('says in its hello what it holds, and delivers after a restart what was not acknowledged', async () => {
  const command = await commandFor('new');
  server.withholdAcks = true;
  server.deploy(command);
  await until('the last report', () =>
    server.heard.some((message) => message.type === 'report' && message.commandId === command.id && message.final),
  );
  await killAndRestart();
  server.withholdAcks = false;
  await server.final(command.id);
  expectDone(command);
  const hellos = server.heard.filter((message) => message.type === 'hello');
  expect(hellos.map((message) => message.holding)).toEqual([[], [command.id]]);
});

it('refuses to share its folder with another agent', async () => {
  const second = startAgentProcess(server.url, scratch.path);
  const code = await new Promise((resolve) => second.child.once('exit', resolve));
  expect(code).toBe(1);
  expect(server.isConnected()).toBe(true);
});
