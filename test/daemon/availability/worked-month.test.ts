import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { ReportDocument } from '#daemon/reports/document.ts';
import { renderReport } from '#daemon/reports/render.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { at, figuresOfSheet, reportOfMonth, type SheetRow, workedMonth } from '../../support/worked-month.ts';

const month = workedMonth();
let document: ReportDocument;
beforeAll(async () => {
  document = await reportOfMonth(month);
});

/** Rows of a block of the CSV. */
function csvRows(text: string, block: string): string[][] {
  return text
    .split('\r\n')
    .filter((line) => line.startsWith(`${block},`))
    .map((line) =>
      [...`${line},`.matchAll(/("(?:[^"]|"")*"|[^,]*),/g)].map(([, cell = '']) =>
        cell.replace(/^"|"$/g, '').replaceAll('""', '"'),
      ),
    );
}

test('every figure of the JSON is the one of the sheet', async () => {
  const json = JSON.parse(Buffer.from(await renderReport(document, 'json')).toString());
  const subjects = json.slas.flatMap((sla: { sla: string; devices: object[]; groups: object[] }) =>
    [...sla.groups, ...sla.devices].map((subject) => ({ sla: sla.sla, ...subject })),
  );

  expect(json.period).toEqual({ from: '2026-10-01T00:00:00.000+02:00', to: '2026-11-01T00:00:00.000+01:00' });
  expect(subjects).toHaveLength(month.figures.length);
  for (const [index, sheet] of month.figures.entries()) {
    const times = month.times[index] ?? {};
    expect(subjects[index]).toMatchObject({
      sla: sheet['sla'],
      availability_ratio: percent(sheet['availability']),
      raw_availability_ratio: percent(sheet['raw']),
      coverage_ratio: percent(sheet['coverage']),
      met: sheet['met'] === 'yes',
      downtime_seconds: Number(sheet['downtime']),
      measured_seconds: Number(sheet['measured']),
      counted_outages: Number(sheet['outages']),
      budget_remaining_seconds: Number(sheet['budget left']),
      credit: sheet['credit'] || null,
      raw_seconds: {
        up: Number(times['up']),
        down: Number(times['down']),
        unreachable: Number(times['unreachable']),
        unknown: Number(times['unknown']),
      },
      agreed_seconds: Number(times['agreed']),
      maintenance_seconds: Number(times['maintenance']),
      excluded_seconds: Number(times['excluded']),
      unknown_seconds: Number(times['agreed unknown']),
    });
  }
});

const percent = (text: string | undefined): number => Number((Number(text) / 100).toFixed(6));

test('the outages of the JSON are the fourteen of the sheet, with what of each counts and why', async () => {
  const json = JSON.parse(Buffer.from(await renderReport(document, 'json')).toString());
  type JsonOutage = {
    device: string;
    from: string;
    seconds: number;
    counted_seconds: number;
    excluded_by: string | null;
  };
  const outages: JsonOutage[] = json.slas.flatMap((sla: { devices: { device: string; outages: object[] }[] }) =>
    sla.devices.flatMap(({ device, outages: list }) => list.map((outage) => ({ device, ...outage }))),
  );
  const byStart = outages.toSorted((a, b) =>
    `${a.device}${Date.parse(a.from)}`.localeCompare(`${b.device}${Date.parse(b.from)}`),
  );
  const expected = month.outages.toSorted((a, b) =>
    `${a['device']}${at(a['from'])}`.localeCompare(`${b['device']}${at(b['from'])}`),
  );

  expect(byStart.map(({ device, from, counted_seconds }) => [device, Date.parse(from), counted_seconds])).toEqual(
    expected.map((row: SheetRow) => [row['device'], at(row['from']), Number(row['counted seconds'])]),
  );
  expect(byStart.map(({ excluded_by }) => excluded_by)).toEqual([
    null,
    'holiday: Tag der Deutschen Einheit',
    null,
    null,
    'outside service hours',
    'maintenance: firmware',
    null,
    null,
    'shorter than an outage must be',
    'responsible: carrier',
    null,
    null,
    null,
    null,
  ]);
});

test('every figure of the CSV is the one of the sheet', async () => {
  const text = Buffer.from(await renderReport(document, 'csv')).toString();

  expect(csvRows(text, 'availability').map((row) => row.slice(1))).toEqual(
    month.figures.map((row) => [
      row['sla'],
      row['subject'] === 'internet' ? 'internet (any fw-1, fw-2)' : row['subject'],
      row['availability'],
      row['met'],
      row['raw'],
      row['downtime'],
      row['measured'],
      row['coverage'],
      row['outages'],
      row['budget left'],
      row['credit'],
    ]),
  );
  expect(csvRows(text, 'times').map((row) => row.slice(1))).toEqual(month.times.map((row) => Object.values(row)));
  expect(
    csvRows(text, 'outages')
      .map((row) => [row[2], row[6]])
      .toSorted(),
  ).toEqual(month.outages.map((row) => [row['device'], row['counted seconds']]).toSorted());
});

test.each(['table', 'html'] as const)('every figure of the sheet stands in the %s', async (format) => {
  const text = Buffer.from(await renderReport(document, format)).toString();

  for (const figure of figuresOfSheet(month)) expect(text).toContain(figure);
  expect(text).toContain('disks was announced too late: counts');
  expect(text).toContain('hotfix was announced after the fact: counts');
});

test('every figure of the sheet stands in the PDF, read back by pdftotext', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'report.pdf');
  writeFileSync(file, await renderReport(document, 'pdf'));

  const text = execFileSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8' });

  for (const figure of figuresOfSheet(month)) expect(text).toContain(figure);
  for (const row of month.figures) expect(text).toContain(row['subject'] ?? '');
  expect(text).toContain('K. Weber');
});
