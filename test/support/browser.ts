// A real browser for tests of pages: Chromium as it is found on the machine, and the admin UI built from these sources.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { PASSWORD, type TestServer } from './webServer';
import type { UserRole } from '../../src/db/generated/database';

const ROOT = path.join(__dirname, '..', '..');
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

function findBrowser(): string | null {
  const found = NAMES.map((name) => spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim()).find(Boolean);
  return found ?? null;
}

const executable = findBrowser();
if (!executable) process.stderr.write('\n*** NO CHROMIUM: the pages are not tested ***\n\n');

/** describe, or describe.skip where no browser is. */
export const describePages = executable ? describe : describe.skip;

/** Builds the UI unless it is built already. Takes a while: call it in beforeAll with time to spare. */
export function buildAdmin(): void {
  const { status, stderr } = spawnSync(process.execPath, [path.join(ROOT, 'bin/prepare.cjs'), 'admin'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the admin UI could not be built:\n${stderr}`);
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
];

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: executable ?? '', args: FLAGS });
}

/** A page of its own session, signed in as that role and past the sign-in page. */
export async function signedIn(browser: Browser, server: TestServer, role: UserRole, at = '/admin/'): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(server.url + at);
  await page.getByLabel('E-mail').fill(server.callers[role].email);
  await page.locator('input[type=password]').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: /^Notifications/ }).waitFor();
  return page;
}
