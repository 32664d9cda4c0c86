// What a decision looks like on the page: who may decide finds the buttons, a rejection asks why, an undo is offered.
import type { Browser, Page } from 'playwright-core';
import { buildAdmin, describePages, openBrowser, signedIn } from '../support/browser';
import { startTestServer, type TestServer } from '../support/webServer';
import { startRowsEndpoint, type RowsEndpoint } from '../support/rowsEndpoint';
import { until } from '../support/until';

describePages('decisions on the job page', () => {
  let server: TestServer;
  let endpoint: RowsEndpoint;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    buildAdmin();
    server = await startTestServer({ worker: true });
    endpoint = await startRowsEndpoint(() => null);
    browser = await openBrowser();
    const operation = { title: 'Asks first', menu: ['T'], endpoint: endpoint.url, needsApproval: true };
    const roles = ['user', 'power_user', 'superadmin'];
    await server.call('superadmin', 'POST', '/api/v1/operations', { key: 'asks', roles, ...operation });
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await endpoint.stop();
    await server.stop();
  });
  afterEach(() => page.context().close());

  const ask = async (title: string): Promise<string> => {
    const job = { kind: 'operation.asks', title, rows: [{ n: 1 }] };
    return (await server.call('user', 'POST', '/api/v1/jobs', job)).body.id;
  };
  const job = async (id: string) => (await server.call('superadmin', 'GET', `/api/v1/jobs/${id}`)).body;

  it('[G58] a superadmin approves with one button, and the job runs', async () => {
    const id = await ask('please');
    page = await signedIn(browser, server, 'superadmin', `/admin/jobs/${id}`);
    await page.getByText(/^Waits for one approval by a superadmin/).waitFor();
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Approve job' }).click();
    await until(async () => (await job(id)).state === 'succeeded', 'the approved job to end');
  }, 60_000);

  it('[G58] a rejection is not sent without a reason', async () => {
    const id = await ask('no');
    page = await signedIn(browser, server, 'superadmin', `/admin/jobs/${id}`);
    await page.getByRole('button', { name: 'Reject', exact: true }).click();
    const dialog = page.getByRole('dialog');
    const reject = dialog.getByRole('button', { name: 'Reject job' });
    expect(await reject.isDisabled()).toBe(true);
    await dialog.getByLabel(/^Reason/).fill('wrong rows');
    await reject.click();
    await until(async () => (await job(id)).state === 'rejected', 'the job to be rejected');
  }, 60_000);

  it('[G60] who asked may withdraw, and does not find the other decisions', async () => {
    const id = await ask('mine');
    page = await signedIn(browser, server, 'user', `/admin/jobs/${id}`);
    await page.getByRole('button', { name: 'Withdraw', exact: true }).click();
    expect(await page.getByRole('button', { name: 'Approve', exact: true, includeHidden: true }).count()).toBe(0);
    await page.getByRole('dialog').getByRole('button', { name: 'Withdraw job' }).click();
    await until(async () => (await job(id)).state === 'withdrawn', 'the job to be withdrawn');
  }, 60_000);
});
