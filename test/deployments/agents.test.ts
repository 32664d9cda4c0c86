// Enrolment, the gateway's door, reports taken in once, downloads and revocation.
import WebSocket from 'ws';
import { findAgent } from '../../src/db/queries/agents';
import { findStepLog, listTargets, listSteps } from '../../src/db/queries/deploymentTargets';
import { enrolAgent, createEnrolmentToken, revokeAgent } from '../../src/jobs/deployments/agentCommands';
import { startDeployment } from '../../src/jobs/deployments/startDeployment';
import { takeReport } from '../../src/jobs/deployments/takeReport';
import {
  AGENT_CONNECT_PATH,
  CLOSE_REFUSED,
  downloadHeaders,
  signHello,
  type Report,
} from '../../src/lib/agentProtocol';
import { newId } from '../../src/lib/ids';
import { createSigningKeys } from '../../src/lib/signing';
import { openHarness, until, type Harness } from './harness';

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness();
}, 60_000);
afterAll(() => harness.close());

const facts = { host: 'h', version: '1' };
const token = async (name: string) => (await createEnrolmentToken(harness.deps, harness.admin, { name })).token;
const refused = { code: 'bad_credentials', status: 401 };

/** Says hello by hand and gives what came of it: the welcome, or the code the server closed with. */
function sayHello(agentId: string, privateKey: string, headers: Record<string, string> = {}): Promise<string | number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(harness.url.replace('http', 'ws') + AGENT_CONNECT_PATH, { headers });
    socket.on('error', reject);
    socket.on('close', (code) => resolve(code));
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as { type: string; nonce?: string };
      if (message.type !== 'challenge') {
        resolve(message.type);
        return socket.close();
      }
      const proof = { agentId, challenge: message.nonce ?? '', nonce: 'n'.repeat(32) };
      const signature = signHello(proof, privateKey);
      socket.send(
        JSON.stringify({ type: 'hello', agentId, nonce: proof.nonce, signature, version: '1', host: 'h', holding: [] }),
      );
    });
  });
}

test('a token is good once; the same key may ask for its answer again, another key may not', async () => {
  const [mine, other] = [createSigningKeys(), createSigningKeys()];
  const given = await token('enrol-1');
  const db = harness.deps.db;
  const first = await enrolAgent(db, { token: given, publicKey: mine.publicKey, ...facts });
  expect(await enrolAgent(db, { token: given, publicKey: mine.publicKey, ...facts })).toEqual(first);
  await expect(enrolAgent(db, { token: given, publicKey: other.publicKey, ...facts })).rejects.toMatchObject(refused);
  await expect(enrolAgent(db, { token: 'gte_wrong', publicKey: other.publicKey, ...facts })).rejects.toMatchObject(
    refused,
  );
  expect(await db.selectFrom('agent').select('id').where('name', '=', 'enrol-1').execute()).toHaveLength(1);
});

test('two uses of one token at once make one agent', async () => {
  const given = await token('enrol-2');
  const uses = await Promise.allSettled(
    [1, 2].map(() => enrolAgent(harness.deps.db, { token: given, publicKey: createSigningKeys().publicKey, ...facts })),
  );
  expect(uses.map((use) => use.status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('a token is refused from its fifteenth minute on, and stands hashed in the ledger', async () => {
  const given = await token('enrol-3');
  const db = harness.deps.db;
  const row = await db
    .selectFrom('agentEnrolment')
    .select(['tokenHash', 'expiresAt', 'createdAt'])
    .where('name', '=', 'enrol-3')
    .executeTakeFirstOrThrow();
  expect(row.tokenHash.toString()).not.toContain(given);
  expect(Math.round((row.expiresAt.getTime() - row.createdAt.getTime()) / 60_000)).toBe(15);
  await db.updateTable('agentEnrolment').set({ expiresAt: row.createdAt }).where('name', '=', 'enrol-3').execute();
  const request = { token: given, publicKey: createSigningKeys().publicKey, ...facts };
  await expect(enrolAgent(db, request)).rejects.toMatchObject(refused);
});

test('only the holder of the key is let in, and no browser', async () => {
  const keys = createSigningKeys();
  const { agentId } = await enrolAgent(harness.deps.db, {
    token: await token('door'),
    publicKey: keys.publicKey,
    ...facts,
  });
  expect(await sayHello(agentId, keys.privateKey)).toBe('welcome');
  expect(await sayHello(agentId, createSigningKeys().privateKey)).toBe(CLOSE_REFUSED);
  expect(await sayHello(newId(), keys.privateKey)).toBe(CLOSE_REFUSED);
  await expect(sayHello(agentId, keys.privateKey, { origin: 'https://evil.example' })).rejects.toThrow('403');
});

test('a report sent again is acknowledged and changes nothing; a foreign one is not taken', async () => {
  await harness.agent('reporter', { away: true });
  const projectId = await harness.project('reports');
  const scenarioId = await harness.scenario(projectId, { agents: ['reporter'] });
  const artifactId = await harness.site(projectId, { a: 'a' });
  const { id } = await startDeployment(harness.deps, harness.admin, projectId, scenarioId, { artifactId });
  const db = harness.deps.db;
  const target = await until('its command is written', async () => {
    const [one] = await listTargets(db, id);
    return one?.commandId ? one : null;
  });
  const deps = { db, wakeWork: () => harness.deps.waker.wake('gantry_work') };
  const report = (seq: number, given: Partial<Report>): Report => ({
    type: 'report',
    commandId: target.commandId!,
    seq,
    step: 'pre',
    status: 'started',
    at: Date.now(),
    final: false,
    ...given,
  });
  expect(await takeReport(deps, newId(), report(1, {}))).toBe('unknown');
  expect(await takeReport(deps, target.agentId, report(1, { log: 'one\n' }))).toBe('taken');
  expect((await listTargets(db, id))[0]?.status).toBe('pre');
  const stepsOf = () => listSteps(db, [target.id]);
  const before = await stepsOf();
  expect(await takeReport(deps, target.agentId, report(1, { log: 'one\n' }))).toBe('known');
  expect(await stepsOf()).toEqual(before);
  expect(await findStepLog(db, target.id, 'pre')).toBe('one\n');

  await takeReport(
    deps,
    target.agentId,
    report(2, { status: 'fail', final: true, code: 'timed_out', error: 'too slow' }),
  );
  await until('it has ended', async () =>
    db
      .selectFrom('deployment')
      .select('endedAt')
      .where('id', '=', id)
      .where('endedAt', 'is not', null)
      .executeTakeFirst(),
  );
  expect(await takeReport(deps, target.agentId, report(3, { step: 'post', status: 'success', final: true }))).toBe(
    'known',
  );
  const [after] = await listTargets(db, id);
  expect(after).toMatchObject({ status: 'fail', cause: 'timed_out', error: 'too slow' });
}, 30_000);

test('an agent gets the artifact of its own command only, and only by a fresh signature', async () => {
  const keys = createSigningKeys();
  const { agentId } = await enrolAgent(harness.deps.db, {
    token: await token('reader'),
    publicKey: keys.publicKey,
    ...facts,
  });
  const stranger = createSigningKeys();
  const other = await enrolAgent(harness.deps.db, {
    token: await token('stranger'),
    publicKey: stranger.publicKey,
    ...facts,
  });
  const projectId = await harness.project('downloads');
  const scenarioId = await harness.scenario(projectId, { agents: ['reader'] });
  const artifactId = await harness.site(projectId, { a: 'a' });
  const at = `/api/v1/agent/artifacts/${artifactId}`;
  const get = async (id: string, privateKey: string, time = Date.now(), path = at): Promise<number> =>
    (await fetch(harness.url + at, { headers: downloadHeaders(id, path, time, privateKey) })).status;
  expect(await get(agentId, keys.privateKey)).toBe(404);
  const { id } = await startDeployment(harness.deps, harness.admin, projectId, scenarioId, { artifactId });
  await until('its command is written', async () => (await listTargets(harness.deps.db, id))[0]?.commandId);
  expect(await get(agentId, keys.privateKey)).toBe(200);
  expect(await get(other.agentId, stranger.privateKey)).toBe(404);
  expect(await get(agentId, stranger.privateKey)).toBe(401);
  expect(await get(agentId, keys.privateKey, Date.now() - 61_000)).toBe(401);
  expect(await get(agentId, keys.privateKey, Date.now(), '/api/v1/agent/artifacts/0')).toBe(401);
}, 30_000);

test('a revoked agent is cut off, its target fails, and its name is free again', async () => {
  const agent = await harness.agent('revoked');
  const db = harness.deps.db;
  const { id: agentId } = await db
    .selectFrom('agent')
    .select('id')
    .where('name', '=', 'revoked')
    .executeTakeFirstOrThrow();
  const projectId = await harness.project('revoking');
  const config = { pre: [{ args: ['node', '-e', 'setTimeout(() => {}, 60000)'] }] };
  const scenarioId = await harness.scenario(projectId, { agents: ['revoked'], config });
  const artifactId = await harness.site(projectId, { a: 'a' });
  const { id } = await startDeployment(harness.deps, harness.admin, projectId, scenarioId, { artifactId });
  await until('it runs', async () => (await listTargets(db, id))[0]?.status === 'pre');

  await revokeAgent(harness.deps, harness.admin, agentId);
  await until('it has failed', async () => (await listTargets(db, id))[0]?.status === 'fail');
  expect((await listTargets(db, id))[0]).toMatchObject({ cause: 'agent_revoked' });
  expect((await findAgent(db, agentId))?.connected).toBe(false);
  await agent.ended(5000);
  await expect(token('revoked')).resolves.toMatch(/^gte_/);
}, 30_000);
