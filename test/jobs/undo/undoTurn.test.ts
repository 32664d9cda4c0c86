// The chunks of an undo go one after the other: one that has to be tried again later is not overtaken.
import { listCandidates, markChunksSent } from '../../../src/db/queries/dispatch';
import { newId } from '../../../src/lib/ids';
import { buildJob, buildUser, openTestLedger } from '../../support/factories';

const ALL = { after: '00000000-0000-0000-0000-000000000000', upTo: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };

it('sends the next chunk of an undo only when the ones before it have ended', async () => {
  const ledger = await openTestLedger();
  try {
    const owner = await buildUser(ledger.db, { role: 'user' });
    const { id } = await buildJob(ledger.db, { state: 'running', owner, rows: 40, undoOf: newId() });
    const chunks = ledger.db.updateTable('chunk').where('jobId', '=', id);
    const send = async (): Promise<number[]> => {
      const [candidate] = await listCandidates(ledger.db, ALL, 1, 1);
      if (!candidate) throw new Error('the undo is not due');
      return (await markChunksSent(ledger.db, candidate, 1)).map(({ chunk }) => chunk ?? -1);
    };
    expect(await send()).toEqual([0]);
    // Handed back, as after a 503: due again in a minute.
    await chunks
      .set({ sentAt: null, dueAt: new Date(Date.now() + 60_000) })
      .where('chunk', '=', 0)
      .execute();
    expect(await send()).toEqual([]);
    await chunks.set({ state: 'done', finishedAt: new Date() }).where('chunk', '=', 0).execute();
    expect(await send()).toEqual([1]);
  } finally {
    await ledger.close();
  }
});
