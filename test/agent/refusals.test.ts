// Commands that must not be run (reliability.md A11): replayed, reordered, altered, expired, for another, of an older epoch.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandMessage, readAgentMessage, type AgentCommand, type RejectReason } from '../../src/lib/agentProtocol';
import { createSigningKeys } from '../../src/lib/signing';
import { startAgentServer, type AgentServer } from './agentServer';
import { scratchFolder, startAgent, type RunningAgent } from './startAgent';
import { until } from './until';

let server: AgentServer;
let scratch: ReturnType<typeof scratchFolder>;
let agent: RunningAgent;
let artifact: AgentCommand['artifact'];

beforeEach(async () => {
  server = await startAgentServer();
  scratch = scratchFolder();
  agent = startAgent({ server: server.url, root: scratch.path, enrolToken: server.token });
  await until('the agent', () => server.isConnected());
  artifact = server.addArtifact(Buffer.from('plain'), 'plain.txt', 'file');
});
afterEach(async () => {
  await agent.stop();
  await server.close();
  scratch.remove();
});

/** Every run of it adds a line to a file of its own. */
function counted(more: Partial<AgentCommand> = {}): AgentCommand {
  const command = server.command(artifact, more);
  const script = `require('fs').appendFileSync('ran', '${command.id}\\n')`;
  const scenario = { pre: [{ args: [process.execPath, '-e', script] }], deploy: [], post: [] };
  return { ...command, scenario };
}
const runs = (): string[] => {
  const path = join(scratch.path, 'ran');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
};
const refusals = (): RejectReason[] =>
  server.heard.flatMap((message) => (message.type === 'rejected' ? [message.reason] : []));

it('refuses each for its own reason and runs none', async () => {
  const good = counted();
  const now = Date.now();
  const signed = (command: AgentCommand) => commandMessage(command, server.keys.privateKey);
  const other = commandMessage(counted(), createSigningKeys().privateKey);
  const sent: [Record<string, unknown>, RejectReason][] = [
    [signed({ ...good, agentId: good.id }), 'wrong_audience'],
    [signed({ ...good, issuedAt: now - 120_000, expiresAt: now - 60_000 }), 'expired'],
    [signed({ ...good, expiresAt: now + 3_600_000 }), 'expired'],
    [other, 'bad_signature'],
    [{ ...signed(good), command: { ...good, deploymentId: good.deploymentId + 1 } }, 'bad_signature'],
    [{ ...signed(good), command: { ...good, more: 1 } }, 'bad_signature'],
    [{ ...signed(good), command: null }, 'bad_signature'],
    [{ ...signed(good), signature: '' }, 'bad_signature'],
  ];
  for (const [index, [message, reason]] of sent.entries()) {
    server.send(message);
    await until(`refusal ${index}`, () => refusals().length === index + 1);
    expect(refusals()[index]).toBe(reason);
  }
  expect(runs()).toEqual([]);
});

it('refuses a thousand altered bytes', async () => {
  const text = JSON.stringify(commandMessage(counted(), server.keys.privateKey));
  let sent = 0;
  for (let index = 0; index < 1000; index++) {
    const at = Math.floor((index / 1000) * text.length);
    const altered = text.slice(0, at) + (text[at] === '7' ? '8' : '7') + text.slice(at + 1);
    let parsed: unknown;
    try {
      parsed = JSON.parse(altered);
    } catch {
      continue;
    }
    server.send(parsed as Record<string, unknown>);
    sent++;
  }
  expect(sent).toBeGreaterThan(400);
  const marker = counted();
  server.deploy(marker);
  await server.final(marker.id);
  // Keys and types that were altered make messages that are not understood and not answered; none of them is run.
  expect(runs()).toEqual([marker.id]);
  expect(server.heard.filter((message) => message.type === 'accepted')).toHaveLength(1);
});

it('runs a command once, however often it comes, also after a restart', async () => {
  const command = counted();
  for (let index = 0; index < 5; index++) server.deploy(command);
  await server.final(command.id);
  server.deploy(command);
  await agent.stop();
  agent = startAgent({ server: server.url, root: scratch.path });
  await until('the agent again', () => server.connections() === 2 && server.isConnected());
  server.deploy(command);
  const accepted = () => server.heard.filter((message) => message.type === 'accepted');
  await until('all answers', () => accepted().length >= 6);
  expect(
    accepted()
      .map((message) => message.type === 'accepted' && message.repeated)
      .slice(0, 2),
  ).toEqual([false, true]);
  const marker = counted();
  server.deploy(marker);
  await server.final(marker.id);
  expect(runs()).toEqual([command.id, marker.id]);
});

it('refuses an older or the same epoch of a target, also after a restart, and takes a newer one', async () => {
  const first = counted({ targetId: 7, epoch: 5 });
  server.deploy(first);
  await server.final(first.id);
  await agent.stop();
  agent = startAgent({ server: server.url, root: scratch.path });
  await until('the agent again', () => server.connections() === 2 && server.isConnected());
  server.deploy(counted({ targetId: 7, epoch: 4 }));
  server.deploy(counted({ targetId: 7, epoch: 5 }));
  await until('two refusals', () => refusals().length === 2);
  expect(refusals()).toEqual(['older_epoch', 'older_epoch']);
  const newer = counted({ targetId: 7, epoch: 6 });
  server.deploy(newer);
  await server.final(newer.id);
  expect(runs()).toEqual([first.id, newer.id]);
});

it('lets a newer epoch take the place of a command in work', async () => {
  const endless = server.command(artifact, { targetId: 9, epoch: 1 });
  endless.scenario.pre = [{ args: [process.execPath, '-e', "console.log('runs');setInterval(()=>{},1e3)"] }];
  server.deploy(endless);
  await until('the program', () => server.reports(endless.id).some((report) => report.log?.includes('runs')));
  const newer = counted({ targetId: 9, epoch: 2 });
  server.deploy(newer);
  expect(await server.final(endless.id)).toMatchObject({ status: 'fail', code: 'superseded' });
  expect((await server.final(newer.id)).status).toBe('success');
});

it('reads nothing but the protocol', () => {
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"type":"hello"}',
    '{"type":"report","seq":0}',
    '{"__proto__":{"type":"hello"}}',
  ]) {
    expect(readAgentMessage(text)).toBeNull();
  }
});
