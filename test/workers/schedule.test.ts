// Recurring duties whose holder failed or died: the due time is taken up again, once, and not while somebody still works on it.
import type { Database } from '../../src/db/database';
import { declareSchedule } from '../../src/db/queries/schedules';
import { runIfDue } from '../../src/workers/maintenance/schedule';
import { createTestDatabase, openTestDatabase, type TestDatabase } from '../support/database';

const YEARLY = '0 0 1 1 *';

describe('a recurring duty', () => {
  let database: TestDatabase;
  const opened: Database[] = [];
  const at = (offset: string) => {
    const one = openTestDatabase(database.url, offset);
    opened.push(one);
    return one.kysely;
  };
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()));
    await database.drop();
  });

  it('that failed is done minutes later, not at its next time, which may be weeks away', async () => {
    const [now, soon, later] = [at('0 seconds'), at('1 minute'), at('5 minutes')];
    await declareSchedule(now, 'fails', YEARLY, new Date(Date.now() - 1000));
    let calls = 0;
    const duty = (): Promise<string> => {
      calls += 1;
      return calls === 1 ? Promise.reject(new Error('the database was away')) : Promise.resolve('done');
    };
    await expect(runIfDue(now, 'fails', YEARLY, duty)).rejects.toThrow('was away');
    expect(await runIfDue(soon, 'fails', YEARLY, duty)).toBe(false);
    const taken = await Promise.all([1, 2, 3].map(() => runIfDue(later, 'fails', YEARLY, duty)));
    expect(taken.sort()).toEqual([false, false, true]);
    expect(calls).toBe(2);
    const rows = await now.selectFrom('scheduleDue').selectAll().where('name', '=', 'fails').execute();
    expect(rows).toMatchObject([{ result: '{"result":"done"}', finishedAt: expect.any(Date) }]);
    expect(await runIfDue(at('10 minutes'), 'fails', YEARLY, duty)).toBe(false);
  });

  it('of the version before, which gives no sign, is left to it', async () => {
    const now = at('0 seconds');
    await declareSchedule(now, 'older', YEARLY, new Date(Date.now() + 3_600_000));
    const dueAt = new Date(Date.now() - 1000);
    await now.insertInto('scheduleDue').values({ name: 'older', dueAt, startedAt: dueAt }).execute();
    expect(await runIfDue(at('30 minutes'), 'older', YEARLY, () => Promise.resolve())).toBe(false);
  });
});
