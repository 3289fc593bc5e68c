/** Reports as PDF. The only file that knows `pdfkit`. */
import { existsSync } from 'node:fs';
import PDFDocument from 'pdfkit';
import { cellText, cellTone, type Fact, forPeople, isAcross, type ReportDocument, type Table } from './document.ts';

const MARGIN = 42;
const FOOT = 24;
const SIZE = 9;
const PADDING = 3;
const COLORS = { text: '#1b1f24', weak: '#66707b', bad: '#a40e26', line: '#d6dade', stripe: '#f5f6f8' } as const;

/** The built-in fonts know Western European letters only. For other texts a font of the system is taken, if there is one. */
const WIDE_FONTS = [
  {
    regular: '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
    bold: '/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf',
  },
  {
    regular: '/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf',
    bold: '/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf',
  },
];
/** What WinAnsi encoding has beyond Latin-1. */
const WIN_ANSI = '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ';

interface Fonts {
  readonly regular: string;
  readonly bold: string;
  /** A text as these fonts can print it. */
  fit(text: string): string;
}

/** A report as PDF on A4, with numbered pages and the heads of tables repeated. */
export async function renderPdf(document: ReportDocument): Promise<Uint8Array> {
  const pdf = new PDFDocument({
    size: 'A4',
    layout: isAcross(document) ? 'landscape' : 'portrait',
    margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: MARGIN + FOOT },
    bufferPages: true,
    info: { Title: `${document.title} · ${document.subtitle}`, Producer: 'siteward', Creator: 'siteward' },
  });
  const chunks: Buffer[] = [];
  const done = new Promise<Uint8Array>((resolve, reject) => {
    pdf.on('data', (chunk: Buffer) => chunks.push(chunk));
    pdf.on('end', () => resolve(Buffer.concat(chunks)));
    pdf.on('error', reject);
  });
  new Sheet(pdf, fontsFor(document)).write(document);
  pdf.end();
  return await done;
}

function fontsFor(document: ReportDocument): Fonts {
  const { json: _, ...printed } = document;
  const builtIn = { regular: 'Helvetica', bold: 'Helvetica-Bold' };
  if (isWinAnsi(JSON.stringify(printed))) return { ...builtIn, fit: printable };
  const wide = WIDE_FONTS.find(({ regular, bold }) => existsSync(regular) && existsSync(bold));
  if (wide) return { ...wide, fit: printable };
  return {
    ...builtIn,
    fit: (text) => [...printable(text)].map((letter) => (isWinAnsi(letter) ? letter : '?')).join(''),
  };
}

function isWinAnsi(text: string): boolean {
  return [...text].every((letter) => letter <= '\u00ff' || WIN_ANSI.includes(letter));
}

function printable(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, ' ');
}

class Sheet {
  readonly #pdf: PDFKit.PDFDocument;
  readonly #fonts: Fonts;

  constructor(pdf: PDFKit.PDFDocument, fonts: Fonts) {
    this.#pdf = pdf;
    this.#fonts = fonts;
  }

  write({ title, subtitle, facts = [], sections, notes = [] }: ReportDocument): void {
    this.#text(title, { size: 17, bold: true });
    this.#text(subtitle, { size: 10.5, color: COLORS.weak });
    this.#gap(8);
    this.#facts(facts);
    for (const section of sections) {
      this.#gap(10);
      // A heading stays with what it heads: its facts, and the beginning of a table.
      this.#room(90 + 13 * (section.facts?.length ?? 0));
      this.#text(section.heading, { size: 12.5, bold: true });
      this.#gap(3);
      this.#facts(section.facts ?? []);
      for (const table of section.tables ?? []) this.#table(table);
      this.#notes(section.notes ?? []);
    }
    this.#gap(8);
    this.#notes(notes);
    this.#feet(`${title} · ${subtitle}`);
  }

  get #left(): number {
    return this.#pdf.page.margins.left;
  }

  get #width(): number {
    return this.#pdf.page.width - this.#pdf.page.margins.left - this.#pdf.page.margins.right;
  }

  get #bottom(): number {
    return this.#pdf.page.height - this.#pdf.page.margins.bottom;
  }

  #gap(points: number): void {
    this.#pdf.y += points;
  }

  /** Begins a new page where less than this is left. */
  #room(points: number): boolean {
    if (this.#pdf.y + points <= this.#bottom) return false;
    this.#pdf.addPage();
    return true;
  }

  #text(text: string, { size = SIZE, bold = false, color = COLORS.text as string, indent = 0 } = {}): void {
    this.#pdf
      .font(bold ? this.#fonts.bold : this.#fonts.regular)
      .fontSize(size)
      .fillColor(color)
      .text(this.#fonts.fit(text), this.#left + indent, this.#pdf.y, { width: this.#width - indent });
  }

  #facts(facts: readonly Fact[]): void {
    if (facts.length === 0) return;
    this.#pdf.font(this.#fonts.regular).fontSize(SIZE);
    const names = Math.min(
      170,
      Math.max(...facts.map(({ name }) => this.#pdf.widthOfString(this.#fonts.fit(name)))) + 14,
    );
    for (const { name, value } of facts) {
      const text = this.#fonts.fit(cellText(value));
      const height = this.#pdf.heightOfString(text, { width: this.#width - names });
      this.#room(height);
      const top = this.#pdf.y;
      this.#pdf.fillColor(COLORS.weak).text(this.#fonts.fit(name), this.#left, top, { width: names - 8 });
      const below = this.#pdf.y;
      this.#pdf.fillColor(COLORS[cellTone(value) ?? 'text']);
      this.#pdf.text(text, this.#left + names, top, { width: this.#width - names });
      this.#pdf.y = Math.max(below, this.#pdf.y) + 1;
    }
    this.#gap(5);
  }

  #notes(notes: readonly string[]): void {
    for (const note of notes) {
      this.#room(SIZE * 2);
      this.#text(`• ${note}`, { size: SIZE - 1, color: COLORS.weak });
      this.#gap(1);
    }
  }

  #table(whole: Table): void {
    const table = forPeople(whole);
    const { caption, columns, rows, empty } = table;
    if (rows.length === 0) {
      this.#text(`${caption ? `${caption}: ` : ''}${empty ?? 'none'}`);
      this.#gap(5);
      return;
    }
    this.#room(60);
    if (caption) {
      this.#text(caption, { bold: true });
      this.#gap(2);
    }
    const widths = this.#columnWidths(table);
    const titles = columns.map(({ title }) => title);
    this.#row(table, titles, widths, { head: true, stripe: false });
    for (const [index, row] of rows.entries()) {
      const texts = columns.map((_, at) => cellText(row[at] ?? ''));
      const colors = columns.map((_, at) => COLORS[cellTone(row[at] ?? '') ?? 'text']);
      if (this.#room(this.#rowHeight(texts, widths, false)))
        this.#row(table, titles, widths, { head: true, stripe: false });
      this.#row(table, texts, widths, { head: false, stripe: index % 2 === 1, colors });
    }
    this.#gap(8);
  }

  /** What each column would like, cut back evenly where that is more than the page has. */
  #columnWidths({ columns, rows }: Table): number[] {
    const wished = columns.map(({ title }, at) => {
      this.#pdf.font(this.#fonts.bold).fontSize(SIZE);
      const head = this.#pdf.widthOfString(this.#fonts.fit(title));
      this.#pdf.font(this.#fonts.regular);
      // The longest text by letters stands for the widest: measuring thousands of rows would take seconds.
      const longest = rows.reduce(
        (best, row) => (cellText(row[at] ?? '').length > best.length ? cellText(row[at] ?? '') : best),
        '',
      );
      return Math.max(head, this.#pdf.widthOfString(this.#fonts.fit(longest)) * 1.04) + 2 * PADDING + 2;
    });
    const widths = [...wished];
    let spare = this.#width - widths.reduce((sum, width) => sum + width, 0);
    if (spare >= 0) return widths.map((width) => width + spare / widths.length);
    // Wide columns give first: a long cause may be wrapped, a figure may not.
    while (spare < -0.01) {
      const widest = Math.max(...widths);
      const next = Math.max(0, ...widths.filter((width) => width < widest));
      const at = widths.flatMap((width, index) => (width === widest ? [index] : []));
      const step = Math.min(widest - next, -spare / at.length);
      for (const index of at) widths[index] = widest - step;
      spare += step * at.length;
      if (step <= 0) break;
    }
    return widths;
  }

  #rowHeight(texts: readonly string[], widths: readonly number[], head: boolean): number {
    this.#pdf.font(head ? this.#fonts.bold : this.#fonts.regular).fontSize(SIZE);
    const heights = texts.map((text, at) =>
      this.#pdf.heightOfString(this.#fonts.fit(text) || ' ', { width: (widths[at] ?? 0) - 2 * PADDING }),
    );
    return Math.min(Math.max(...heights) + 2 * PADDING, this.#bottom - MARGIN - 40);
  }

  #row(
    { columns }: Table,
    texts: readonly string[],
    widths: readonly number[],
    { head, stripe, colors }: { readonly head: boolean; readonly stripe: boolean; readonly colors?: readonly string[] },
  ): void {
    const height = this.#rowHeight(texts, widths, head);
    const top = this.#pdf.y;
    if (stripe) this.#pdf.rect(this.#left, top, this.#width, height).fill(COLORS.stripe);
    let x = this.#left;
    for (const [at, text] of texts.entries()) {
      const width = widths[at] ?? 0;
      this.#pdf
        .font(head ? this.#fonts.bold : this.#fonts.regular)
        .fontSize(SIZE)
        .fillColor(colors?.[at] ?? COLORS.text)
        .text(this.#fonts.fit(text), x + PADDING, top + PADDING, {
          width: width - 2 * PADDING,
          height: height - 2 * PADDING,
          align: columns[at]?.align ?? 'left',
        });
      x += width;
    }
    this.#pdf
      .moveTo(this.#left, top + height)
      .lineTo(this.#left + this.#width, top + height)
      .lineWidth(head ? 1 : 0.5)
      .stroke(head ? COLORS.text : COLORS.line);
    this.#pdf.y = top + height;
  }

  #feet(text: string): void {
    const { start, count } = this.#pdf.bufferedPageRange();
    for (let page = start; page < start + count; page += 1) {
      this.#pdf.switchToPage(page);
      // Writing below the bottom margin would begin another page.
      this.#pdf.page.margins.bottom = 0;
      const at = this.#pdf.page.height - MARGIN;
      this.#pdf.font(this.#fonts.regular).fontSize(8).fillColor(COLORS.weak);
      this.#pdf.text(this.#fonts.fit(text), this.#left, at, {
        width: this.#width - 80,
        lineBreak: false,
        ellipsis: true,
      });
      this.#pdf.text(`${page + 1} of ${count}`, this.#left, at, {
        width: this.#width,
        align: 'right',
        lineBreak: false,
      });
    }
  }
}
