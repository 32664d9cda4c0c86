// Kinds that only tests know, handed to the catalogue as plug-ins: also loaded by workerProcess.ts in a process of its own.
import { sql } from 'kysely';
import { z } from 'zod';
import type { Db, Tx } from '../../src/db/database';
import {
  defineJob,
  defineMassAction,
  defineProcess,
  type Definition,
  type PreviewRow,
  type RowResult,
} from '../../src/jobs/define';
import { pause } from '../../src/lib/abort';
import { isolateKinds } from './isolateKinds';

const ROLES = ['user', 'power_user', 'superadmin'] as const;
const common = { menu: ['Tests'], roles: [...ROLES] };

/** Ends at once with what it was given. */
export const echo = defineJob({
  kind: 'test.echo',
  title: 'Echo',
  ...common,
  params: z.strictObject({ value: z.unknown() }),
  run: (ctx) => Promise.resolve({ value: ctx.params.value }),
});

/** Works for `ms`, heeds its signal, and notes each start in `effect`. */
export const work = defineJob({
  kind: 'test.work',
  title: 'Work',
  ...common,
  params: z.strictObject({ ms: z.number() }),
  run: async (ctx) => {
    await sql`insert into effect (job_id, row_index) values (${ctx.jobId}, ${ctx.run})`.execute(ctx.db);
    await pause(ctx.params.ms, ctx.signal);
    ctx.signal.throwIfAborted();
  },
});

/** As work, but may not be started twice. */
export const once = defineJob({ ...work, kind: 'test.once', policy: { restartable: false } });

/** Does not heed its signal for `ms`. */
export const deaf = defineJob({
  kind: 'test.deaf',
  title: 'Deaf',
  ...common,
  params: z.strictObject({ ms: z.number() }),
  run: (ctx) => pause(ctx.params.ms),
});

/** Notes each row in `effect`, a table without a unique key, so that a doubled row shows. */
export const effects = defineMassAction({
  kind: 'test.effects',
  title: 'Effects',
  ...common,
  params: z.strictObject({ chunkMs: z.number().default(0) }),
  rowSchema: null,
  chunkSize: 100,
  concurrency: 8,
  inDatabase: true,
  retry: { attempts: 3, minDelayMs: 50, maxDelayMs: 200 },
  ratePerSecond: null,
  processChunk: async (ctx, rows) => {
    if (!ctx.tx) throw new Error('an in-database kind works in a transaction');
    await sql`
      insert into effect (job_id, row_index)
      select ${ctx.jobId}, index from unnest(${rows.map((row) => row.rowIndex)}::bigint[]) as index`.execute(ctx.tx);
    // Within the transaction, so that a kill meets it in the middle.
    if (ctx.params.chunkMs > 0) await sql`select pg_sleep(${ctx.params.chunkMs / 1000}::float8)`.execute(ctx.tx);
    return {
      type: 'done',
      results: rows.map((row) => ({
        rowIndex: row.rowIndex,
        success: row.data['bad'] !== true,
        skipped: row.data['skip'] === true,
        code: 'bad',
        message: 'This row is bad.',
      })),
    };
  },
});

/** Counts its ticks in `effect` and sleeps until it was woken `wakes` times. */
export const process = defineProcess({
  kind: 'test.process',
  title: 'Process',
  ...common,
  params: z.strictObject({ ticks: z.number() }),
  advance: async (ctx) => {
    await sql`insert into effect (job_id, row_index) values (${ctx.jobId}, 0)`.execute(ctx.tx);
    const { rows } = await sql<{ count: number }>`
      select count(*)::int as count from effect where job_id = ${ctx.jobId}`.execute(ctx.tx);
    if (ctx.cancelRequested) return { type: 'ended', state: 'canceled' };
    if ((rows[0]?.count ?? 0) >= ctx.params.ticks)
      return { type: 'ended', state: 'succeeded', report: { ticks: rows[0]?.count } };
    return { type: 'waitFor', phase: 'resting', waitingFor: 'the test', deadline: null };
  },
});

/** Logs `lines` lines a chunk, each with its place, and the process and clock it was written by. */
export const chatty = defineMassAction({
  kind: 'test.chatty',
  title: 'Chatty',
  ...common,
  params: z.strictObject({ lines: z.number(), pauseMs: z.number().default(0) }),
  rowSchema: null,
  chunkSize: 1,
  concurrency: 8,
  inDatabase: false,
  retry: { attempts: 3, minDelayMs: 50, maxDelayMs: 200 },
  ratePerSecond: null,
  processChunk: async (ctx, rows) => {
    for (let line = 0; line < ctx.params.lines; line += 1) {
      ctx.log('info', JSON.stringify({ chunk: ctx.chunk, line, pid: globalThis.process.pid, clock: Date.now() }));
      if (ctx.params.pauseMs > 0) await pause(ctx.params.pauseMs, ctx.signal);
    }
    return { type: 'done', results: rows.map(({ rowIndex }) => ({ rowIndex, success: true })) };
  },
});

/** Logs and reports what it was given, then ends, or throws `fail`. */
export const teller = defineJob({
  kind: 'test.teller',
  title: 'Teller',
  ...common,
  params: z.strictObject({
    log: z.array(z.tuple([z.enum(['debug', 'info', 'warn', 'error']), z.string()])).default([]),
    report: z.array(z.tuple([z.enum(['info', 'warning', 'error']), z.string()])).default([]),
    result: z.record(z.string(), z.unknown()).optional(),
    fail: z.string().optional(),
  }),
  run: (ctx) => {
    for (const [level, message] of ctx.params.log) ctx.log(level, message);
    for (const [severity, message] of ctx.params.report) ctx.report(severity, message, { from: 'teller' });
    if (ctx.params.fail !== undefined) throw new Error(ctx.params.fail);
    return Promise.resolve(ctx.params.result);
  },
});

/** Sets amounts in the table `stock` (made by makeStock), keeps what they were, and puts it back. */
export const stock = defineMassAction({
  kind: 'test.stock',
  title: 'Stock',
  ...common,
  params: z.strictObject({}),
  rowSchema: {
    type: 'object',
    required: ['sku', 'amount'],
    properties: { sku: { type: 'string' }, amount: { type: 'integer' } },
  },
  chunkSize: 10,
  concurrency: 4,
  inDatabase: true,
  retry: { attempts: 3, minDelayMs: 50, maxDelayMs: 200 },
  ratePerSecond: null,
  processChunk: async (ctx, rows) => {
    const results: RowResult[] = [];
    for (const { rowIndex, data } of rows) {
      const before = await amountOf(ctx.tx, data['sku']);
      if (before === null)
        results.push({ rowIndex, success: false, code: 'no_such_sku', message: 'It is not in stock.' });
      else {
        await sql`update stock set amount = ${data['amount']} where sku = ${data['sku']}`.execute(ctx.tx ?? ctx.db);
        results.push({ rowIndex, success: true, before: { amount: before } });
      }
    }
    return { type: 'done', results };
  },
  previewChunk: async (ctx, rows) => {
    const judged: PreviewRow[] = [];
    for (const { rowIndex, data } of rows) {
      const amount = await amountOf(ctx.tx, data['sku']);
      const refusal = amount === null ? { refusal: { code: 'no_such_sku', message: 'It is not in stock.' } } : {};
      judged.push({ rowIndex, before: { amount }, after: { amount: data['amount'] }, ...refusal });
      // Written, so that a preview which commits shows.
      if (ctx.tx) await sql`update stock set amount = ${data['amount']} where sku = ${data['sku']}`.execute(ctx.tx);
    }
    return judged;
  },
  undoChunk: async (ctx, rows) => {
    const results: RowResult[] = [];
    for (const { rowIndex, data, before } of rows) {
      const amount = await amountOf(ctx.tx, data['sku']);
      if (amount !== data['amount']) {
        const message = `It was ${String(before['amount'])}, became ${String(data['amount'])}, and is ${amount} now.`;
        results.push({ rowIndex, success: false, code: 'changed_since', message });
      } else {
        if (ctx.tx) await sql`update stock set amount = ${before['amount']} where sku = ${data['sku']}`.execute(ctx.tx);
        results.push({ rowIndex, success: true });
      }
    }
    return { type: 'done', results };
  },
});

async function amountOf(tx: Tx | null, sku: unknown): Promise<number | null> {
  if (!tx) throw new Error('an in-database kind works in a transaction');
  const { rows } = await sql<{ amount: number }>`select amount from stock where sku = ${sku} for update`.execute(tx);
  return rows[0]?.amount ?? null;
}

/** @param count of them, `s0` and on, ten pieces each. */
export async function makeStock(db: Db, count: number): Promise<void> {
  await sql`create table if not exists stock (sku text primary key, amount integer not null)`.execute(db);
  await sql`
    insert into stock (sku, amount) select 's' || n, 10 from generate_series(0, ${count - 1}::int) n
    on conflict (sku) do update set amount = 10`.execute(db);
}

/** As effects, once a superadmin has approved it. */
export const guarded = defineMassAction({ ...effects, kind: 'test.guarded', policy: { needsApproval: true } });

export const testKinds: Definition[] = [
  guarded,
  echo,
  work,
  once,
  deaf,
  effects,
  process,
  chatty,
  teller,
  ...isolateKinds,
  stock,
];
