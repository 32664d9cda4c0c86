import type { Tx } from '../../../src/db/database';
import type { Actor } from '../../../src/jobs/actor';
import type { ChunkContext, ChunkOutcome, JsonObject } from '../../../src/jobs/define';
import { usersImport } from '../../../src/jobs/definitions/users.import';
import { newId } from '../../../src/lib/ids';
import { buildUser, openTestLedger, type TestLedger } from '../../support/factories';

let ledger: TestLedger;
let root: Actor;
beforeEach(async () => {
  ledger = await openTestLedger();
  root = await buildUser(ledger.db, { role: 'superadmin', email: 'root@x.test', name: 'Root' });
});
afterEach(() => ledger.close());

function chunkOf(tx: Tx, rows: JsonObject[], from = 0): Promise<ChunkOutcome> {
  const context = { jobId: newId(), owner: root, tx } as unknown as ChunkContext<Record<string, never>>;
  return usersImport.processChunk(
    context,
    rows.map((data, at) => ({ rowIndex: from + at, data })),
  );
}

const run = (rows: JsonObject[]): Promise<ChunkOutcome> => ledger.db.transaction().execute((tx) => chunkOf(tx, rows));
const accounts = async () =>
  (await ledger.db.selectFrom('appUser').selectAll().orderBy('email').execute()).map(
    ({ email, name, role, version }) => `${email} ${name} ${role} ${version}`,
  );
const audits = async () =>
  (await ledger.db.selectFrom('audit').selectAll().orderBy('id').execute()).map((row) => row.action);

it('creates, changes and passes over accounts, each with one audit row', async () => {
  expect(
    await run([
      { email: 'Ada@x.test', name: 'Ada', role: '' },
      { email: 'bob@x.test', name: 'Bob', role: 'power_user' },
    ]),
  ).toMatchObject({ type: 'done', results: [{ success: true }, { success: true }] });
  expect(await accounts()).toEqual([
    'ada@x.test Ada user 1',
    'bob@x.test Bob power_user 1',
    'root@x.test Root superadmin 1',
  ]);
  const outcome = await run([
    { email: 'ada@x.test', name: 'Ada' },
    { email: 'BOB@x.test', name: 'Robert' },
    { email: 'cy@x.test', name: 'Cy', role: 'user' },
  ]);
  const results = outcome.type === 'done' ? [...outcome.results].sort((a, b) => a.rowIndex - b.rowIndex) : [];
  expect(results).toEqual([
    { rowIndex: 0, success: true, skipped: true },
    { rowIndex: 1, success: true },
    { rowIndex: 2, success: true },
  ]);
  expect(await accounts()).toEqual([
    'ada@x.test Ada user 1',
    'bob@x.test Robert power_user 2',
    'cy@x.test Cy user 1',
    'root@x.test Root superadmin 1',
  ]);
  expect(await audits()).toEqual(['user.create', 'user.create', 'user.create', 'user.change']);
});

it('lets two rows of one address take effect in their order', async () => {
  await run([
    { email: 'a@x.test', name: 'One' },
    { email: 'A@x.test', name: 'Two', role: 'power_user' },
    { email: 'a@X.test', name: 'Three' },
  ]);
  expect((await accounts())[0]).toBe('a@x.test Three power_user 3');
  expect(await audits()).toEqual(['user.create', 'user.change', 'user.change']);
});

it('does not let the importer change the own role', async () => {
  const outcome = await run([{ email: 'root@x.test', name: 'Root', role: 'user' }]);
  expect(outcome).toMatchObject({ results: [{ success: false, code: 'own_role' }] });
  expect(await run([{ email: 'root@x.test', name: 'New name' }])).toMatchObject({ results: [{ success: true }] });
  expect(await accounts()).toEqual(['root@x.test New name superadmin 2']);
});

it('leaves nothing when its transaction does not commit', async () => {
  const failing = ledger.db.transaction().execute(async (tx) => {
    await chunkOf(tx, [{ email: 'a@x.test', name: 'A' }]);
    throw new Error('killed');
  });
  await expect(failing).rejects.toThrow('killed');
  expect(await accounts()).toHaveLength(1);
  expect(await audits()).toEqual([]);
});

it('does not deadlock when chunks hold the same addresses in any order', async () => {
  const emails = Array.from({ length: 50 }, (_, at) => `u${at}@x.test`);
  const chunks = Array.from({ length: 6 }, (_, at) => {
    const turned = [...emails.slice(at * 8), ...emails.slice(0, at * 8)];
    const rows = (at % 2 ? turned.reverse() : turned).map((email) => ({ email, name: `N${at}` }));
    return run(rows);
  });
  await Promise.all(chunks);
  expect(await accounts()).toHaveLength(51);
  const all = await audits();
  expect(all.filter((action) => action === 'user.create')).toHaveLength(50);
});

it('shows what it would make and change', async () => {
  await run([{ email: 'ada@x.test', name: 'Ada' }]);
  const rows = [
    { email: 'ada@x.test', name: 'Ada L.' },
    { email: 'bob@x.test', name: 'Bob', role: 'power_user' },
    { email: 'root@x.test', name: 'Root', role: 'user' },
  ];
  const judged = await ledger.db.transaction().execute(
    (tx) =>
      usersImport.previewChunk?.(
        { jobId: newId(), owner: root, tx } as unknown as ChunkContext<Record<string, never>>,
        rows.map((data, rowIndex) => ({ rowIndex, data })),
      ) ?? Promise.resolve([]),
  );
  expect([...judged].sort((a, b) => a.rowIndex - b.rowIndex)).toMatchObject([
    { before: { name: 'Ada' }, after: { name: 'Ada L.' } },
    { before: null, after: { email: 'bob@x.test', role: 'power_user' } },
    { before: { role: 'superadmin' }, after: null, refusal: { code: 'own_role' } },
  ]);
});
