// Cancel of a deployment: before it was handed over, while the agent works, and while the agent is away.
import { listTargets } from '../../src/db/queries/deploymentTargets';
import { findDeployment } from '../../src/db/queries/deployments';
import { statusOf } from '../../src/api/routes/deployments/present';
import { cancelJob } from '../../src/jobs/commands/cancelJob';
import { startDeployment } from '../../src/jobs/deployments/startDeployment';
import { openHarness, until, type Harness } from './harness';

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness();
}, 60_000);
afterAll(() => harness.close());

const read = async (id: number) =>
  (await findDeployment(harness.database.kysely, id, { userId: harness.admin.id, all: true }))!;
const ended = (id: number) =>
  until(`deployment ${id} ends`, async () => {
    const row = await read(id);
    return row.endedAt ? row : null;
  });
const statuses = async (id: number) => (await listTargets(harness.deps.db, id)).map((target) => target.status);

const SLEEPS = { pre: [{ args: ['node', '-e', 'setTimeout(() => {}, 60000)'] }] };

test('a running one: the agent stops, the target says so, those not begun have no progress', async () => {
  await harness.agent('c-1');
  await harness.agent('c-2');
  const projectId = await harness.project('cancel-running');
  const scenarioId = await harness.scenario(projectId, { agents: ['c-1', 'c-2'], config: SLEEPS });
  const artifactId = await harness.site(projectId, { a: 'a' });
  const { id, jobId } = await startDeployment(harness.deps, harness.admin, projectId, scenarioId, { artifactId });
  await until('it runs', async () => (await statuses(id))[0] === 'pre');

  await cancelJob(harness.deps, harness.admin, jobId, { reason: 'wrong one' });
  const row = await ended(id);
  expect(statusOf(row)).toBe('canceled');
  const [first, second] = await listTargets(harness.deps.db, id);
  expect(first).toMatchObject({ status: 'fail', cause: 'canceled' });
  expect(second).toMatchObject({ status: 'no_progress', cause: 'canceled' });
}, 30_000);

test('one whose agent is away ends at once, and the agent that comes back does nothing', async () => {
  const agent = await harness.agent('c-3', { away: true });
  const projectId = await harness.project('cancel-away');
  const scenarioId = await harness.scenario(projectId, { agents: ['c-3'], config: SLEEPS });
  const artifactId = await harness.site(projectId, { a: 'a' });
  const { id, jobId } = await startDeployment(harness.deps, harness.admin, projectId, scenarioId, { artifactId });
  await until('it is confirming', async () => (await read(id)).jobPhase === 'confirming');

  await cancelJob(harness.deps, harness.admin, jobId);
  expect(statusOf(await ended(id))).toBe('canceled');
  expect(await statuses(id)).toEqual(['no_progress']);
  agent.start();
  await until('it is back', async () => (await listTargets(harness.deps.db, id))[0]?.connected);
  const sent = await harness.deps.db
    .selectFrom('deploymentTarget')
    .select('commandSentAt')
    .where('deploymentId', '=', id)
    .executeTakeFirst();
  expect(sent?.commandSentAt).toBeNull();
}, 30_000);
