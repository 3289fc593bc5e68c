/** Chromium, and a report opened in it as its reader does. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { CHROMIUM, CHROMIUM_OPTIONS } from './chromium.ts';
import { temporaryFolder } from './folder.ts';

export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_OPTIONS] });
}

/** Paper of 96 dots an inch, less its margins of 15 mm. */
export const A4_ACROSS = Math.floor(((297 - 30) / 25.4) * 96);

export interface OpenedFile {
  readonly page: Page;
  /** Whatever the browser complains of, and whatever is fetched besides the file. */
  readonly complaints: string[];
  readonly folder: string;
}

/** Opens HTML from a file; a picture of it is kept where `SITEWARD_PICTURES` names a folder. */
export async function openFile(
  browser: Browser,
  html: Uint8Array,
  options: BrowserContextOptions,
): Promise<OpenedFile> {
  const folder = await temporaryFolder();
  const file = join(folder, 'report.html');
  await writeFile(file, html);
  const context = await browser.newContext(options);
  onTestFinished(async () => await context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  const address = pathToFileURL(file).href;
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url() !== address) complaints.push(`fetches ${request.url()}`);
  });
  // Of a long report the network is idle before the end is read.
  await page.goto(address, { waitUntil: 'load' });
  await page.waitForLoadState('networkidle');
  const pictures = process.env['SITEWARD_PICTURES'];
  if (pictures) await page.screenshot({ path: join(pictures, `${options.viewport?.width}.png`), fullPage: true });
  return { page, complaints, folder };
}

/** Runs in the browser: what sticks out of the page, and cells whose text runs into the next one. */
const TOO_WIDE = `(() => {
  const across = document.documentElement.clientWidth;
  const isScrolled = (element) => getComputedStyle(element).overflowX === 'auto';
  return [...document.body.querySelectorAll('*')]
    .filter((element) => {
      const scrolled = element.closest('.wide');
      if (element === scrolled && isScrolled(element)) return element.getBoundingClientRect().right > across + 0.5;
      if (element.matches('td,th') && element.scrollWidth > element.clientWidth) return true;
      if (scrolled && isScrolled(scrolled)) return false;
      return element.getBoundingClientRect().right > across + 0.5 || element.scrollWidth > element.clientWidth + 1;
    })
    .map((element) => element.tagName + ' ' + (element.textContent ?? '').slice(0, 60));
})()`;

export async function tooWide(page: Page): Promise<unknown> {
  return await page.evaluate(TOO_WIDE);
}
