// The leader of maintenance chains the audit by itself, on whatever backend the queue is.
import { insertAudit } from '../../src/db/queries/audit';
import { verifyChain } from '../../src/db/queries/auditChain';
import { startEngine, type Engine } from '../support/engine';
import { until } from '../support/until';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ backend: 'postgres' });
}, 60_000);
afterAll(() => engine.stop());

it('[G96] chains what commands wrote soon after their commit', async () => {
  const act = (subjectId: string) => ({ actor: engine.actor, action: 'test.act', subjectType: 'test', subjectId });
  for (const subjectId of ['1', '2']) await engine.db.transaction().execute((tx) => insertAudit(tx, act(subjectId)));
  const check = () => verifyChain(engine.db, 0, 100);
  await until(async () => (await check()).checked === 2, 'two entries of the chain', 20_000);
  expect(await check()).toMatchObject({ faults: [], more: false });
});
