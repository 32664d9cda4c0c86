// Kinds that misbehave, for tests of timeouts, processes of their own and poison. Part of testKinds, so that processes know them.
import { writeFileSync } from 'node:fs';
import { sql } from 'kysely';
import { z } from 'zod';
import { defineJob, defineMassAction, type Definition, type JobContext, type Row } from '../../src/jobs/define';
import { pause } from '../../src/lib/abort';
import { PermanentJobError, RetryLaterError } from '../../src/lib/errors';

const common = { menu: ['Tests'], roles: ['user' as const, 'power_user' as const, 'superadmin' as const] };

/** How a handler misbehaves. spin: never yields. sleep: deaf for `ms`. heed: stops at its signal. */
const misdeed = z.enum(['none', 'exit', 'kill', 'spin', 'sleep', 'heed', 'stray', 'abort', 'worker', 'later']);
type Misdeed = z.infer<typeof misdeed>;

async function misbehave(deed: Misdeed, ms: number, signal: AbortSignal): Promise<void> {
  switch (deed) {
    case 'none':
    case 'later':
      return;
    case 'exit':
      return process.exit(7);
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      return pause(ms);
    case 'spin':
      for (const until = Date.now() + ms; Date.now() < until;);
      return;
    case 'sleep':
      return pause(ms);
    case 'heed':
      await pause(ms, signal);
      return signal.throwIfAborted();
    case 'stray':
      // Thrown where nobody catches: it ends the process that it happens in.
      setImmediate(() => {
        throw new Error('a stray error');
      });
      return pause(ms);
    case 'abort':
      // As the engine does when the heap is full.
      process.kill(process.pid, 'SIGABRT');
      return pause(ms);
    case 'worker':
      // Takes down the process that claims: only where it does not run alone.
      if (!process.send) process.kill(process.pid, 'SIGKILL');
      return;
  }
}

async function note(ctx: JobContext<unknown>): Promise<void> {
  await sql`insert into effect (job_id, row_index) values (${ctx.jobId}, ${ctx.run})`.execute(ctx.db);
}

const params = z.strictObject({
  deed: misdeed.default('none'),
  ms: z.number().default(60_000),
  pidFile: z.string().optional(),
});
type Params = z.infer<typeof params>;

const run = async (ctx: JobContext<Params>): Promise<{ pid: number }> => {
  await note(ctx);
  if (ctx.params.pidFile) writeFileSync(ctx.params.pidFile, String(process.pid));
  ctx.log('info', `runs in process ${process.pid}`);
  ctx.progress(1, 2, 'half');
  const { rows } = await sql`select 1 from effect where job_id = ${ctx.jobId}`.execute(ctx.db);
  // At its first try it asks for another.
  if (ctx.params.deed === 'later' && rows.length === 1) throw new RetryLaterError(50, 'not yet');
  await misbehave(ctx.params.deed, ctx.params.ms, ctx.signal);
  return { pid: process.pid };
};

/** Misbehaves among others. */
export const wild = defineJob({ kind: 'test.wild', title: 'Wild', ...common, params, run });
export const wildOnce = defineJob({ ...wild, kind: 'test.wildOnce', policy: { restartable: false } });
/** Misbehaves in a process of its own. */
export const caged = defineJob({ ...wild, kind: 'test.caged', policy: { isolated: true } });
export const cagedOnce = defineJob({ ...wild, kind: 'test.cagedOnce', policy: { isolated: true, restartable: false } });
export const hasty = defineJob({ ...wild, kind: 'test.hasty', policy: { timeoutMs: 300 } });
export const cagedHasty = defineJob({ ...wild, kind: 'test.cagedHasty', policy: { isolated: true, timeoutMs: 300 } });

/** Runs through, runs once, and its ended jobs are kept for six hours. */
export const firm = defineJob({
  ...wild,
  kind: 'test.firm',
  policy: { cancelable: false, requeueable: false, retentionDays: 0.25 },
});
export const brief = defineJob({ ...wild, kind: 'test.brief', policy: { retentionDays: 0.25, timeoutMs: 1000 } });
export const briefAsked = defineJob({
  ...wild,
  kind: 'test.briefAsked',
  policy: { retentionDays: 0.25, needsApproval: true },
});

const rowParams = z.strictObject({ ms: z.number().default(60_000) });

/** Rows whose `deed` says how the handler of their chunk misbehaves; each row that is dealt with is noted in `effect`. */
export const wildRows = defineMassAction({
  kind: 'test.wildRows',
  title: 'Wild rows',
  ...common,
  params: rowParams,
  rowSchema: null,
  chunkSize: 10,
  concurrency: 2,
  inDatabase: true,
  retry: { attempts: 2, minDelayMs: 20, maxDelayMs: 50 },
  ratePerSecond: null,
  processChunk: async (ctx, rows: Row[]) => {
    await sql`insert into effect (job_id, row_index)
      select ${ctx.jobId}, index from unnest(${rows.map((row) => row.rowIndex)}::bigint[]) as index`.execute(
      ctx.tx ?? ctx.db,
    );
    for (const { data } of rows) await misbehave(misdeed.parse(data['deed'] ?? 'none'), ctx.params.ms, ctx.signal);
    return { type: 'done', results: rows.map(({ rowIndex }) => ({ rowIndex, success: true })) };
  },
});
export const cagedRows = defineMassAction({ ...wildRows, kind: 'test.cagedRows', policy: { isolated: true } });
export const hastyRows = defineMassAction({ ...wildRows, kind: 'test.hastyRows', policy: { timeoutMs: 300 } });
export const cagedHastyRows = defineMassAction({
  ...wildRows,
  kind: 'test.cagedHastyRows',
  policy: { isolated: true, timeoutMs: 300 },
});
export const outsideHastyRows = defineMassAction({ ...hastyRows, kind: 'test.outsideHastyRows', inDatabase: false });
export const briefRows = defineMassAction({ ...wildRows, kind: 'test.briefRows', policy: { retentionDays: 0.25 } });
export const outsideOnceRows = defineMassAction({
  ...wildRows,
  kind: 'test.outsideOnceRows',
  inDatabase: false,
  policy: { restartable: false },
});

export const ENDS = [
  'bigint',
  'cycle',
  'undefined',
  'huge',
  'number',
  'string',
  'throwString',
  'throwNull',
  'throwUndefined',
  'throwObject',
  'throwBare',
  'hugeStack',
  'hugeMessage',
  'permanent',
] as const;
export type Ending = (typeof ENDS)[number];

/** Ends in each way that a handler's author may think of. */
async function endSomehow(how: Ending): Promise<never> {
  await Promise.resolve();
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const deep = new Error('deep');
  deep.stack = 'at x\n'.repeat(1_000_000);
  switch (how) {
    case 'bigint':
      return { value: 1n } as never;
    case 'cycle':
      return cycle as never;
    case 'undefined':
      return undefined as never;
    case 'huge':
      return { text: 'x'.repeat(10_000_000) } as never;
    case 'number':
      return 7 as never;
    case 'string':
      return 'text' as never;
    case 'throwString':
      throw 'just a text';
    case 'throwNull':
      throw null;
    case 'throwUndefined':
      throw undefined;
    case 'throwObject':
      throw { reason: 'an object' };
    case 'throwBare':
      throw Object.create(null, {
        toJSON: {
          value: () => {
            throw new Error('no JSON');
          },
        },
      });
    case 'hugeStack':
      throw deep;
    case 'hugeMessage':
      throw new Error('m'.repeat(10_000_000));
    case 'permanent':
      throw new PermanentJobError('out_of_stock', 'There is none left.');
  }
}

const endParams = z.strictObject({ how: z.enum(ENDS) });
export const ends = defineJob({
  kind: 'test.ends',
  title: 'Ends',
  ...common,
  params: endParams,
  run: (ctx) => endSomehow(ctx.params.how),
});
export const cagedEnds = defineJob({ ...ends, kind: 'test.cagedEnds', policy: { isolated: true } });

export const isolateKinds: Definition[] = [
  wild,
  wildOnce,
  caged,
  cagedOnce,
  hasty,
  cagedHasty,
  wildRows,
  cagedRows,
  hastyRows,
  cagedHastyRows,
  outsideHastyRows,
  outsideOnceRows,
  briefRows,
  firm,
  brief,
  briefAsked,
  ends,
  cagedEnds,
];
