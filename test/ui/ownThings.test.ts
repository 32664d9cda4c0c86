// What a person sets for themselves on the pages: saved filters of the job list, and which mails they get.
import type { Browser, Page } from 'playwright-core';
import { buildAdmin, describePages, openBrowser, signedIn } from '../support/browser';
import { until } from '../support/until';
import { startTestServer, type TestServer } from '../support/webServer';

describePages('saved filters and settings', () => {
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    buildAdmin();
    server = await startTestServer();
    browser = await openBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  afterEach(() => page.context().close());

  it('[G14] keeps what the list shows under a name, brings it back, refuses the name twice, and deletes it', async () => {
    page = await signedIn(browser, server, 'power_user', '/admin/jobs?group=processed&q=night*&since=-7d');
    const menu = page.getByRole('button', { name: 'Saved filters' });
    const saveAs = async (name: string) => {
      await menu.click();
      await page.getByRole('menuitem', { name: 'Save or delete …' }).click();
      await page.getByLabel('Save what the list shows now as').fill(name);
      await page.keyboard.press('Enter');
    };
    await saveAs('Nights');
    await page.getByText('“Nights” was saved.').waitFor();
    await page.goto(`${server.url}/admin/jobs`);
    await menu.click();
    await page.getByRole('menuitem', { name: 'Nights' }).click();
    const shown = () => Object.fromEntries(new URL(page.url()).searchParams);
    await until(() => 'q' in shown(), 'the filters to be back');
    expect(shown()).toEqual({ scope: 'mine', group: 'processed', q: 'night*', since: '-7d' });
    await saveAs('Nights');
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/You have a filter named "Nights" already\. Nothing was stored\./).waitFor();
    await dialog.getByRole('button', { name: 'Delete Nights' }).click();
    await dialog.getByRole('button', { name: 'Delete Nights' }).waitFor({ state: 'detached' });
    expect((await server.call('power_user', 'GET', '/api/v1/saved-filters')).body.items).toEqual([]);
  }, 60_000);

  it('sets which mails one gets and their language, and overwrites nobody else’s change', async () => {
    page = await signedIn(browser, server, 'user');
    const me = async () => (await server.call('user', 'GET', '/api/v1/me')).body;
    const open = async (): Promise<void> => {
      await page.getByRole('button', { name: 'A user' }).click();
      await page.getByRole('menuitem', { name: 'Settings …' }).click();
    };
    await open();
    const dialog = page.getByRole('dialog', { name: 'Settings' });
    await dialog.getByRole('radio', { name: 'Only failures' }).check();
    await dialog.getByRole('combobox', { name: /^Language/ }).click();
    await page.getByRole('option', { name: 'Français' }).click();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Your settings were saved.').waitFor();
    expect(await me()).toMatchObject({ noticePreference: 'failures', language: 'fr' });
    await open();
    const version = { 'If-Match': `"${(await me()).version}"` };
    await server.call('user', 'PATCH', '/api/v1/me', { name: 'Other' }, version);
    await dialog.getByRole('radio', { name: 'Never' }).check();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Somebody else changed it first').waitFor();
    expect(await me()).toMatchObject({ noticePreference: 'failures', name: 'Other' });
    // What is stored was read again meanwhile: the second try is held against that.
    await page.getByRole('button', { name: 'Other', includeHidden: true }).waitFor();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await me()).toMatchObject({ noticePreference: 'never', name: 'Other', language: 'fr' });
  }, 60_000);
});
