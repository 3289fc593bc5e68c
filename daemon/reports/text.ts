import { cellText, type Fact, forPeople, type ReportDocument, type Table } from './document.ts';

/** A report for a terminal: aligned columns, no colours, nothing that a device's name could turn into commands. */
export function renderText(document: ReportDocument): string {
  const { title, subtitle, facts = [], sections, notes = [] } = document;
  const blocks = [
    `${clean(title)}\n${clean(subtitle)}\n`,
    factLines(facts),
    ...sections.flatMap((section) => [
      `${clean(section.heading)}\n${'-'.repeat(clean(section.heading).length)}\n`,
      factLines(section.facts ?? []),
      ...(section.tables ?? []).map(tableText),
      noteLines(section.notes ?? []),
    ]),
    noteLines(notes),
  ];
  return blocks.filter((block) => block !== '').join('\n');
}

function factLines(facts: readonly Fact[]): string {
  const width = Math.max(0, ...facts.map(({ name }) => clean(name).length));
  return facts.map(({ name, value }) => `${clean(name).padEnd(width)}  ${clean(cellText(value))}\n`).join('');
}

function noteLines(notes: readonly string[]): string {
  return notes.map((note) => `* ${clean(note)}\n`).join('');
}

function tableText(table: Table): string {
  const { caption, columns, rows, empty } = forPeople(table);
  const head = caption ? `${clean(caption)}\n` : '';
  if (rows.length === 0) return `${head}${clean(empty ?? 'none')}\n`;
  const texts = rows.map((row) => columns.map((_, index) => clean(cellText(row[index] ?? ''))));
  const titles = columns.map(({ title }) => clean(title).toUpperCase());
  const widths = titles.map((title, index) => Math.max(title.length, ...texts.map((row) => (row[index] ?? '').length)));
  const line = (row: readonly string[]) =>
    `${row
      .map((text, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.align === 'right' ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd()}\n`;
  return head + [titles, ...texts].map(line).join('');
}

/** Control characters, ESC first among them, and marks that turn the direction of writing are shown, not obeyed. */
function clean(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD');
}
