// Real rows: 48,184 runways, of which 296 have no length that is a positive integer. Each row is sent once, the error file
// holds exactly the refused ones, and mended and sent again they all succeed.
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { clearFolder, killLeftovers, scratchFolder, startGantry, type GantryProcess } from '../support/gantryProcess';
import { ADMIN_ENV, adminClient, createOperation, jobEnd, sendRows } from '../support/apiClient';
import { startRowsEndpoint, type RowsEndpoint } from '../support/rowsEndpoint';

const FILE = path.resolve('../shared/data/runways.csv');
const ROWS = 48_184;
const REFUSED = 296;
const present = existsSync(FILE);

if (!present) {
  console.warn(`\n!! ${FILE} is not there: THE TEST ON REAL ROWS DOES NOT RUN. Get the file from ourairports.com.\n`);
}

const isGood = (data: Record<string, string>): boolean => /^[1-9]\d*$/.test(data['length_ft'] ?? '');

const folder = scratchFolder();
let endpoint: RowsEndpoint;
let gantry: GantryProcess;

beforeAll(async () => {
  if (!present) return;
  endpoint = await startRowsEndpoint((data) =>
    isGood(data) ? null : { code: 'bad_length', message: `length_ft is "${data['length_ft'] ?? ''}"` },
  );
  gantry = await startGantry(folder, { env: { ...ADMIN_ENV, LOG_LEVEL: 'warn' } });
}, 60_000);

afterAll(async () => {
  gantry?.signal('SIGTERM');
  await gantry?.ended();
  killLeftovers();
  await endpoint?.stop();
  await clearFolder(folder);
}, 60_000);

(present ? test : test.skip)(
  '48,184 runways end completed_with_errors on exactly the 296 bad ones; mended, they succeed',
  async () => {
    const client = adminClient(gantry.url);
    await createOperation(client, 'runways', endpoint.url, { chunkSize: 500, concurrency: 4 });
    const sent: Record<string, string>[] = parse(readFileSync(FILE), { columns: true, bom: true });
    const bad = sent.filter((row) => !isGood(row));
    expect([sent.length, bad.length]).toEqual([ROWS, REFUSED]);

    const job = await sendRows(client, 'runways', readFileSync(FILE));
    const ended = await jobEnd(client, job.id, 180_000);
    expect(ended).toMatchObject({
      state: 'completed_with_errors',
      progress: { total: ROWS, done: ROWS, failed: REFUSED, skipped: 0, percent: 100 },
    });
    expect(endpoint.sent.size).toBe(ROWS);
    expect([...endpoint.sent.values()].every((times) => times === 1)).toBe(true);

    const errorFile: Record<string, string>[] = parse(await client.text(`/api/v1/jobs/${job.id}/errors.csv`), {
      columns: true,
    });
    const asSent = errorFile.map(({ error_code, error_message, ...row }) => {
      expect(error_code).toBe('bad_length');
      expect(error_message).toContain('length_ft is "');
      return row;
    });
    expect(asSent.map((row) => row['id'])).toEqual(bad.map((row) => row['id']));

    endpoint.sent.clear();
    const mended = errorFile.map((row) => ({ ...row, length_ft: '1000' }));
    const again = await sendRows(client, 'runways', stringify(mended, { header: true }));
    expect(await jobEnd(client, again.id)).toMatchObject({
      state: 'succeeded',
      progress: { total: REFUSED, done: REFUSED, failed: 0 },
    });
    expect(endpoint.sent.size).toBe(REFUSED);
  },
  240_000,
);
