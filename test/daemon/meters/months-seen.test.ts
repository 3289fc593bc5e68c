/** A print bill as an account manager sends it: by mail on its day, and as PDF and HTML that people look at. */
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { configOf } from '#config/load.ts';
import { readMeterReport } from '#daemon/meters/reading.ts';
import { meterDocument } from '#daemon/meters/report-document.ts';
import { renderReport } from '#daemon/reports/render.ts';
import { ReportSchedule } from '#daemon/reports/schedule.ts';
import { setClock } from '../../support/availability.ts';
import { A4_ACROSS, launchBrowser, openFile, tooWide } from '../../support/browser.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { startMailServer } from '../../support/mail-server.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { DAY, openSite, type Site } from './site.ts';
import { bills, config, play, script, sheet } from './worked-months.ts';

/** The month in which an estimate is trued up below zero, and the least amount is charged. */
const PERIOD = '2026-02';
const MADE = Date.parse('2026-03-04T07:00Z') as WallTime;
const inMonth = ({ to = '' }: Record<string, string>) => /^2026-0(2-1|3-01)/.test(to);
let site: Site;
let browser: Browser;
let html: Uint8Array;
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

beforeAll(async () => {
  site = await openSite();
  await play(site);
  await enterSupplies(site);
  html = await renderReport(await documentOfMonth(), 'html');
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await site.remove();
});

async function documentOfMonth() {
  const report = await readMeterReport(site.database, PERIOD, { config, now: MADE });
  if (!report) throw new Error(`${PERIOD} is no period`);
  return meterDocument(report);
}

/** A toner that runs low, and one that was thrown away half full. */
async function enterSupplies({ ledger }: Site): Promise<void> {
  const about = (description: string) => JSON.stringify({ description, type: 'toner', color: 'black' });
  for (let day = 0; day < 30; day += 1) {
    const at = (MADE - (30 - day) * DAY) as WallTime;
    await ledger.addSupplyLevel('Acme:N1-0001', '1', at, 70 - 2 * day, about('Black toner TN-626K'));
  }
  const replaced = { device: 'n2', printer: 'Acme:N2-0002', supply: '1', description: 'Waste box', left: 55, now: 100 };
  await ledger.enter('supply-replaced', replaced, Date.parse('2026-02-11T09:30Z') as WallTime);
}

const spaced = (figure = '') => Number(figure).toLocaleString('en-GB').replaceAll(',', ' ');
const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, ' ');

/** Figures of the sheet that a reader has to find. */
function figures(): string[] {
  const rows = sheet
    .filter(inMonth)
    .flatMap(({ opening, closing, used, device = '', serial = '' }) => [
      device,
      serial,
      ...[opening, closing, used].map(spaced),
    ]);
  const amounts = bills
    .filter(inMonth)
    .map(({ contract, total }) => `${total} ${contract === 'south' ? 'USD' : 'EUR'}`);
  return [...new Set([...rows, ...amounts])];
}

test('on a screen: each figure of the month is seen, nothing runs into another, and nothing is fetched', async () => {
  const { page, complaints } = await openFile(browser, html, { viewport: { width: 1280, height: 900 } });

  const seen = plain(await page.locator('body').innerText());

  for (const figure of figures()) expect(seen).toContain(figure);
  for (const text of ['-418', '-3.65 EUR', 'Black toner TN-626K', 'Waste box', 'early']) expect(seen).toContain(text);
  expect(await tooWide(page)).toEqual([]);
  expect(complaints).toEqual([]);
});

test('on a phone: nothing sticks out of the page, and its tables are scrolled by themselves', async () => {
  const { page, complaints } = await openFile(browser, html, {
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
  });

  expect(await page.evaluate('[document.documentElement.scrollWidth, window.innerWidth]')).toEqual([390, 390]);
  expect(await tooWide(page)).toEqual([]);
  expect(complaints).toEqual([]);
});

test('on paper: it lies across A4, nothing is cut off, and each figure can be read back', async () => {
  const { page, folder } = await openFile(browser, html, { viewport: { width: A4_ACROSS, height: 700 } });
  await page.emulateMedia({ media: 'print' });
  const file = join(process.env['SITEWARD_PICTURES'] ?? folder, 'printed.pdf');

  expect(await tooWide(page)).toEqual([]);
  await page.pdf({ path: file, preferCSSPageSize: true });
  const printed = plain(execFileSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8' }));

  expect(execFileSync('pdfinfo', [file], { encoding: 'utf8' })).toMatch(/Page size: +84\d\.\d+ x 59\d\.\d+ pts \(A4\)/);
  for (const figure of figures()) expect(printed).toContain(figure);
});

test('it is made and mailed on its day with its files, once', async () => {
  const folder = await temporaryFolder();
  const server = await startMailServer({ refuses: true });
  const { port, mails } = server;
  const loaded = configOf(
    {
      ...script.config,
      storage: { directory: 'store' },
      smtp: { host: '127.0.0.1', port, from: 'siteward@muster.example' },
      reports: {
        scheduled: [{ report: 'meters', day: 4, formats: ['csv', 'pdf'], mail_to: ['billing@muster.example'] }],
      },
    },
    folder,
  );
  const clock = setClock(MADE);
  const database = () => site.database;
  const log = recordingLogger();
  const schedule = new ReportSchedule({ clock, log, database, loaded: () => loaded });

  await schedule.look();
  const refused = mails.length;
  server.refuses = false;
  for (let look = 0; look < 2; look += 1) {
    clock.advance(20 * 60_000);
    await schedule.look();
  }
  await new ReportSchedule({ clock, log, database, loaded: () => loaded }).look();

  const { site: about } = loaded.config;
  const made = readdirSync(join(folder, 'store', 'reports')).filter((name) => !name.startsWith('.'));
  expect(made.toSorted()).toEqual([`${about.id}-meters-${PERIOD}.csv`, `${about.id}-meters-${PERIOD}.pdf`]);
  expect(refused).toBe(0);
  expect(mails).toHaveLength(1);
  expect(mails[0]).toContain(`Subject: Print meters, ${about.client} ${about.id}, ${PERIOD}`);
  expect(mails[0]).toContain(`filename=${about.id}-meters-${PERIOD}.pdf`);
  const part = mails[0]?.split(`filename=${about.id}-meters-${PERIOD}.csv`)[1] ?? '';
  const csv = part.slice(part.indexOf('\r\n\r\n')).split('\r\n--')[0] ?? '';
  const text = Buffer.from(csv, 'base64').toString('utf8');
  for (const { total = '' } of bills.filter(inMonth)) expect(text).toContain(total);
});

test('the PDF shows the figures of the month', async () => {
  const folder = process.env['SITEWARD_PICTURES'] ?? (await temporaryFolder());
  const file = join(folder, 'meters.pdf');
  writeFileSync(file, await renderReport(await documentOfMonth(), 'pdf'));

  const printed = plain(execFileSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8' }));

  for (const figure of figures()) expect(printed).toContain(figure);
  for (const text of ['-418', '-3.65 EUR', 'Black toner TN-626K', 'Waste box']) expect(printed).toContain(text);
});
