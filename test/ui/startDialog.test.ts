// Starting a job by hand, as anybody who signs in does: the dialog, its refusals, its progress, cancel, and the bell.
import type { Browser, Page } from 'playwright-core';
import { buildAdmin, describePages, openBrowser, signedIn } from '../support/browser';
import { startTestServer, type TestServer } from '../support/webServer';
import { until } from '../support/until';

const ROWS = 40;
const csv = (rows: number): { name: string; mimeType: string; buffer: Buffer } => ({
  name: 'rows.csv',
  mimeType: 'text/csv',
  buffer: Buffer.from(['n', ...Array.from({ length: rows }, (_, n) => String(n))].join('\n')),
});

describePages('the start dialog', () => {
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    buildAdmin();
    server = await startTestServer({ worker: true });
    browser = await openBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  beforeEach(async () => {
    page = await signedIn(browser, server, 'user');
  });
  afterEach(() => page.context().close());

  const jobs = async (): Promise<{ id: string; state: string; title: string; progress: { done: number } }[]> =>
    (await server.call('user', 'GET', '/api/v1/jobs')).body.items;
  const fill = async (title: string, pauseMs: number): Promise<void> => {
    await page.getByRole('button', { name: 'Start a job' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'What to do' }).click();
    await page.getByRole('option', { name: 'Chatty' }).click();
    await dialog.getByLabel('Lines').fill('1');
    await dialog.getByLabel('Pause ms').fill(String(pauseMs));
    await dialog.getByLabel('Name of the job').fill(title);
    await dialog.locator('input[type=file]').setInputFiles(csv(ROWS));
    await dialog.getByRole('button', { name: 'Start', exact: true }).click();
  };

  it('[G4] [G91] says by a green notice with a link that the job was started, shows it live, and closing leaves it as it is', async () => {
    await fill('Shown live', 300);
    const notice = page.getByRole('status').filter({ hasText: '“Shown live” was started.' });
    await notice.getByRole('link', { name: 'Open it' }).waitFor();
    const dialog = page.getByRole('dialog', { name: 'Job started' });
    await dialog.getByText('Started', { exact: true }).waitFor();
    await dialog.getByText('{"lines":1,"pauseMs":300}').waitFor();
    const percent = async (): Promise<number> =>
      Number(await dialog.getByRole('progressbar').first().getAttribute('aria-valuenow'));
    await until(async () => (await percent()) > 0, 'some progress in the dialog');
    const seen = await percent();
    await until(async () => (await percent()) > seen, 'more progress, by itself');
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await dialog.waitFor({ state: 'detached' });
    const job = (await jobs()).find((one) => one.title === 'Shown live');
    expect(['queued', 'running', 'succeeded']).toContain(job?.state);
    await until(
      async () => (await jobs()).find((one) => one.title === 'Shown live')?.state === 'succeeded',
      'the job to end as if nobody had looked',
    );
  }, 60_000);

  it('[G5] cancels from the dialog as the list does', async () => {
    await fill('Stopped here', 2000);
    const dialog = page.getByRole('dialog', { name: 'Job started' });
    await dialog.getByRole('button', { name: 'Cancel job' }).click();
    const asked = page.getByRole('dialog', { name: 'Cancel this job?' });
    await asked.getByText(/^What was done stays done:/).waitFor();
    await asked.getByRole('button', { name: 'Cancel job' }).click();
    await until(
      async () => (await jobs()).find((one) => one.title === 'Stopped here')?.state === 'canceled',
      'the job to be canceled',
    );
    await dialog.getByRole('status').getByText('Canceled').waitFor();
  }, 60_000);

  it('[G91] tells in red what is wrong, beside its field, and makes no job', async () => {
    const before = (await jobs()).length;
    await page.getByRole('button', { name: 'Start a job' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'What to do' }).click();
    await page.getByRole('option', { name: 'Chatty' }).click();
    await dialog.getByLabel('Lines').fill('1');
    await dialog.locator('input[type=file]').setInputFiles({ ...csv(0), buffer: Buffer.from('a,a\n1,2\n') });
    await dialog.getByRole('button', { name: 'Start', exact: true }).click();
    const alert = dialog.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/header|column/i);
    expect(await dialog.getByText('Job started').count()).toBe(0);
    expect((await jobs()).length).toBe(before);
  }, 60_000);

  it('[G53] the bell counts own jobs that go on or ended unseen, opens their list, and remembers what was read', async () => {
    await fill('For the bell', 100);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    await page.getByRole('button', { name: /^Notifications: 1 going on/ }).waitFor();
    await until(
      async () => (await jobs()).find((one) => one.title === 'For the bell')?.state === 'succeeded',
      'the end of the job',
    );
    const unseen = page.getByRole('button', { name: /^Notifications: 0 going on, [1-9]\d* ended since/ });
    await unseen.waitFor();
    await unseen.click();
    await page.getByRole('dialog', { name: 'Notifications' }).getByRole('link', { name: 'For the bell' }).waitFor();
    await page.getByRole('button', { name: /^Notifications: 0 going on, 0 ended/, includeHidden: true }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: /^Notifications: 0 going on, 0 ended/ }).waitFor();
  }, 60_000);
});
