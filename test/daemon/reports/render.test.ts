import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LAYOUTS } from '#daemon/meters/layouts.ts';
import type { ReportDocument } from '#daemon/reports/document.ts';
import { renderReport } from '#daemon/reports/render.ts';
import { parseCsv } from '../../support/csv.ts';
import { temporaryFolder } from '../../support/folder.ts';

const HOSTILE = [
  '=cmd|calc',
  '+1+1',
  '-2+3',
  '@sum',
  '\t=1',
  '<script>alert(1)</script>',
  '\u001b[31mred',
  'a\r\nb',
  '"quoted", and more',
  '\u202Eevil',
  '\ud800',
];

function documentOf(rows: readonly string[][], columns = ['device', 'figure']): ReportDocument {
  return {
    title: 'Availability',
    subtitle: 'ACME Ltd · hq',
    sections: [
      {
        heading: 'gold',
        tables: [
          {
            name: 'devices',
            columns: columns.map((key) => ({ key, title: key })),
            rows: rows.map((row) => row.map((text) => text)),
          },
        ],
      },
    ],
    notes: ['cut off, never rounded'],
    json: { ok: true },
  };
}

async function text(document: ReportDocument, format: 'table' | 'csv' | 'html' | 'json'): Promise<string> {
  return Buffer.from(await renderReport(document, format)).toString();
}

describe('what devices are called', () => {
  test('runs as no formula in a spreadsheet, and reads back as one cell each', async () => {
    const rows = parseCsv(await text(documentOf(HOSTILE.map((name) => [name, '1'])), 'csv')).filter(
      ([table]) => table === 'devices',
    );

    expect(rows).toHaveLength(HOSTILE.length);
    for (const [, name = ''] of rows) expect(name).not.toMatch(/^\s*[=+\-@]/);
  });

  test.each(Object.keys(LAYOUTS))('is one cell without control characters in the layout %s', (layout) => {
    const columns = ['device', 'serial', 'meter', 'closing', 'closing_at'];
    const document = documentOf(
      HOSTILE.map((serial) => ['p', serial, 'total', '1', '2026-11-01T00:00+01:00']),
      columns,
    );
    const meters = {
      ...document,
      sections: document.sections.map(({ tables = [], ...rest }) => ({
        ...rest,
        tables: tables.map((table) => ({ ...table, name: 'meters' })),
      })),
    };

    const [, ...rows] = parseCsv(LAYOUTS[layout]?.render(meters) ?? '');

    expect(rows).toHaveLength(HOSTILE.length);
    for (const cell of rows.flat()) expect(cell).not.toMatch(/^\s*[=+\-@]|[^\P{Cc}\t\r\n]/u);
  });

  test('numbers stay numbers', async () => {
    const rows = parseCsv(await text(documentOf([['fw-1', '-3637.5']]), 'csv'));

    expect(rows[1]).toEqual(['devices', 'fw-1', '-3637.5']);
  });

  test('is text in HTML, and no control of a terminal', async () => {
    const document = documentOf(HOSTILE.map((name) => [name, '1']));

    expect(await text(document, 'html')).not.toContain('<script>');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
    expect(await text(document, 'table')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  test('does not stop a PDF, in letters that its fonts do not have either', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'report.pdf');
    writeFileSync(
      file,
      await renderReport(documentOf([...HOSTILE.map((name) => [name, '1']), ['Łódź-1', '2'], ['東京', '3']]), 'pdf'),
    );

    expect(execFileSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8' })).toContain('cmd|calc');
  });
});

test('a table of several pages repeats its head, and pages are numbered', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'report.pdf');
  const rows = Array.from({ length: 120 }, (_, index) => [`device-${index}`, '99.9']);
  writeFileSync(file, await renderReport(documentOf(rows, ['device', 'figure']), 'pdf'));

  const pages = execFileSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8' })
    .split('\f')
    .filter((page) => page.trim() !== '');

  expect(pages.length).toBeGreaterThan(2);
  for (const [index, page] of pages.entries()) {
    expect(page).toContain(`${index + 1} of ${pages.length}`);
    if (index < pages.length - 1) expect(page).toMatch(/device +figure/);
  }
  for (let index = 0; index < rows.length; index += 1) expect(pages.join('')).toContain(`device-${index}`);
});
