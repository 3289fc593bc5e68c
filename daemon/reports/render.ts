import { renderCsv } from './csv.ts';
import type { ReportDocument } from './document.ts';
import { renderHtml } from './html.ts';
import { renderText } from './text.ts';

export const FORMATS = ['table', 'json', 'csv', 'html', 'pdf'] as const;
export type Format = (typeof FORMATS)[number];

/** The ending of a file in this format. */
export const FILE_ENDINGS: Readonly<Record<Format, string>> = {
  table: 'txt',
  json: 'json',
  csv: 'csv',
  html: 'html',
  pdf: 'pdf',
};

/** A report in one format, as the bytes of its file. */
export async function renderReport(document: ReportDocument, format: Format): Promise<Uint8Array> {
  switch (format) {
    case 'table':
      return Buffer.from(renderText(document));
    case 'json':
      return Buffer.from(`${JSON.stringify(document.json, null, 2)}\n`);
    case 'csv':
      return Buffer.from(renderCsv(document));
    case 'html':
      return Buffer.from(renderHtml(document));
    case 'pdf':
      // Fonts and the code that draws with them are loaded when the first report needs them: they take memory for good.
      return await (await import('./pdf.ts')).renderPdf(document);
    default:
      return format satisfies never;
  }
}
