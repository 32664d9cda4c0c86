// users.update and users.deactivate over a real ledger: what each row does, would do, and what undo puts back.
import type { Tx } from '../../../src/db/database';
import type { Actor } from '../../../src/jobs/actor';
import type {
  ChunkContext,
  JsonObject,
  MassActionDefinition,
  PreviewRow,
  RowResult,
  UndoRow,
} from '../../../src/jobs/define';
import { usersDeactivate } from '../../../src/jobs/definitions/users.deactivate';
import { usersImport } from '../../../src/jobs/definitions/users.import';
import { usersUpdate } from '../../../src/jobs/definitions/users.update';
import { newId } from '../../../src/lib/ids';
import { buildUser, openTestLedger, type TestLedger } from '../../support/factories';

let ledger: TestLedger;
let root: Actor;
const jobId = newId();
beforeEach(async () => {
  ledger = await openTestLedger();
  root = await buildUser(ledger.db, { role: 'superadmin', email: 'root@x.test', name: 'Root' });
  await buildUser(ledger.db, { role: 'user', email: 'ada@x.test', name: 'Ada' });
  await buildUser(ledger.db, { role: 'power_user', email: 'bob@x.test', name: 'Bob' });
});
afterEach(() => ledger.close());

const contextOf = (tx: Tx, owner = root) => ({ jobId, owner, tx }) as unknown as ChunkContext<JsonObject>;

async function run(kind: MassActionDefinition, rows: JsonObject[], owner = root): Promise<RowResult[]> {
  const outcome = await ledger.db.transaction().execute((tx) =>
    kind.processChunk(
      contextOf(tx, owner),
      rows.map((data, rowIndex) => ({ rowIndex, data })),
    ),
  );
  return outcome.type === 'done' ? [...outcome.results].sort((a, b) => a.rowIndex - b.rowIndex) : [];
}

async function undo(kind: MassActionDefinition, rows: JsonObject[], results: RowResult[]): Promise<RowResult[]> {
  const kept = results.flatMap(({ rowIndex, before }) => (before ? [{ rowIndex, before }] : [])).reverse();
  const undoRows: UndoRow[] = kept.map(({ rowIndex, before }, place) => ({
    ...{ rowIndex: place, undoneRowIndex: rowIndex, data: rows[rowIndex] ?? {}, before },
  }));
  const outcome = await ledger.db.transaction().execute((tx) => {
    if (!kind.undoChunk) throw new Error(`${kind.kind} has no undo`);
    return kind.undoChunk(contextOf(tx), undoRows);
  });
  return outcome.type === 'done' ? [...outcome.results].sort((a, b) => a.rowIndex - b.rowIndex) : [];
}

const preview = (kind: MassActionDefinition, rows: JsonObject[]): Promise<PreviewRow[]> =>
  ledger.db.transaction().execute(async (tx) => {
    const judged = await kind.previewChunk?.(
      contextOf(tx),
      rows.map((data, rowIndex) => ({ rowIndex, data })),
    );
    return [...(judged ?? [])].sort((a, b) => a.rowIndex - b.rowIndex);
  });

const people = async () =>
  (await ledger.db.selectFrom('appUser').selectAll().orderBy('email').execute()).map(
    (row) => `${row.email} ${row.name} ${row.role} ${row.language} ${row.timeZone}${row.disabledAt ? ' closed' : ''}`,
  );
const START = ['ada@x.test Ada user en UTC', 'bob@x.test Bob power_user en UTC', 'root@x.test Root superadmin en UTC'];
const sessionsOf = async (email: string): Promise<number> => {
  const { id } = await ledger.db
    .selectFrom('appUser')
    .select('id')
    .where('email', '=', email)
    .executeTakeFirstOrThrow();
  return (await ledger.db.selectFrom('session').select('id').where('userId', '=', id).execute()).length;
};
async function signIn(email: string): Promise<void> {
  const { id } = await ledger.db
    .selectFrom('appUser')
    .select('id')
    .where('email', '=', email)
    .executeTakeFirstOrThrow();
  const session = { id: Buffer.from(newId()), userId: id, data: '{}', expiresAt: new Date(Date.now() + 60_000) };
  await ledger.db.insertInto('session').values(session).execute();
}

describe('users.update', () => {
  const rows = [
    { email: ' ADA@x.test', name: 'Ada L.', role: '', language: 'fr' },
    { email: 'bob@x.test', role: 'user', timeZone: 'Europe/Berlin' },
    { email: 'nobody@x.test', name: 'X' },
    { email: 'ada@x.test', name: 'Countess' },
    { email: 'bob@x.test', timeZone: 'Mars/Olympus' },
    { email: 'ada@x.test', name: '', language: 'fr' },
  ];

  it('changes what a row gives, in the order of the rows, and says what it was', async () => {
    const results = await run(usersUpdate, rows);
    expect(results).toEqual([
      { rowIndex: 0, success: true, before: { id: expect.any(String), name: 'Ada', language: 'en' } },
      { rowIndex: 1, success: true, before: { id: expect.any(String), role: 'power_user', timeZone: 'UTC' } },
      { rowIndex: 2, success: false, code: 'unknown_user', message: expect.stringContaining('nobody@x.test') },
      { rowIndex: 3, success: true, before: { id: expect.any(String), name: 'Ada L.' } },
      { rowIndex: 4, success: false, code: 'bad_time_zone', message: expect.stringContaining('Mars/Olympus') },
      { rowIndex: 5, success: true, skipped: true },
    ]);
    expect(await people()).toEqual([
      ...[
        'ada@x.test Countess user fr UTC',
        'bob@x.test Bob user en Europe/Berlin',
        'root@x.test Root superadmin en UTC',
      ],
    ]);
  });

  it('[G56] writes audit rows that name the job', async () => {
    await run(usersUpdate, rows);
    const audits = await ledger.db.selectFrom('audit').selectAll().orderBy('id').execute();
    expect(audits.map((row) => row.jobId)).toEqual([jobId, jobId, jobId]);
    expect(audits[0]).toMatchObject({ action: 'user.change', actorId: root.id });
    expect(JSON.parse(audits[0]?.after ?? '')).toMatchObject({ name: 'Ada L.', language: 'fr' });
  });

  it('shows before and after of each row as those before it leave it', async () => {
    const judged = await preview(usersUpdate, rows);
    expect(judged[0]).toMatchObject({
      before: { name: 'Ada', language: 'en' },
      after: { name: 'Ada L.', language: 'fr' },
    });
    expect(judged[3]).toMatchObject({ before: { name: 'Ada L.' }, after: { name: 'Countess' } });
    expect(judged.map(({ skipped, refusal }) => (skipped ? 'skipped' : (refusal?.code ?? 'ok')))).toEqual([
      ...['ok', 'ok', 'unknown_user', 'ok', 'bad_time_zone', 'skipped'],
    ]);
  });

  it('is undone field by field, later rows first', async () => {
    const results = await run(usersUpdate, rows);
    expect((await undo(usersUpdate, rows, results)).every((row) => row.success && !row.skipped)).toBe(true);
    expect(await people()).toEqual(START);
    // What is back already is passed over.
    expect(
      (await undo(usersUpdate, [rows[1] as JsonObject], [{ ...(results[1] as RowResult), rowIndex: 0 }]))[0],
    ).toMatchObject({
      ...{ success: true, skipped: true },
    });
  });

  it('leaves alone what somebody changed since, and says what it was, is and would have become', async () => {
    const results = await run(usersUpdate, rows.slice(0, 2));
    await ledger.db.updateTable('appUser').set({ name: 'Lovelace' }).where('email', '=', 'ada@x.test').execute();
    await ledger.db.updateTable('appUser').set({ name: 'Robert' }).where('email', '=', 'bob@x.test').execute();
    const undone = await undo(usersUpdate, rows, results);
    expect(undone[0]).toMatchObject({ success: true });
    expect(undone[1]).toMatchObject({ success: false, code: 'changed_since' });
    for (const value of ['"Ada"', '"Ada L."', '"Lovelace"']) expect(undone[1]?.message).toContain(value);
    expect(await people()).toEqual([
      ...[
        'ada@x.test Lovelace user fr UTC',
        'bob@x.test Robert power_user en UTC',
        'root@x.test Root superadmin en UTC',
      ],
    ]);
  });

  it('leaves alone another account that has the address now', async () => {
    const results = await run(usersUpdate, rows.slice(0, 1));
    await ledger.db.deleteFrom('appUser').where('email', '=', 'ada@x.test').execute();
    await buildUser(ledger.db, { email: 'ada@x.test', name: 'Ada L.' });
    expect(await undo(usersUpdate, rows, results)).toMatchObject([{ success: false, code: 'changed_since' }]);
  });

  it('ends the sessions of those whose role changes, and of nobody else', async () => {
    await signIn('ada@x.test');
    await signIn('bob@x.test');
    await run(usersUpdate, rows);
    expect([await sessionsOf('ada@x.test'), await sessionsOf('bob@x.test')]).toEqual([1, 0]);
  });

  it('takes no own role and never the last superadmin', async () => {
    expect(await run(usersUpdate, [{ email: 'root@x.test', name: 'Ruth', role: 'user' }])).toMatchObject([
      { code: 'own_role' },
    ]);
    await buildUser(ledger.db, { role: 'superadmin', email: 'zoe@x.test', name: 'Zoe' });
    const demoting = ['zoe@x.test', 'root@x.test'].map((email) => ({ email, role: 'user' }));
    expect(await run(usersUpdate, demoting)).toMatchObject([{ success: true }, { success: false, code: 'own_role' }]);
  });
});

describe('users.deactivate', () => {
  const rows = ['ada@x.test', 'root@x.test', 'nobody@x.test', 'ada@x.test'].map((email) => ({ email }));

  it('closes accounts, ends their sessions, and spares the own one', async () => {
    await signIn('ada@x.test');
    const results = await run(usersDeactivate, rows);
    expect(results.map((row) => row.code ?? (row.skipped ? 'skipped' : 'ok'))).toEqual([
      'ok',
      'own_account',
      'unknown_user',
      'skipped',
    ]);
    expect((await people())[0]).toBe('ada@x.test Ada user en UTC closed');
    expect(await sessionsOf('ada@x.test')).toBe(0);
  });

  it('shows what it would close, and opens again by its undo', async () => {
    expect((await preview(usersDeactivate, rows))[0]).toMatchObject({
      before: { disabled: false },
      after: { disabled: true },
    });
    await ledger.db.updateTable('appUser').set({ disabledAt: null }).execute();
    const results = await run(usersDeactivate, rows);
    expect(await undo(usersDeactivate, rows, results)).toMatchObject([{ success: true }]);
    expect(await people()).toEqual(START);
  });

  it('never closes the last superadmin, in two transactions at once either', async () => {
    const zoe = await buildUser(ledger.db, { role: 'superadmin', email: 'zoe@x.test' });
    const both = await Promise.allSettled([
      run(usersDeactivate, [{ email: 'zoe@x.test' }], root),
      run(usersDeactivate, [{ email: 'root@x.test' }], zoe),
    ]);
    expect(both.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as unknown)))).toEqual(
      expect.arrayContaining([
        [expect.objectContaining({ success: true })],
        expect.objectContaining({ code: 'forbidden', message: expect.stringContaining('no superadmin any more') }),
      ]),
    );
  });

  it('leaves all accounts alone when its owner was demoted or closed while it waited', async () => {
    await buildUser(ledger.db, { role: 'superadmin', email: 'zoe@x.test' });
    for (const lesser of [{ role: 'power_user' as const }, { role: 'superadmin' as const, disabledAt: new Date() }]) {
      await ledger.db.updateTable('appUser').set(lesser).where('id', '=', root.id).execute();
      for (const [kind, row] of [
        [usersUpdate, { email: 'ada@x.test', role: 'superadmin' }],
        [usersDeactivate, { email: 'zoe@x.test' }],
        [usersImport, { email: 'mole@x.test', name: 'Mole', role: 'superadmin' }],
      ] as const) {
        await expect(run(kind, [row])).rejects.toMatchObject({ code: 'forbidden' });
      }
    }
    expect(await people()).toEqual([...START.slice(0, 2), `${START[2]} closed`, expect.stringMatching(/^zoe.*UTC$/)]);
  });
});
