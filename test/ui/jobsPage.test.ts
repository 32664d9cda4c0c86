// The Background jobs page: tabs by role, the list that refreshes itself with and without its stream, and quick dates.
import { sql } from 'kysely';
import type { Browser, Page } from 'playwright-core';
import { buildAdmin, describePages, openBrowser, signedIn } from '../support/browser';
import { startTestServer, type TestServer } from '../support/webServer';

describePages('the jobs page', () => {
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
  afterEach(() => page.context().close());

  const start = async (
    title: string,
    as: 'user' | 'power_user' | 'superadmin' = 'superadmin',
    more: object = {},
  ): Promise<string> => {
    const job = { kind: 'test.echo', params: { value: 1 }, title, ...more };
    const { body } = await server.call(as, 'POST', '/api/v1/jobs', job);
    return body.id;
  };
  const row = (title: string) => page.getByRole('row').filter({ hasText: title });
  const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString();

  it('[G21] shows a superadmin both tabs, a power user no tabs and only own jobs', async () => {
    await start('of the power user', 'power_user');
    await start('of the superadmin');
    page = await signedIn(browser, server, 'power_user', '/admin/jobs');
    await row('of the power user').waitFor();
    expect(await page.getByRole('tab').count()).toBe(0);
    expect(await row('of the superadmin').count()).toBe(0);
    await page.context().close();
    page = await signedIn(browser, server, 'superadmin', '/admin/jobs');
    await row('of the power user').waitFor();
    await page.getByRole('tab', { name: 'My jobs' }).click();
    await row('of the power user').waitFor({ state: 'detached' });
    await row('of the superadmin').waitFor();
  }, 60_000);

  it("[G3] [G20] shows another user's new job and a change of state by itself, and by polling when the stream is lost", async () => {
    page = await signedIn(browser, server, 'superadmin', '/admin/jobs');
    await row('of the superadmin').waitFor();
    // With its stream the page polls once a minute only: what comes sooner came by itself.
    await page.getByText('Live', { exact: true }).waitFor();
    const id = await start('came later', 'user', { runAt: tomorrow() });
    await row('came later').getByText('Scheduled').waitFor();
    await server.call('user', 'POST', `/api/v1/jobs/${id}/cancel`, {});
    await row('came later').getByText('Canceled').waitFor();
    await page.getByText('Last updated').waitFor();
    await page.getByRole('button', { name: 'Refresh' }).waitFor();
    await page.context().close();

    page = await signedIn(browser, server, 'superadmin', '/admin/');
    await page.context().route('**/api/v1/stream*', (route) => route.abort());
    await page.goto(`${server.url}/admin/jobs`);
    await row('came later').waitFor();
    await start('without a stream', 'user');
    await row('without a stream').waitFor();
  }, 60_000);

  it('[G13] limits the list by one click, and shows all again', async () => {
    const id = await start('three days old');
    const younger = await start('two hours old');
    const age = (job: string, interval: string) =>
      sql`update job set created_at = gantry_now() - ${interval}::interval where id = ${job}`.execute(
        server.database.kysely,
      );
    await age(id, '3 days');
    await age(younger, '2 hours');
    page = await signedIn(browser, server, 'superadmin', '/admin/jobs');
    const choose = (name: string) =>
      page.getByRole('radiogroup', { name: 'How far back' }).getByText(name, { exact: true }).click();
    await row('three days old').waitFor();
    for (const name of ['24 h', '12 h']) {
      await choose(name);
      await row('three days old').waitFor({ state: 'detached' });
      await row('two hours old').waitFor();
    }
    await choose('1 h');
    await row('two hours old').waitFor({ state: 'detached' });
    await choose('Today');
    await row('three days old').waitFor({ state: 'detached' });
    await choose('7 d');
    await row('three days old').waitFor();
    await choose('All');
    await row('three days old').waitFor();
    expect(new URL(page.url()).searchParams.has('since')).toBe(false);
    await page.goto(`${server.url}/admin/deployments`);
    const today = page.getByRole('radiogroup', { name: 'How far back' }).getByRole('radio', { name: 'Today' });
    expect(await today.isChecked()).toBe(true);
  }, 60_000);
});
