/** The worked month as an account manager opens it: the HTML report in a real browser, on a screen, a phone and paper. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { renderReport } from '#daemon/reports/render.ts';
import { A4_ACROSS, launchBrowser, openFile, tooWide } from '../../support/browser.ts';
import { figuresOfSheet, reportOfMonth, workedMonth } from '../../support/worked-month.ts';

const month = workedMonth();
let browser: Browser;
let html: Uint8Array;
// A browser on a machine that runs other tests is slow, which is no fault of the report.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

beforeAll(async () => {
  html = await renderReport(await reportOfMonth(month), 'html');
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
});

/** What stands in cells that a reader can see, a row of a table a line. `innerText` leaves out what is not rendered. */
const rowsSeen = async (page: Page): Promise<string[][]> =>
  await Promise.all((await page.locator('tbody tr').all()).map(async (row) => await row.locator('td').allInnerTexts()));

test('on a screen: each figure of the sheet is seen, in the row of its device, and nothing is fetched', async () => {
  const { page, complaints } = await openFile(browser, html, { viewport: { width: 1280, height: 900 } });

  const seen = await page.locator('body').innerText();
  const rows = await rowsSeen(page);

  for (const figure of figuresOfSheet(month)) expect(seen).toContain(figure);
  for (const sheet of month.figures) {
    const row = rows.find(
      ([name = '', share = '', met]) => name.split(' ')[0] === sheet['subject'] && share.endsWith('%') && met !== '',
    );
    const [, availability, met, raw, , , coverage, outages, , credit] = row ?? [];
    expect({ availability, met, raw, coverage, outages: outages?.split(' ')[0], credit }).toEqual({
      availability: `${sheet['availability']} %`,
      met: sheet['met'] === 'yes' ? 'yes' : 'NO',
      raw: `${sheet['raw']} %`,
      coverage: `${sheet['coverage']} %`,
      outages: sheet['outages'],
      credit: sheet['credit'] || '–',
    });
  }
  expect(seen).toContain('2 of 5');
  expect(seen).toContain('fw-1 (always-on), sw-1 (always-on), srv-1 (office)');
  expect(await tooWide(page)).toEqual([]);
  expect(complaints).toEqual([]);
});

test('on a phone: nothing sticks out of the page, and its tables are scrolled by themselves', async () => {
  const { page, complaints } = await openFile(browser, html, {
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
  });

  const whole = await page.evaluate('[document.documentElement.scrollWidth, window.innerWidth]');

  expect(whole).toEqual([390, 390]);
  expect(await tooWide(page)).toEqual([]);
  expect(complaints).toEqual([]);
});

test('on paper: it lies across A4, nothing is cut off, and each figure can be read back', async () => {
  const { page, complaints, folder } = await openFile(browser, html, { viewport: { width: A4_ACROSS, height: 700 } });
  await page.emulateMedia({ media: 'print' });
  const file = join(folder, 'printed.pdf');

  expect(await tooWide(page)).toEqual([]);
  await page.pdf({ path: file, preferCSSPageSize: true });
  const printed = execFileSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8' });
  const about = execFileSync('pdfinfo', [file], { encoding: 'utf8' });

  expect(about).toMatch(/Page size: +84\d\.\d+ x 59\d\.\d+ pts \(A4\)/);
  // The head of a table is not left alone at the foot of a page.
  for (const sheet of printed.split('\f'))
    expect(sheet.trimEnd()).not.toMatch(/(Credit|Agreed, unknown|counts|group)$/);
  for (const figure of figuresOfSheet(month)) expect(printed).toContain(figure);
  for (const text of ['fw-2', 'K. Weber', 'ticket 4711 of the carrier']) expect(printed).toContain(text);
  expect(complaints).toEqual([]);
});
