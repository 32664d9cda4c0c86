// Trying a job out before it starts, and mending it afterwards: preview, failed rows by cause, edit and resubmit, and what a
// cancel says before it is confirmed.
import { sql } from 'kysely';
import type { Browser, Page } from 'playwright-core';
import { buildAdmin, describePages, openBrowser, signedIn } from '../support/browser';
import { startRowsEndpoint, type RowsEndpoint } from '../support/rowsEndpoint';
import { makeStock } from '../support/testKinds';
import { until } from '../support/until';
import { startTestServer, type TestServer } from '../support/webServer';

describePages('trying out and mending', () => {
  let server: TestServer;
  let endpoint: RowsEndpoint;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    buildAdmin();
    server = await startTestServer({ worker: true });
    await makeStock(server.database.kysely, 6);
    // Rows whose number ends in 3 are too large, those that end in 7 are odd.
    endpoint = await startRowsEndpoint(({ n }) => {
      if (Number(n) % 10 === 3) return { code: 'too_large', message: 'More than the account may have.' };
      return Number(n) % 10 === 7 ? { code: 'odd', message: 'This one is odd.' } : null;
    });
    browser = await openBrowser();
    await server.call('superadmin', 'POST', '/api/v1/operations', {
      ...{ key: 'seats', title: 'Set seats', menu: ['T'], endpoint: endpoint.url, chunkSize: 10, concurrency: 1 },
      ...{ roles: ['user', 'power_user', 'superadmin'], retry: { attempts: 1, minDelayMs: 50, maxDelayMs: 50 } },
      paramsSchema: { type: 'object', properties: { plan: { type: 'string' }, note: { type: 'string' } } },
    });
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await endpoint.stop();
    await server.stop();
  });
  beforeEach(() => endpoint.sent.clear());
  afterEach(() => page.context().close());

  const job = async (id: string) => (await server.call('superadmin', 'GET', `/api/v1/jobs/${id}`)).body;
  const start = async (as: 'user' | 'superadmin', body: object, state: string): Promise<string> => {
    const { id } = (await server.call(as, 'POST', '/api/v1/jobs', body)).body;
    await until(async () => (await job(id)).state === state, `the job to be ${state}`);
    return id;
  };
  const seats = (title: string, more: object = {}) => ({
    ...{ kind: 'operation.seats', title, params: { plan: 'team', note: 'spring' } },
    rows: Array.from({ length: 30 }, (_, n) => ({ n: String(n) })),
    ...more,
  });
  const sent = () => [...endpoint.sent.keys()].sort((one, other) => one - other);

  it('shows before the start what each row would become, changes nothing, and says when the form moved on', async () => {
    page = await signedIn(browser, server, 'user');
    await page.getByRole('button', { name: 'Start a job' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'What to do' }).click();
    await page.getByRole('option', { name: 'Stock', exact: true }).click();
    const rows = (lines: object[]) => ({
      name: 'stock.ndjson',
      mimeType: 'application/x-ndjson',
      buffer: Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n')),
    });
    const file = dialog.locator('input[type=file]');
    await dialog.getByRole('button', { name: 'Preview' }).click();
    await dialog.getByText('Choose a file of rows first.').waitFor();
    await file.setInputFiles(
      rows([
        { sku: 's0', amount: 3 },
        { sku: 's1', amount: 10 },
        { sku: 'none', amount: 1 },
      ]),
    );
    await dialog.getByRole('button', { name: 'Preview' }).click();
    const preview = dialog.getByRole('region', { name: 'Preview' });
    await preview.getByText('The kind itself judged all 3 rows.').waitFor();
    expect(await preview.getByRole('status').innerText()).toMatch(/succeed\s+2\s.*skipped\s+0\s.*fail\s+1/s);
    const row = (text: string) => preview.getByRole('row').filter({ hasText: text });
    expect(await row('Would succeed').first().innerText()).toMatch(/amount 10\s*→\s*(becomes\s*)?3/);
    await row('It is not in stock.').waitFor();
    expect((await server.call('superadmin', 'GET', '/api/v1/jobs')).body.items).toEqual([]);
    const stock = await sql<{ amount: number }>`select amount from stock`.execute(server.database.kysely);
    expect(stock.rows.map(({ amount }) => amount)).toEqual([10, 10, 10, 10, 10, 10]);
    await file.setInputFiles(rows([{ sku: 's2', amount: 4 }]));
    await dialog.getByText(/^The form was changed since the preview/).waitFor();
    expect(await preview.count()).toBe(0);
  }, 60_000);

  it('[G37] groups failed rows by cause, shows one cause alone, and runs exactly its rows again', async () => {
    const id = await start('superadmin', seats('By cause'), 'completed_with_errors');
    page = await signedIn(browser, server, 'superadmin', `/admin/jobs/${id}?tab=errors`);
    const group = page.getByRole('row').filter({ hasText: 'This one is odd.' }).filter({ hasText: 'Requeue these' });
    await group.getByRole('button', { name: 'Show only these' }).click();
    await page.getByText(/^3 failed rows of odd\./).waitFor();
    await page.getByRole('cell', { name: '{"n":"17"}' }).waitFor();
    expect(await page.getByRole('cell', { name: '{"n":"13"}' }).count()).toBe(0);
    const file = await group.getByRole('link', { name: 'CSV of odd' }).getAttribute('href');
    const { text } = await server.call('superadmin', 'GET', file ?? '');
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => line.split(',')[0])
        .slice(1),
    ).toEqual(['7', '17', '27']);
    endpoint.sent.clear();
    await group.getByRole('button', { name: 'Requeue these' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Requeue 3 rows' }).click();
    await until(async () => (await job(id)).run === 2 && (await job(id)).group === 'processed', 'the second run');
    expect(sent()).toEqual([7, 17, 27]);
  }, 60_000);

  it('[G36] [G37] resubmits an old job filled in, over its failed rows, and shows what differs', async () => {
    const id = await start('user', seats('Spring'), 'completed_with_errors');
    page = await signedIn(browser, server, 'user', `/admin/jobs/${id}`);
    await page.getByRole('button', { name: 'Edit and resubmit' }).click();
    const dialog = page.getByRole('dialog', { name: 'Edit and resubmit' });
    expect(await dialog.getByLabel('Note').inputValue()).toBe('spring');
    expect(await dialog.getByLabel('Name of the job').inputValue()).toBe('Spring');
    await dialog.getByLabel('Plan').fill('business');
    await dialog.getByLabel('Failed rows only (6)').check();
    endpoint.sent.clear();
    await dialog.getByRole('button', { name: 'Resubmit' }).click();
    await page.getByRole('dialog', { name: 'Job started' }).getByRole('link', { name: 'Open the job' }).click();
    const difference = page.getByRole('region', { name: `Derived from ${id}` });
    await difference.getByText('Parameter plan').waitFor();
    const lines = await difference.getByRole('row').allInnerTexts();
    expect(lines.map((line) => line.replace(/\s+|becomes/g, ''))).toEqual([
      'Parameterplanteam→business',
      'Rows30rows→6rows',
    ]);
    const made = await job(new URL(page.url()).pathname.split('/').pop() ?? '');
    expect(made).toMatchObject({ derivedFrom: id, params: { plan: 'business', note: 'spring' }, title: 'Spring' });
    expect(made.id).not.toBe(id);
    await until(async () => (await job(made.id)).group === 'processed', 'the new job to end');
    expect(sent()).toEqual([0, 1, 2, 3, 4, 5]);
    expect((await job(id)).run).toBe(1);
  }, 60_000);

  it('[G40] warns before a cancel how much stays done, counts that, and offers undo only where a kind has it', async () => {
    const cancel = async (id: string, said: RegExp): Promise<void> => {
      await page.goto(`${server.url}/admin/jobs/${id}`);
      await page.getByRole('button', { name: 'Cancel', exact: true }).click();
      const dialog = page.getByRole('dialog', { name: 'Cancel this job?' });
      await dialog.getByText(said).waitFor();
      expect((await job(id)).state).toBe('paused');
      await dialog.getByRole('button', { name: 'Cancel job' }).click();
      await page.getByRole('button', { name: 'Requeue', exact: true }).waitFor();
    };
    const undo = () => page.getByRole('button', { name: 'Undo', exact: true }).count();
    const id = await start('user', seats('A trial', { trial: 10 }), 'paused');
    page = await signedIn(browser, server, 'user');
    await cancel(id, /^What was done stays done: 10 of 30 rows so far\. This kind of job has no undo\.$/);
    expect(await job(id)).toMatchObject({ state: 'canceled', progress: { done: 10, total: 30 } });
    expect(sent()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await undo()).toBe(0);
    const rows = Array.from({ length: 6 }, (_, n) => ({ sku: `s${n}`, amount: 1 }));
    const other = await start('user', { kind: 'test.stock', rows, params: {}, trial: 2 }, 'paused');
    await cancel(other, /2 of 6 rows so far\. Once it has ended, Undo can put back what it changed\.$/);
    expect(await undo()).toBe(1);
    const changed = await sql`select from stock where amount = 1`.execute(server.database.kysely);
    expect(changed.rows.length).toBe((await job(other)).progress.done);
  }, 60_000);
});
