// The kinds on a real Gantry with embedded PostgreSQL, which the test kit starts: chunk by chunk, and as jobs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'gantry';
import { previewChunk, runChunk, startTestGantry, undoChunk, type TestGantry } from 'gantry/testing';
import { setPrices } from '../src/setPrices';
import { setUpShop } from '../src/setUpShop';

let gantry: TestGantry;

before(async () => {
  gantry = await startTestGantry({ definitions: [setPrices, setUpShop] });
  const job = await gantry.run('shop.set-up', { params: { articles: 300 } });
  assert.equal(job.state, 'succeeded', job.error?.message);
});

after(() => gantry.stop());

async function priceOf(sku: string): Promise<number | undefined> {
  const { rows } = await sql<{ cents: number }>`select cents from shop.article where sku = ${sku}`.execute(gantry.db);
  return rows[0]?.cents;
}

test('a chunk sets prices, keeps those before, skips what is right already, and refuses what is not there', async () => {
  const outcome = await runChunk(gantry, setPrices, [
    { sku: 'A1', price: '9.99' },
    { sku: 'A2', price: '2' },
    { sku: 'B1', price: '1' },
    { sku: 'A3', price: '0' },
  ]);
  assert.deepEqual(outcome, {
    type: 'done',
    results: [
      { rowIndex: 0, success: true, before: { cents: 100 } },
      { rowIndex: 1, success: true, skipped: true },
      { rowIndex: 2, success: false, code: 'no_such_sku', message: 'There is no article B1.' },
      { rowIndex: 3, success: false, code: 'bad_price', message: 'A price is above 0 and at most 1,000,000.' },
    ],
  });
  assert.equal(await priceOf('A1'), 999);
});

test('a preview says before and after, and changes nothing', async () => {
  const rows = await previewChunk(gantry, setPrices, [{ sku: 'A10', price: '5' }]);
  assert.deepEqual(rows, [{ rowIndex: 0, before: { cents: 1000 }, after: { cents: 500 }, skipped: false }]);
  assert.equal(await priceOf('A10'), 1000);
});

test('an undo puts back what it set, and leaves what somebody changed since', async () => {
  await runChunk(gantry, setPrices, [
    { sku: 'A20', price: '1' },
    { sku: 'A21', price: '1' },
  ]);
  await sql`update shop.article set cents = 777 where sku = 'A21'`.execute(gantry.db);
  const outcome = await undoChunk(gantry, setPrices, [
    { data: { sku: 'A20', price: '1' }, before: { cents: 2000 } },
    { data: { sku: 'A21', price: '1' }, before: { cents: 2100 } },
  ]);
  assert.equal(outcome.type, 'done');
  assert.deepEqual(outcome.type === 'done' && outcome.results.map(({ success, code }) => code ?? success), [
    true,
    'changed_since',
  ]);
  assert.equal(await priceOf('A20'), 2000);
  assert.equal(await priceOf('A21'), 777);
});

test('as a job: a trial of 10 rows, its errors, then the rest', async () => {
  const rows = Array.from({ length: 250 }, (_, place) => ({
    sku: `A${place + 40}`,
    price: place === 5 ? '0' : '3.33',
  }));
  const trial = await gantry.run('shop.set-prices', { rows, trial: 10 });
  assert.equal(trial.state, 'paused');
  assert.equal(trial.waitingFor, 'trial');
  const errors = await gantry.get<{ items: { rowIndex: number; code: string }[] }>(`/jobs/${trial.id}/errors`);
  assert.deepEqual(
    errors.items.map(({ rowIndex, code }) => [rowIndex, code]),
    [[5, 'bad_price']],
  );
  assert.equal(await priceOf('A60'), 6000);
  const ended = await gantry.act(trial.id, 'resume');
  assert.equal(ended.state, 'completed_with_errors');
  assert.deepEqual([ended.progress.done, ended.progress.failed], [250, 1]);
  assert.equal(await priceOf('A60'), 333);
});
