// The error file and its round trip: what failed comes out as it went in, and can be sent again.
import { Readable } from 'node:stream';
import { listErrorGroups, listRowErrors } from '../../../src/db/queries/rowErrors';
import type { Actor } from '../../../src/jobs/actor';
import { createJob } from '../../../src/jobs/commands/createJob';
import { stageRows } from '../../../src/jobs/commands/stageRows';
import { guardCell, unguardCell } from '../../../src/jobs/massActions/cellGuard';
import { errorFileCsv, errorFileNdjson } from '../../../src/jobs/massActions/errorFile';
import { newId } from '../../../src/lib/ids';
import { buildUser, openTestLedger, type TestLedger } from '../../support/factories';
import { effects } from '../../support/testKinds';

let ledger: TestLedger;
let root: Actor;
beforeAll(async () => {
  ledger = await openTestLedger();
  root = await buildUser(ledger.db, { role: 'superadmin' });
});
afterAll(() => ledger.close());

async function jobOf(format: 'csv' | 'ndjson', text: string): Promise<string> {
  const never = new AbortController().signal;
  const source = Readable.from([Buffer.from(text)]);
  const staged = await stageRows(ledger.deps, root, newId(), source, format, effects, never);
  return (await createJob(ledger.deps, root, { kind: 'test.effects', params: {} }, staged)).id;
}

async function fail(jobId: string, rowIndexes: number[], message = 'no, "really"'): Promise<void> {
  const rows = rowIndexes.map((rowIndex) => ({ jobId, run: 1, rowIndex, code: 'bad', message }));
  await ledger.db.insertInto('rowError').values(rows).execute();
}

async function textOf(parts: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of parts) text += part;
  return text;
}

async function linesOf(jobId: string): Promise<string[]> {
  const chunks = await ledger.db
    .selectFrom('jobInput')
    .select('rows')
    .where('jobId', '=', jobId)
    .orderBy('inputChunk')
    .execute();
  return chunks.flatMap((chunk) => chunk.rows.split('\n'));
}

it('guards what a spreadsheet would calculate, leaves plain numbers, and is undone exactly', () => {
  const guarded = ['=1', '+x', '-', '@a', '\tx', '\rx', '\nx', "'x", '-1-1', '+1e', "'", '-.', '--5'];
  for (const cell of guarded) expect(guardCell(cell)).toBe(`'${cell}`);
  for (const cell of ['', 'a', '1', '-5', '+3.25', '-.5', '5.', '-1e-5', '+2E+10', '0', 'a=b'])
    expect(guardCell(cell)).toBe(cell);
  for (const cell of [...guarded, 'a', '-5', '']) expect(unguardCell(guardCell(cell))).toBe(cell);
});

it('gives the failed rows of a CSV in order and takes them back as they were first sent', async () => {
  const rows = ['=1+1,-5', '"a,b","x\r\ny"', `'q,"say ""hi"""`, 'plain,', '\u0000,ü'];
  const job = await jobOf('csv', `'id,=name\n${rows.map((row) => `ok,1\n${row}\n`).join('')}`);
  await fail(job, [1, 3, 5, 7]);
  const file = await textOf(errorFileCsv(ledger.db, job, 1));
  expect(file).toBe(
    `''id,'=name,error_code,error_message\n'=1+1,-5,bad,"no, ""really"""\n"a,b","x\r\ny",bad,"no, ""really"""\n''q,"say ""hi""",bad,"no, ""really"""\nplain,,bad,"no, ""really"""\n`,
  );
  const again = await jobOf('csv', file);
  const all = await linesOf(job);
  expect(await linesOf(again)).toEqual([1, 3, 5, 7].map((at) => all[at]));
  const form = await ledger.db
    .selectFrom('job')
    .select('inputColumns')
    .where('id', '=', again)
    .executeTakeFirstOrThrow();
  expect(JSON.parse(form.inputColumns ?? '')).toEqual(["'id", '=name']);
});

it('guards the message of an endpoint too', async () => {
  const job = await jobOf('csv', 'a\nx\n');
  await fail(job, [0], '=HYPERLINK("http://evil.test")');
  expect(await textOf(errorFileCsv(ledger.db, job, 1))).toBe(
    `a,error_code,error_message\nx,bad,"'=HYPERLINK(""http://evil.test"")"\n`,
  );
});

it('gives NDJSON rows with every digit, and takes them back', async () => {
  const lines = ['{"n":1.0, "big":12345678901234567890}', '{}', '{"s":"\\u0000","=f":"=1"} '];
  const job = await jobOf('ndjson', `${lines.join('\n')}\n`);
  await fail(job, [0, 1, 2], 'm}"');
  const file = await textOf(errorFileNdjson(ledger.db, job, 1));
  const tail = '"error_code":"bad","error_message":"m}\\""}';
  expect(file).toBe(`{"n":1.0, "big":12345678901234567890,${tail}\n{${tail}\n{"s":"\\u0000","=f":"=1",${tail}\n`);
  expect(await linesOf(await jobOf('ndjson', file))).toEqual(lines.map((line) => line.trimEnd()));
  expect(await textOf(errorFileCsv(ledger.db, job, 1))).toBe(
    `n,big,s,'=f,error_code,error_message\n1,12345678901234567000,,,bad,"m}"""\n,,,,bad,"m}"""\n,,\u0000,'=1,bad,"m}"""\n`,
  );
});

it('gives the rows of a CSV as NDJSON, in the order of the columns', async () => {
  const job = await jobOf('csv', 'b,1\nx,y\n');
  await fail(job, [0], 'm');
  expect(await textOf(errorFileNdjson(ledger.db, job, 1))).toBe(
    '{"b":"x","1":"y","error_code":"bad","error_message":"m"}\n',
  );
});

it('streams many, pages through them, and groups them by cause', async () => {
  const job = await jobOf('csv', `n\n${Array.from({ length: 1500 }, (_, n) => n).join('\n')}\n`);
  const odd = Array.from({ length: 700 }, (_, at) => at * 2 + 1);
  await fail(job, odd, 'odd');
  await ledger.db
    .insertInto('rowError')
    .values({ jobId: job, run: 1, rowIndex: 0, code: 'zero', message: 'z' })
    .execute();
  const lines = (await textOf(errorFileCsv(ledger.db, job, 1))).trimEnd().split('\n');
  expect(lines.slice(1)).toEqual(['0,zero,z', ...odd.map((n) => `${n},bad,odd`)]);
  const page = await listRowErrors(ledger.db, job, 1, { after: 3, limit: 2 });
  expect(page).toMatchObject([
    { rowIndex: 5, line: '["5"]' },
    { rowIndex: 7, line: '["7"]' },
  ]);
  expect(await listErrorGroups(ledger.db, job, 1, 10)).toEqual([
    { code: 'bad', message: 'odd', count: 700, firstRowIndex: 1 },
    { code: 'zero', message: 'z', count: 1, firstRowIndex: 0 },
  ]);
  expect(await textOf(errorFileCsv(ledger.db, job, 2))).toBe('n,error_code,error_message\n');
});
