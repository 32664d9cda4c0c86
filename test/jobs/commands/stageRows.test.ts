// The intake corpus: what is taken, what is refused and where, and that a refusal leaves nothing.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Actor } from '../../../src/jobs/actor';
import { discardStaged, stageJsonRows, stageRows, type StagedInput } from '../../../src/jobs/commands/stageRows';
import { newId } from '../../../src/lib/ids';
import { inputLines } from '../../support/inputLines';
import { buildUser, openTestLedger, type TestLedger } from '../../support/factories';
import { effects } from '../../support/testKinds';

let ledger: TestLedger;
let actor: Actor;
beforeAll(async () => {
  ledger = await openTestLedger();
  actor = await buildUser(ledger.db);
});
afterAll(() => ledger.close());

const never = new AbortController().signal;

function stage(
  format: 'csv' | 'ndjson',
  content: string | Buffer | Buffer[],
  options: { jobId?: string; signal?: AbortSignal; maxRows?: number } = {},
): Promise<StagedInput> {
  const parts = Array.isArray(content) ? content : [Buffer.from(content as string)];
  const settings = { ...ledger.deps.settings, maxRows: options.maxRows ?? 1_000_000 };
  const { jobId = newId(), signal = never } = options;
  return stageRows({ ...ledger.deps, settings }, actor, jobId, Readable.from(parts), format, effects, signal);
}

async function cellsOf(jobId: string): Promise<unknown[]> {
  return (await inputLines(ledger.db, jobId)).map((line) => JSON.parse(line) as unknown);
}

async function expectNothingLeft(jobId: string): Promise<void> {
  expect(await ledger.db.selectFrom('jobInput').select('jobId').where('jobId', '=', jobId).execute()).toEqual([]);
  expect(await ledger.db.selectFrom('upload').select('jobId').where('jobId', '=', jobId).execute()).toEqual([]);
}

describe('CSV that is taken', () => {
  it.each<[string, string, unknown[]]>([
    [
      'plain lines',
      'a,b\n1,2\n3,4\n',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    ['no line end at the end', 'a,b\n1,2', [['1', '2']]],
    ['a byte order mark', '\uFEFFa,b\n1,2\n', [['1', '2']]],
    ['CRLF', 'a,b\r\n1,2\r\n', [['1', '2']]],
    [
      'CR alone',
      'a,b\r1,2\r3,4\r',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    [
      'mixed line ends',
      'a,b\r\n1,2\n3,4\r\n',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    ['quotes with commas, quotes and line ends', 'a,b\n"x,""y""","l1\r\nl2\nl3"\n', [['x,"y"', 'l1\r\nl2\nl3']]],
    ['blank lines', 'a,b\n\n1,2\n\n', [['1', '2']]],
    [
      'blanks, digits and formulas as they are',
      "a,b\n 1 ,007\n=1+1,'x\n",
      [
        [' 1 ', '007'],
        ['=1+1', "'x"],
      ],
    ],
    ['U+FFFD that was sent as such', 'a,b\n\uFFFD,2\n', [['\uFFFD', '2']]],
    ['U+0000 within a row, which is for the chunk to judge', 'a,b\n\u0000,2\n', [['\u0000', '2']]],
  ])('%s', async (_name, text, rows) => {
    const staged = await stage('csv', text);
    expect(staged).toMatchObject({ columns: ['a', 'b'], rowTotal: rows.length, format: 'csv' });
    expect(staged.sha256).toEqual(createHash('sha256').update(text).digest());
    expect(await cellsOf(staged.jobId)).toEqual(rows);
  });

  it('reads letters that are cut by the edge of a packet', async () => {
    const bytes = Buffer.from('\uFEFFä,ß\n"€\n",😀\n');
    const staged = await stage(
      'csv',
      [...bytes].map((byte) => Buffer.from([byte])),
    );
    expect(staged.columns).toEqual(['ä', 'ß']);
    expect(await cellsOf(staged.jobId)).toEqual([['€\n', '😀']]);
  });

  it('cuts input chunks at the rows of a chunk and at 256 KiB', async () => {
    const small = await stage('csv', `a\n${'1\n'.repeat(251)}`);
    const sizes = async (jobId: string): Promise<number[]> =>
      (
        await ledger.db
          .selectFrom('jobInput')
          .select('rowCount')
          .where('jobId', '=', jobId)
          .orderBy('inputChunk')
          .execute()
      ).map((chunk) => chunk.rowCount);
    expect(await sizes(small.jobId)).toEqual([100, 100, 51]);
    const large = await stage('csv', `a\n${`${'x'.repeat(100_000)}\n`.repeat(5)}`);
    expect(await sizes(large.jobId)).toEqual([2, 2, 1]);
  });
});

describe('an error file that is sent back', () => {
  it('loses its two last columns and the guard of its cells', async () => {
    const staged = await stage('csv', `'=a,b,error_code,error_message\n'-x,-5,bad,no\n''q,'@,'=c,"x\ny"\n`);
    expect(staged.columns).toEqual(['=a', 'b']);
    expect(await cellsOf(staged.jobId)).toEqual([
      ['-x', '-5'],
      ["'q", '@'],
    ]);
  });

  it('is none when these are not the last two columns', async () => {
    const staged = await stage('csv', `error_code,error_message,a\n1,2,'3\n`);
    expect(staged.columns).toEqual(['error_code', 'error_message', 'a']);
    expect(await cellsOf(staged.jobId)).toEqual([['1', '2', "'3"]]);
  });

  it('loses its two last members as NDJSON, and keeps every digit', async () => {
    const text = '{"n":1.0,"big":12345678901234567890,"error_code":"a\\"b","error_message":"}"}\n{"n":2}\n';
    expect(await inputLines(ledger.db, (await stage('ndjson', text)).jobId)).toEqual([
      '{"n":1.0,"big":12345678901234567890}',
      '{"n":2}',
    ]);
    const other = '{"n":1}\n{"n":2,"error_code":"a","error_message":"b"}\n';
    expect(await inputLines(ledger.db, (await stage('ndjson', other)).jobId)).toEqual(other.trim().split('\n'));
  });
});

describe('NDJSON', () => {
  it('keeps each line as it was sent', async () => {
    const lines = ['{ "n": 1.10, "big": 98765432109876543210 }', '{"s":"\\u0000\\ud800"}', '{"k":{}}'];
    const staged = await stage('ndjson', `\uFEFF${lines[0]}\r\n\n${lines[1]}\n${lines[2]}`);
    expect(staged).toMatchObject({ columns: null, rowTotal: 3, format: 'ndjson' });
    expect(await inputLines(ledger.db, staged.jobId)).toEqual(lines);
  });

  it.each<[string, string, object]>([
    ['a line that is no JSON', '{"a":1}\n\n{"a":\n', { rowIndex: 1, line: 3, message: 'the line is no JSON' }],
    ['a line that is no object', '[1]\n', { rowIndex: 0, line: 1, column: 1 }],
    ['a null', '{"a":1}\nnull', { rowIndex: 1, line: 2, column: 1 }],
    ['an endless line', `{"a":"${'x'.repeat(3_000_000)}`, { rowIndex: 0, line: 1, column: 1 }],
  ])('refuses %s', async (_name, text, fault) => {
    const jobId = newId();
    await expect(stage('ndjson', text, { jobId })).rejects.toMatchObject({
      code: 'bad_upload',
      extras: { more: { faults: [expect.objectContaining(fault)] } },
    });
    await expectNothingLeft(jobId);
  });
});

describe('CSV that is refused', () => {
  const latin1 = Buffer.concat([Buffer.from('a,b\n1,2\n"x\ny",M'), Buffer.from([0xfc]), Buffer.from('ller\n3,4\n')]);
  it.each<[string, string | Buffer[], object]>([
    ['a short line', 'a,b\n1,2\n3\n4,5\n', { rowIndex: 1, line: 3, column: 2 }],
    ['a long line', 'a,b\n1,2,3\n', { rowIndex: 0, line: 2, column: 3 }],
    ['a short line after quoted line ends', 'a,b\n"x\ny",2\n"p\nq"\n', { rowIndex: 1, line: 4, column: 2 }],
    ['a duplicate header', 'a,b,a\n1,2,3\n', { rowIndex: null, line: 1, column: 3 }],
    ['a header without a name', 'a,,c\n1,2,3\n', { rowIndex: null, line: 1, column: 2 }],
    ['letters of Latin-1', [latin1], { rowIndex: 1, line: 3, column: 2 }],
    ['UTF-16 with its mark', [Buffer.from('\uFEFFa,b\n1,2\n', 'utf16le')], { rowIndex: null, line: 1, column: 1 }],
    ['UTF-16 without', [Buffer.from('a,b\n1,2\n', 'utf16le')], { rowIndex: null, line: 1, column: 1 }],
    [
      'a letter that breaks off',
      [Buffer.from('a\n1\n'), Buffer.from([0xe2, 0x82])],
      { rowIndex: 1, line: 3, column: 1 },
    ],
    ['an encoded surrogate', [Buffer.from('a\n1\n'), Buffer.from([0xed, 0xa0, 0x80, 10])], { rowIndex: 1, line: 3 }],
    ['a quote that is not closed', 'a,b\n1,2\n"3,4\n', { rowIndex: 1 }],
    ['text after a closing quote', 'a,b\n1,2\n"3"x,4\n', { rowIndex: 1, line: 3, column: 1 }],
    ['a quote within a cell', 'a,b\n1,x"y\n', { rowIndex: 0, line: 2, column: 2 }],
    ['a row of more than a megabyte', `a\n${'x'.repeat(1_100_000)}\n`, { rowIndex: 0 }],
    ['an error file without other columns', 'error_code,error_message\na,b\n', { rowIndex: null, line: 1 }],
  ])('%s', async (_name, text, fault) => {
    const jobId = newId();
    await expect(stage('csv', text, { jobId })).rejects.toMatchObject({
      code: 'bad_upload',
      status: 422,
      extras: { more: { ...fault, faults: expect.arrayContaining([expect.objectContaining(fault)]) } },
    });
    await expectNothingLeft(jobId);
  });

  it('names the first hundred faults', async () => {
    const faultsOf = async (lines: number): Promise<unknown[]> => {
      const refusal = (await stage('csv', `a,b\n${'1\n'.repeat(lines)}`).catch((error: unknown) => error)) as {
        extras: { more: { faults: unknown[] } };
      };
      return refusal.extras.more.faults;
    };
    expect(await faultsOf(99)).toHaveLength(99);
    expect(await faultsOf(101)).toHaveLength(100);
  });

  it.each(['', '\uFEFF', 'a,b', 'a,b\n', 'a,b\n\n\n'])('no rows: %j', async (text) => {
    const jobId = newId();
    await expect(stage('csv', text, { jobId })).rejects.toMatchObject({ code: 'no_rows', status: 422 });
    await expectNothingLeft(jobId);
  });
});

it('takes as many rows as it may and not one more', async () => {
  expect(await stage('csv', 'a\n1\n2\n3\n', { maxRows: 3 })).toMatchObject({ rowTotal: 3 });
  const jobId = newId();
  await expect(stage('csv', 'a\n1\n2\n3\n4\n', { jobId, maxRows: 3 })).rejects.toMatchObject({ code: 'too_large' });
  await expectNothingLeft(jobId);
});

it('leaves nothing of an upload that breaks off after a part was staged', async () => {
  for (const way of ['signal', 'source'] as const) {
    const jobId = newId();
    const stop = new AbortController();
    const source = Readable.from(
      (async function* () {
        yield Buffer.from('a\n');
        for (let block = 0; block < 40; block += 1) yield Buffer.from(`${'x'.repeat(100)}\n`.repeat(1000));
        const { count } = await ledger.db
          .selectFrom('jobInput')
          .select((builder) => builder.fn.countAll<number>().as('count'))
          .where('jobId', '=', jobId)
          .executeTakeFirstOrThrow();
        expect(count).toBeGreaterThan(0);
        if (way === 'source') throw new Error('the connection was lost');
        stop.abort();
        yield Buffer.from('y\n');
      })(),
    );
    await expect(stageRows(ledger.deps, actor, jobId, source, 'csv', effects, stop.signal)).rejects.toThrow();
    await expectNothingLeft(jobId);
  }
});

it('stages rows of a JSON body and refuses those that are none', async () => {
  const staged = await stageJsonRows(ledger.deps, actor, newId(), [{ a: 1 }, { b: '\u2028' }], effects);
  expect(staged).toMatchObject({ format: 'json', rowTotal: 2, columns: null });
  expect(await cellsOf(staged.jobId)).toEqual([{ a: 1 }, { b: '\u2028' }]);
  const jobId = newId();
  await expect(stageJsonRows(ledger.deps, actor, jobId, [{ a: 1 }, 5], effects)).rejects.toMatchObject({
    code: 'bad_upload',
    extras: { more: { faults: [expect.objectContaining({ rowIndex: 1 })] } },
  });
  await expectNothingLeft(jobId);
  await expect(stageJsonRows(ledger.deps, actor, jobId, [], effects)).rejects.toMatchObject({ code: 'no_rows' });
  await expectNothingLeft(jobId);
});

it('discards what was staged when asked to', async () => {
  const { rowTotal, jobId } = await stage('csv', `a,b\n${'1,2\n'.repeat(60_000)}`);
  expect(rowTotal).toBe(60_000);
  await discardStaged(ledger.db, jobId);
  await expectNothingLeft(jobId);
});
