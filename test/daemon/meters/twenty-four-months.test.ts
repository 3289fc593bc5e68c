import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { configOf } from '#config/load.ts';
import { MeterArchive } from '#daemon/meters/archive.ts';
import { decide, enterManual } from '#daemon/meters/entering.ts';
import type { Meter } from '#daemon/meters/read.ts';
import { type MeterReport, meterReport } from '#daemon/meters/report.ts';
import { meterDocument } from '#daemon/meters/report-document.ts';
import { allTerms } from '#daemon/meters/terms.ts';
import { verifyMeters } from '#daemon/meters/verify.ts';
import { renderReport } from '#daemon/reports/render.ts';
import { type Counts, DAY, HOUR, openSite, type Site } from './site.ts';

/** The worked example of docs/meters.md: a script of 24 months, and the sheet that says what must come out. */
const FOLDER = resolve(import.meta.dirname, '../../../docs/examples/meters-24-months');

type Numbers = Readonly<Partial<Record<Meter, number>>>;

interface Happening {
  readonly day: string;
  readonly at?: string;
  readonly serial?: string;
  readonly set?: Numbers;
  readonly reads?: Numbers;
  readonly reads_less?: Numbers;
  readonly wraps_at?: number;
  readonly device?: string;
  readonly silent_until?: string;
  readonly daily?: Numbers;
  readonly daily_after?: Numbers;
  readonly decide?: {
    readonly device: string;
    readonly day: string;
    readonly action: 'split' | 'confirm';
    readonly as?: 'board-swap';
    readonly start?: number;
    readonly reason: string;
  };
  readonly manual?: {
    readonly device: string;
    readonly meter: Meter;
    readonly after: string;
    readonly pages: number;
    readonly reason: string;
  };
}

interface Printer {
  readonly serial: string;
  device: string;
  counters: Numbers;
  daily: Numbers;
  readonly since?: string;
  readonly until?: string;
}

interface Script {
  readonly from: string;
  readonly to: string;
  readonly config: object;
  readonly printers: readonly Printer[];
  readonly happenings: readonly Happening[];
}

const script = JSON.parse(readFileSync(join(FOLDER, 'script.json'), 'utf8')) as Script;
const { config } = configOf(script.config as never, '/');
const terms = allTerms(config);
const sheet = rowsOf('sheet.csv');
const bills = rowsOf('bills.csv');

function rowsOf(name: string): Record<string, string>[] {
  const [head = '', ...lines] = readFileSync(join(FOLDER, name), 'utf8').trim().split('\n');
  const keys = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((field, index) => [keys[index] ?? '', field])));
}

/** Plays the script day by day: what is read is written, and periods are closed as the daemon does. */
async function play(site: Site): Promise<void> {
  const printers = script.printers.map((printer) => ({ ...printer, silentUntil: '' }));
  const numbers = new Map<string, number>();
  const shown = new Map<string, Numbers>();
  for (let noon = Date.parse(`${script.from}T12:00Z`); noon < Date.parse(`${script.to}T12:00Z`); noon += DAY) {
    const day = new Date(noon).toISOString().slice(0, 10);
    const today = script.happenings.filter((happening) => happening.day === day);
    const reads = printers.map(async (printer) => {
      if (day < (printer.since ?? script.from) || day > (printer.until ?? script.to)) return;
      const own = today.filter(({ serial }) => serial === printer.serial);
      for (const { silent_until, daily, device } of own) {
        printer.silentUntil = silent_until ?? printer.silentUntil;
        printer.daily = daily ?? printer.daily;
        printer.device = device ?? printer.device;
      }
      const set = own.find((happening) => happening.set)?.set;
      const wrap = own.find((happening) => happening.wraps_at)?.wraps_at;
      const first = day === (printer.since ?? script.from);
      printer.counters = set ?? (first ? printer.counters : sum(printer.counters, printer.daily, wrap));
      printer.daily = own.find((happening) => happening.daily_after)?.daily_after ?? printer.daily;
      if (day <= printer.silentUntil) return;
      const less = own.find((happening) => happening.reads_less)?.reads_less ?? {};
      const counts: Counts = own.find((happening) => happening.reads)?.reads ?? minus(printer.counters, less);
      const { device, serial } = printer;
      const { number } = await site.read({ device, serial }, noon as WallTime, counts);
      numbers.set(`${device} ${day}`, number);
      shown.set(`${device} ${day}`, counts);
    });
    await Promise.all(reads);
    for (const { at = '13:00', decide: decision, manual } of today) {
      const now = Date.parse(`${day}T${at}Z`) as WallTime;
      if (decision) {
        const { device, day: when, ...rest } = decision;
        await decide(
          site.ledger,
          { read: `${device}#${numbers.get(`${device} ${when}`)}`, author: 'kim', ...rest },
          now,
        );
      }
      if (manual) {
        const { device, meter, after, pages, reason } = manual;
        const read = shown.get(`${device} ${after}`)?.[meter] ?? 0;
        const request = { device, meter, pages: read + pages, at: now, author: 'kim', reason };
        await enterManual(site.ledger, terms, request, now);
      }
    }
    const date = Number(day.slice(8));
    if (date <= 3 || (date >= 15 && date <= 17)) await site.close(terms, (noon + HOUR) as WallTime);
  }
}

function sum(counters: Numbers, daily: Numbers, wrap = Number.POSITIVE_INFINITY): Numbers {
  const entries = Object.entries(counters) as [Meter, number][];
  return Object.fromEntries(entries.map(([meter, pages]) => [meter, (pages + (daily[meter] ?? 0)) % wrap]));
}

function minus(counters: Numbers, less: Numbers): Numbers {
  const entries = Object.entries(counters) as [Meter, number][];
  return Object.fromEntries(entries.map(([meter, pages]) => [meter, pages - (less[meter] ?? 0)]));
}

let site: Site;
let folder: string;
let report: MeterReport;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'siteward-months-'));
  site = await openSite();
  await play(site);
  report = await meterReport({
    archive: new MeterArchive({ database: site.database }),
    config,
    period: { from: Date.parse('2024-12-31T00:00Z') as WallTime, to: Date.parse('2027-01-01T00:00Z') as WallTime },
    now: Date.parse('2027-01-03T12:00Z') as WallTime,
  });
}, 240_000);

afterAll(async () => {
  await site.remove();
  rmSync(folder, { recursive: true, force: true });
});

interface JsonReport {
  readonly contracts: readonly {
    readonly contract: string | null;
    readonly period: { readonly from: string; readonly to: string };
    readonly closed: boolean;
    readonly devices: readonly {
      readonly device: string;
      readonly serial: string;
      readonly meters: Readonly<Record<string, { opening: number; closing: number; used: number; class: string }>>;
      readonly adjustments: readonly { readonly meter: string; readonly pages: number }[];
    }[];
    readonly charges: readonly { readonly amount: string | null }[];
    readonly minimum_added: string;
    readonly adjustments: readonly { readonly amount: string | null }[];
    readonly total: string | null;
  }[];
}

const minute = (time: string): string => time.replace(/:\d\d(\.\d+)?(?=[+-])/, '');

describe('24 months, worked by hand', () => {
  test('every billed page of every printer is that of the sheet, as JSON', () => {
    const { contracts } = meterDocument(report).json as JsonReport;

    const found = contracts.flatMap(({ contract, period, devices }) =>
      devices.flatMap(({ device, serial, meters }) =>
        Object.entries(meters).map(([meter, { opening, closing, used, class: kind }]) =>
          [
            contract ?? '',
            minute(period.from),
            minute(period.to),
            device,
            serial,
            meter,
            opening,
            closing,
            used,
            kind,
          ].join(),
        ),
      ),
    );
    expect(found.toSorted()).toEqual(sheet.map((row) => Object.values(row).join()).toSorted());
    expect(contracts.every(({ closed }) => closed)).toBe(true);
  });

  test('every amount, minimum, true-up and correction is that of the sheet', () => {
    const { contracts } = meterDocument(report).json as JsonReport;

    const found = contracts
      .filter(({ contract }) => contract !== null)
      .map(({ contract, period, devices, charges, minimum_added, adjustments, total }) => {
        const cents = charges.reduce((all, { amount }) => all + Math.round(Number(amount) * 100), 0);
        const pages = devices.flatMap(({ device, adjustments: own }) =>
          own.map((each) => `${device} ${each.meter} ${each.pages}`),
        );
        const corrected = adjustments[0]?.amount ?? '0.00';
        const fields = [(cents / 100).toFixed(2), minimum_added, pages.join(' '), corrected, total];
        return [contract, minute(period.from), minute(period.to), ...fields].join();
      });
    expect(found.toSorted()).toEqual(bills.map((row) => Object.values(row).join()).toSorted());
  });

  test('the CSV has the same rows, under a header that says what each is', async () => {
    const csv = Buffer.from(await renderReport(meterDocument(report), 'csv')).toString('utf8');
    const [head = '', ...lines] = csv.split('\r\n');

    expect(head).toBe('table,contract,device,serial,meter,opening,opening_at,closing,closing_at,used_pages,class');
    const rows = lines.filter((line) => line.startsWith('meters,')).map((line) => line.split(','));
    const found = rows.map(([, contract, device, serial, meter, opening, , closing, , used, kind]) =>
      [contract === '–' ? '' : contract, device, serial, meter, opening, closing, used, kind].join(),
    );
    const should = sheet.map(({ from: _, to: __, ...row }) => Object.values(row).join());
    expect(found.toSorted()).toEqual(should.toSorted());
    const totals = lines
      .filter((line) => /^charges,[^,]*,total,,,,,,/.test(line))
      .map((line) => line.split(',').at(-1));
    expect(totals.toSorted()).toEqual(bills.map(({ total }) => total).toSorted());
  });

  test('table, HTML and PDF show the same figures', async () => {
    const document = meterDocument(report);
    const text = Buffer.from(await renderReport(document, 'table')).toString('utf8');
    const html = Buffer.from(await renderReport(document, 'html')).toString('utf8');
    writeFileSync(join(folder, 'meters.pdf'), await renderReport(document, 'pdf'));
    const pdf = execFileSync('pdftotext', ['-layout', join(folder, 'meters.pdf'), '-'], {
      encoding: 'utf8',
      maxBuffer: 1e8,
    });

    const spaced = (figure: string) => Number(figure).toLocaleString('en-GB').replaceAll(',', ' ');
    for (const [name, shown] of Object.entries({ text, pdf, html: html.replace(/<[^>]+>/g, '  ') })) {
      const lines = shown
        .replaceAll(/[\u00a0\u202f]/g, ' ')
        .split(name === 'html' ? /\n|(?<=actual|manual|estimated) {2}/ : '\n');
      for (const row of sheet) {
        const { device = '', serial = '', meter = '', opening = '', closing = '', used = '', class: kind = '' } = row;
        const order = [device, serial, meter, spaced(opening), spaced(closing), spaced(used), kind];
        const pattern = new RegExp(order.map((each) => each.replace(/[-.]/g, '\\$&')).join('\\b.*?\\b'));
        expect(
          lines.some((line) => pattern.test(line)),
          `${name}: ${order.join(' ')}`,
        ).toBe(true);
      }
      for (const { total = '' } of bills) expect(shown).toContain(total);
    }
  });

  test('the ledger of the 24 months holds', async () => {
    expect((await verifyMeters(site.database)).faults).toEqual([]);
  });
});
