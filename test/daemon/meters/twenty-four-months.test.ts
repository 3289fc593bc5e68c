import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { MeterArchive } from '#daemon/meters/archive.ts';
import { type MeterReport, meterReport } from '#daemon/meters/report.ts';
import { meterDocument } from '#daemon/meters/report-document.ts';
import { verifyMeters } from '#daemon/meters/verify.ts';
import { renderReport } from '#daemon/reports/render.ts';
import { openSite, type Site } from './site.ts';
import { bills, config, play, sheet } from './worked-months.ts';

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
