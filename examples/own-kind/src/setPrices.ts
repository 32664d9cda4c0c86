// Sets prices by rows of sku and price. It works in the transaction of its chunk, so each row takes effect exactly once,
// whatever is killed; it keeps the price before, so that the job can be undone.
import { defineMassAction, sql, z, type Row, type RowResult, type Tx, type ChunkContext } from 'gantry';

const MOST_CENTS = 100_000_000;

export const setPrices = defineMassAction({
  kind: 'shop.set-prices',
  title: 'Set prices',
  menu: ['Shop', 'Prices'],
  roles: ['power_user', 'superadmin'],
  params: z.strictObject({ reason: z.string().max(200).optional() }),
  rowSchema: {
    type: 'object',
    required: ['sku', 'price'],
    properties: {
      sku: { type: 'string', minLength: 1, maxLength: 50 },
      price: { type: 'string', pattern: '^\\d+(\\.\\d{1,2})?$', description: 'such as 12.50' },
    },
  },
  chunkSize: 100,
  concurrency: 2,
  inDatabase: true,
  retry: { attempts: 5, minDelayMs: 200, maxDelayMs: 5000 },
  ratePerSecond: null,

  processChunk: async (ctx, rows) => {
    const tx = transactionOf(ctx);
    const prices = await lockPrices(tx, rows);
    const results = rows.map((row): RowResult => {
      const { rowIndex } = row;
      const { sku, cents, refusal } = judge(row, prices);
      if (refusal) return { rowIndex, success: false, ...refusal };
      const before = prices.get(sku);
      if (before === cents) return { rowIndex, success: true, skipped: true };
      prices.set(sku, cents);
      return { rowIndex, success: true, before: { cents: before } };
    });
    await writePrices(tx, prices);
    return { type: 'done', results };
  },

  previewChunk: async (ctx, rows) => {
    const prices = await lockPrices(transactionOf(ctx), rows);
    return rows.map((row) => {
      const { sku, cents, refusal } = judge(row, prices);
      const before = refusal ? null : { cents: prices.get(sku) };
      if (refusal) return { rowIndex: row.rowIndex, before, after: null, refusal };
      const skipped = prices.get(sku) === cents;
      prices.set(sku, cents);
      return { rowIndex: row.rowIndex, before, after: { cents }, skipped };
    });
  },

  undoChunk: async (ctx, rows) => {
    const tx = transactionOf(ctx);
    const prices = await lockPrices(tx, rows);
    const results = rows.map((row): RowResult => {
      const { rowIndex, before } = row;
      const { sku, cents } = judge(row, prices);
      // Somebody set another price since: theirs stays.
      if (prices.get(sku) !== cents) {
        return { rowIndex, success: false, code: 'changed_since', message: `The price of ${sku} was changed since.` };
      }
      prices.set(sku, Number(before['cents']));
      return { rowIndex, success: true };
    });
    await writePrices(tx, prices);
    return { type: 'done', results };
  },
});

function transactionOf(ctx: ChunkContext<unknown>): Tx {
  if (!ctx.tx) throw new Error('shop.set-prices works inside the transaction of its chunk');
  return ctx.tx;
}

interface Judged {
  sku: string;
  cents: number;
  refusal?: { code: string; message: string };
}

function judge(row: Row, prices: Map<string, number>): Judged {
  const sku = String(row.data['sku']);
  const cents = Math.round(Number(row.data['price']) * 100);
  if (!prices.has(sku)) return { sku, cents, refusal: { code: 'no_such_sku', message: `There is no article ${sku}.` } };
  if (!(cents > 0 && cents <= MOST_CENTS)) {
    return { sku, cents, refusal: { code: 'bad_price', message: 'A price is above 0 and at most 1,000,000.' } };
  }
  return { sku, cents };
}

/** In the order of the key, so that two chunks never wait for each other. */
async function lockPrices(tx: Tx, rows: Row[]): Promise<Map<string, number>> {
  const skus = rows.map((row) => String(row.data['sku']));
  const found = await sql<{ sku: string; cents: number }>`
    select sku, cents from shop.article where sku = any(${skus}::text[]) order by sku for update`.execute(tx);
  return new Map(found.rows.map(({ sku, cents }) => [sku, cents]));
}

async function writePrices(tx: Tx, prices: Map<string, number>): Promise<void> {
  await sql`
    update shop.article set cents = new.cents
    from unnest(${[...prices.keys()]}::text[], ${[...prices.values()]}::int[]) as new (sku, cents)
    where article.sku = new.sku and article.cents <> new.cents`.execute(tx);
}
