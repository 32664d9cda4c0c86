// No cell of a CSV that we give out is calculated by a spreadsheet (reliability B5), wherever it splits; and an error file that is
// sent in again brings the rows as they were.
import fc from 'fast-check';
import { guardCell, unguardCell } from '../../src/jobs/massActions/cellGuard';
import { csvLine } from '../../src/jobs/massActions/errorFile';
import { buildOperation } from '../support/factories';
import { startRowsEndpoint, type RowsEndpoint } from '../support/rowsEndpoint';
import { until } from '../support/until';
import { startTestServer, type TestServer } from '../support/webServer';
import { CELLS } from './stories/cells';

/** As spreadsheets read: quotes count at the beginning of a cell only; what follows them belongs to the cell. */
function readAs(separator: string, text: string): string[] {
  const cells: string[] = [];
  for (let at = 0; at < text.length; at += 1) {
    let cell = '';
    if (text[at] === '"') {
      for (at += 1; at < text.length && (text[at] !== '"' || text[at + 1] === '"'); at += 1) {
        if (text[at] === '"') at += 1;
        cell += text[at];
      }
      at += 1;
    }
    for (; at < text.length && !`${separator}\r\n`.includes(text[at] ?? ''); at += 1) cell += text[at];
    cells.push(cell);
  }
  return cells;
}

const IS_FORMULA = /^[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠]/u;
/** Where a spreadsheet does not split at commas, our next cell follows a number. */
const BEGINS_WITH_NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?(,|$)/i;
const formulasOf = (text: string): string[] =>
  [',', ';', '\t'].flatMap((separator) =>
    readAs(separator, text).filter((cell) => IS_FORMULA.test(cell) && !BEGINS_WITH_NUMBER.test(cell)),
  );

it('would see a formula', () => {
  expect(formulasOf('a,=1\n')).toEqual(['=1']);
  expect(formulasOf('a,"b;=1"\n')).toEqual(['=1"']);
  expect(formulasOf('a,"b\n@c"\n')).toEqual(['@c"', '@c"']);
  expect(formulasOf('a,-5\n')).toEqual([]);
});

it.each(CELLS.map(({ cell, guarded }) => [cell, guarded]))('%j becomes %j and comes back', (cell, guarded) => {
  expect(guardCell(cell)).toBe(guarded);
  expect(unguardCell(guarded)).toBe(cell);
  expect(formulasOf(csvLine([cell, 'x', cell]))).toEqual([]);
});

it('guards any cell, and takes off what it put on', () => {
  const signs = fc.constantFrom(...'=+-@＝;,\t\r\n\'" \u00a0\u200bx15.e');
  const cells = fc.array(fc.string({ unit: signs, maxLength: 12 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(cells, (row) => {
      expect(row.map(guardCell).map(unguardCell)).toEqual(row);
      expect(formulasOf(csvLine(row))).toEqual([]);
    }),
    { seed: 20_261_124, numRuns: 3000 },
  );
});

describe('over HTTP', () => {
  let server: TestServer;
  let endpoint: RowsEndpoint;
  beforeAll(async () => {
    endpoint = await startRowsEndpoint(() => ({ code: '=1', message: 'a\n=2;@b' }));
    server = await startTestServer({ worker: true });
    await buildOperation(server.database.kysely, { key: 'cells', endpoint: endpoint.url });
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    await endpoint?.stop();
  });

  const admin = (method: string, path: string, body?: unknown) =>
    server.call('superadmin', method, `/api/v1${path}`, body);
  const ended = (id: string): Promise<void> =>
    until(async () => (await admin('GET', `/jobs/${id}`)).body.group === 'processed', 'the end of the job');

  async function send(csv: string): Promise<string> {
    const form = new FormData();
    form.set('job', JSON.stringify({ kind: 'operation.cells', params: {} }));
    form.set('rows', new File([csv], 'rows.csv'));
    const { status, body } = await admin('POST', '/jobs', form);
    expect(status).toBe(202);
    await ended(body.id);
    return body.id;
  }

  const rowsOf = async (jobId: string): Promise<unknown[]> => {
    const chunks = await server.database.kysely
      .selectFrom('jobInput')
      .select('rows')
      .where('jobId', '=', jobId)
      .orderBy('inputChunk')
      .execute();
    return chunks.flatMap(({ rows }) => rows.split('\n').map((row) => JSON.parse(row) as unknown));
  };

  it('an error file is no risk, and brings the same rows again', async () => {
    const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
    const rows = CELLS.map(({ cell }) => [cell, 'x']);
    const header = [`=cmd|' /C calc'!A1`, "'b;=1"];
    const first = await send([header, ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join(''));
    expect(await rowsOf(first)).toEqual(rows);
    const { text } = await admin('GET', `/jobs/${first}/errors.csv`);
    expect(text).toContain(`"a\n'=2;'@b"`);
    expect(formulasOf(text)).toEqual([]);
    const again = await send(text);
    expect(await rowsOf(again)).toEqual(rows);
    const form = await server.database.kysely
      .selectFrom('job')
      .select('inputColumns')
      .where('id', '=', again)
      .executeTakeFirst();
    expect(JSON.parse(form?.inputColumns ?? '')).toEqual(header);
  });

  it('neither are the list of jobs and the file of an export', async () => {
    for (const { cell } of CELLS.filter((story) => story.cell.trim() !== '')) {
      const { status } = await admin('POST', '/jobs', { kind: 'test.echo', params: { value: cell }, title: cell });
      expect(status).toBe(202);
    }
    const list = await admin('GET', '/export/jobs.csv');
    const { body } = await admin('POST', '/jobs', { kind: 'jobs.export', params: { format: 'csv' } });
    await ended(body.id);
    const file = await admin('GET', `/jobs/${body.id}/file`);
    for (const { text } of [list, file]) {
      expect(text).toContain(`'=cmd|' /C calc'!A0`);
      expect(formulasOf(text)).toEqual([]);
    }
  });
});
