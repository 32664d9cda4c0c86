// Second half of the tour: a project with a stage and a scenario is made, a small site is uploaded and deployed to an agent,
// and the deployment history is shown.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { AGENT_NAME, isEnrolled, startDemoAgent, type DemoAgent } from './demoAgent';
import { poll, type DemoClient } from './demoClient';
import { packSite } from './packSite';

interface Entry {
  id: number;
  name: string;
}

interface AgentEntry {
  name: string;
  state: string;
}

interface HistoryItem {
  id: number;
  date: string;
  account: string;
  state: string;
  entries: { total: number };
}

const WITHIN_MS = 60_000;

export interface DeploymentTour {
  isAsExpected: boolean;
  agent: DemoAgent;
}

export async function tourDeployment(client: DemoClient, server: string, folder: string): Promise<DeploymentTour> {
  console.log('\n2. A deployment: a small site to an agent, a process of its own on this machine');
  const agent = await enrolAgent(client, server, path.join(folder, 'target'));
  try {
    const isAsExpected = await deploy(client, agent);
    await showHistory(client);
    return { isAsExpected, agent };
  } catch (error) {
    await agent.stop();
    throw error;
  }
}

async function enrolAgent(client: DemoClient, server: string, root: string): Promise<DemoAgent> {
  const { token } = isEnrolled(root)
    ? { token: null }
    : await client.post<{ token: string }>('/api/v1/agents/enrolment-tokens', { name: AGENT_NAME });
  const agent = startDemoAgent(server, root, token);
  const isConnected = (list: { items: AgentEntry[] }): boolean =>
    list.items.some((item) => item.name === AGENT_NAME && item.state === 'connected');
  try {
    await poll(() => client.get<{ items: AgentEntry[] }>('/api/v1/agents?limit=100'), isConnected, {
      withinMs: WITHIN_MS,
      everyMs: 150,
      what: `the agent's connection (its log: ${root}.log)`,
    });
  } catch (error) {
    await agent.stop();
    throw error;
  }
  return agent;
}

async function deploy(client: DemoClient, agent: DemoAgent): Promise<boolean> {
  const project = await ensure(client, '/api/v1/projects', { name: 'demo-site' });
  const at = `/api/v1/projects/${project.id}`;
  const stage = await ensure(client, `${at}/stages`, {
    name: 'this-machine',
    type: 'server',
    target: { agents: [AGENT_NAME] },
  });
  const scenario = await ensure(client, `${at}/scenarios`, {
    name: 'Publish',
    stageId: stage.id,
    description: 'Unpack the archive and switch the link "current" to it',
    config: {
      strategy: 'normal',
      pre: [{ args: [process.execPath, '--version'] }],
      deploy: [{ sourcePath: '/', deployPath: 'site' }],
    },
  });
  const archive = new File([await packSite(new Date())], 'site.tar', { type: 'application/x-tar' });
  const artifact = await client.upload<{ id: number; sha256: string }>(`${at}/artifacts`, { file: archive });
  const started = await client.post<{ id: number; jobId: string }>(`${at}/scenarios/${scenario.id}/deploy`, {
    artifactId: artifact.id,
  });
  const job = await poll(
    () => client.get<{ state: string; group: string }>(`/api/v1/jobs/${started.jobId}`),
    (one) => one.group === 'processed',
    { withinMs: WITHIN_MS, everyMs: 150, what: 'the end of the deployment' },
  );
  const deployment = await client.get<{ status: string }>(`/api/v1/deployments/${started.id}`);
  const page = path.join(agent.root, 'site', 'current', 'index.html');
  console.log(`   ended ${deployment.status} (job ${job.state}); the site is at ${page}`);
  return job.state === 'succeeded' && deployment.status === 'success' && existsSync(page);
}

/** Makes it, or finds the one that an earlier demo made. */
async function ensure(
  client: DemoClient,
  list: string,
  body: { name: string } & Record<string, unknown>,
): Promise<Entry> {
  const { items } = await client.get<{ items: Entry[] }>(`${list}?limit=100`);
  return items.find((item) => item.name === body.name) ?? client.post<Entry>(list, body);
}

async function showHistory(client: DemoClient): Promise<void> {
  const { items } = await client.get<{ items: HistoryItem[] }>('/api/v1/deployment-history?limit=5');
  console.log('   deployment history:');
  for (const item of items) {
    console.log(`   #${item.id}  ${item.date}  ${item.account}  ${item.state}  ${item.entries.total} target(s)`);
  }
}
