import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ReportDocument } from '#daemon/reports/document.ts';
import { renderReport } from '#daemon/reports/render.ts';
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

/** A small reader of RFC 4180, which is not the writer's. */
function parseCsv(csv: string): string[][] {
  const rows: string[][] = [[]];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < csv.length; at += 1) {
    const letter = csv[at] ?? '';
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (csv[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === ',' || letter === '\n') {
      rows.at(-1)?.push(cell);
      cell = '';
      if (letter === '\n') rows.push([]);
    } else if (letter !== '\r') cell += letter;
  }
  return rows;
}

describe('what devices are called', () => {
  test('runs as no formula in a spreadsheet, and reads back as one cell each', async () => {
    const rows = parseCsv(await text(documentOf(HOSTILE.map((name) => [name, '1'])), 'csv')).filter(
      ([table]) => table === 'devices',
    );

    expect(rows).toHaveLength(HOSTILE.length);
    for (const [, name = ''] of rows) expect(name).not.toMatch(/^\s*[=+\-@]/);
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
