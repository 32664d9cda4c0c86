// Deployments end to end: real agents over a real gateway, the process advanced by the runner, the history read from the ledger.
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { findDeployment, listDeployments } from '../../src/db/queries/deployments';
import { findStepLog, listSteps, listTargets } from '../../src/db/queries/deploymentTargets';
import { startDeployment } from '../../src/jobs/deployments/startDeployment';
import { presentHistory, presentSeedServer, statusOf } from '../../src/api/routes/deployments/present';
import { seedServerDetail } from '../../src/api/contract/deploymentShapes';
import { openHarness, until, type Harness } from './harness';

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness();
}, 60_000);
afterAll(() => harness.close());

const all = { userId: '', all: true };
const viewer = () => ({ ...all, userId: harness.admin.id });

async function deploy(
  projectId: number,
  scenarioId: number,
  artifactId: number,
): Promise<{ id: number; jobId: string }> {
  return startDeployment(harness.deps, harness.admin, projectId, scenarioId, { artifactId });
}

async function read(id: number) {
  return (await findDeployment(harness.database.kysely, id, viewer()))!;
}

async function ended(id: number) {
  return until(`deployment ${id} ends`, async () => {
    const row = await read(id);
    return row.endedAt ? row : null;
  });
}

const stepsOf = async (id: number) => {
  const db = harness.database.kysely;
  return listSteps(
    db,
    (await listTargets(db, id)).map((target) => target.id),
  );
};

const statuses = async (id: number) => (await listTargets(harness.database.kysely, id)).map((target) => target.status);

test('an archive reaches the target, its steps are kept, and both histories tell it', async () => {
  const agent = await harness.agent('web-1');
  const projectId = await harness.project('shop');
  const config = {
    pre: [{ args: ['node', '-e', 'console.log("before")'] }],
    post: [{ args: ['node', '-e', 'console.log("after")'] }],
  };
  const scenarioId = await harness.scenario(projectId, { agents: ['web-1'], config });
  const artifactId = await harness.site(projectId, { 'index.html': '<h1>hello</h1>' });
  const { id, jobId } = await deploy(projectId, scenarioId, artifactId);

  const row = await ended(id);
  expect({ status: statusOf(row), error: row.error }).toEqual({ status: 'success', error: null });
  const current = path.join(agent.root, 'site', 'current');
  expect(readFileSync(path.join(current, 'index.html'), 'utf8')).toBe('<h1>hello</h1>');
  expect(path.basename(readlinkSync(current))).toBe(String(id));

  const db = harness.database.kysely;
  const steps = await stepsOf(id);
  expect(steps.map((step) => [step.step, step.status])).toEqual([
    ['pre', 'success'],
    ['deploy', 'success'],
    ['post', 'success'],
  ]);
  expect(await findStepLog(db, steps[0]!.targetId, 'pre')).toContain('before');
  expect(steps.every((step) => step.startedAt && step.endedAt && step.startedAt <= step.endedAt)).toBe(true);
  expect(await db.selectFrom('job').select(['state']).where('id', '=', jobId).executeTakeFirst()).toEqual({
    state: 'succeeded',
  });
  expect(presentHistory(row)).toMatchObject({
    id,
    jobId,
    account: 'ada@example.com',
    state: 'deployed',
    entries: { total: 1, byType: { server: 1 } },
  });

  const seed = presentSeedServer(row, await listTargets(db, id), steps);
  expect(seedServerDetail.parse(seed)).toEqual(seed);
  const instant = expect.stringMatching(/^\d{4}-.*Z$/);
  expect(seed).toEqual({
    id,
    project: { id: projectId, name: 'shop' },
    stage: { id: row.stageId, name: row.stageName },
    scenario: { id: scenarioId, name: row.scenarioName },
    status: 'success',
    executor: 'ada@example.com',
    startTime: instant,
    endTime: instant,
    type: 'Server',
    config: {
      strategy: 'normal',
      file: { type: 'later', selected: 'site.tar:1' },
      targets: [
        {
          server: { no: expect.any(Number), name: 'web-1' },
          status: 'success',
          time: { pre: instant, deploy: instant, post: instant },
          step: { pre: 'success', deploy: 'success', post: 'success' },
        },
      ],
    },
  });
}, 60_000);

test('with the agent away it is confirming and holds no worker; back again, the agent confirms', async () => {
  const agent = await harness.agent('web-2', { away: true });
  const projectId = await harness.project('away');
  const scenarioId = await harness.scenario(projectId, { agents: ['web-2'] });
  const { id, jobId } = await deploy(projectId, scenarioId, await harness.site(projectId, { 'a.txt': 'a' }));

  const waiting = await until('it is confirming', async () => {
    const row = await read(id);
    return row.jobPhase === 'confirming' ? row : null;
  });
  expect(waiting.jobWaitingFor).toBe('agent web-2');
  expect(presentHistory(waiting).state).toBe('confirming');
  expect(await statuses(id)).toEqual(['pending']);
  const db = harness.database.kysely;
  const run = await db
    .selectFrom('run')
    .select(['leaseUntil', 'workerId'])
    .where('jobId', '=', jobId)
    .executeTakeFirst();
  expect(run).toEqual({ leaseUntil: null, workerId: null });
  expect(await db.selectFrom('outbox').selectAll().where('jobId', '=', jobId).execute()).toEqual([]);

  agent.start();
  expect(statusOf(await ended(id))).toBe('success');
  expect(existsSync(path.join(agent.root, 'site', 'current', 'a.txt'))).toBe(true);
}, 60_000);

test('in sequence the failure of the first target leaves the second untouched', async () => {
  const [first, second] = [await harness.agent('seq-1'), await harness.agent('seq-2')];
  const projectId = await harness.project('sequence');
  const config = { pre: [{ args: ['node', '-e', 'process.exit(3)'] }] };
  const scenarioId = await harness.scenario(projectId, { agents: ['seq-1', 'seq-2'], config });
  const { id, jobId } = await deploy(projectId, scenarioId, await harness.site(projectId, { 'a.txt': 'a' }));

  const row = await ended(id);
  expect(statusOf(row)).toBe('fail');
  expect(row.error).toContain('"seq-1"');
  expect(await statuses(id)).toEqual(['fail', 'no_progress']);
  const steps = await stepsOf(id);
  expect(steps.map((step) => [step.step, step.status])).toEqual([['pre', 'fail']]);
  expect(existsSync(path.join(first.root, 'site'))).toBe(false);
  expect(existsSync(path.join(second.root, 'site'))).toBe(false);
  const job = await harness.database.kysely
    .selectFrom('job')
    .select(['state', 'errorCode'])
    .where('id', '=', jobId)
    .execute();
  expect(job).toEqual([{ state: 'failed', errorCode: 'target_failed' }]);
}, 60_000);

test('all at once: the failure of one target does not keep the other from succeeding', async () => {
  await harness.agent('sim-1');
  const second = await harness.agent('sim-2');
  const projectId = await harness.project('simultaneous');
  const script = 'process.exit(process.cwd().includes("sim-1") ? 1 : 0)';
  const config = { sequence: false, pre: [{ args: ['node', '-e', script] }] };
  const scenarioId = await harness.scenario(projectId, { agents: ['sim-1', 'sim-2'], config });
  const { id } = await deploy(projectId, scenarioId, await harness.site(projectId, { 'a.txt': 'a' }));
  expect(statusOf(await ended(id))).toBe('fail');
  expect(await statuses(id)).toEqual(['fail', 'success']);
  expect(existsSync(path.join(second.root, 'site', 'current', 'a.txt'))).toBe(true);
}, 60_000);

test('the history outlives the job', async () => {
  const db = harness.database.kysely;
  const [row] = await listDeployments(db, viewer(), {
    state: 'deployed',
    statuses: { deployed: ['success'], notDeployed: ['fail', 'error', 'canceled', 'reject'] },
    after: null,
    limit: 1,
  });
  await db.deleteFrom('job').where('id', '=', row!.jobId).execute();
  const kept = await read(row!.id);
  expect(kept.jobState).toBeNull();
  expect(statusOf(kept)).toBe('success');
  expect(presentHistory(kept).entries.total).toBe(1);
  expect(await listTargets(db, row!.id)).toHaveLength(1);
});
