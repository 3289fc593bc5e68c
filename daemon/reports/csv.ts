import { type Cell, type Column, cellData, type ReportDocument } from './document.ts';

interface Block {
  readonly columns: readonly Column[];
  readonly rows: (readonly Cell[])[];
}

/**
 * A report as CSV (RFC 4180, CRLF). All tables of one name are one block, blocks are parted by an empty line, and each
 * line begins with the name of its block, so that a filter on the first column gives one rectangular table.
 */
export function renderCsv(document: ReportDocument): string {
  const blocks = new Map<string, Block>();
  const facts: (readonly Cell[])[] = [
    ['', 'title', document.title],
    ['', 'subtitle', document.subtitle],
    ...(document.facts ?? []).map(({ name, value }) => ['', name, value]),
  ];
  for (const { heading, facts: own = [], tables = [] } of document.sections) {
    facts.push(...own.map(({ name, value }) => [heading, name, value]));
    for (const { name, columns, rows } of tables) {
      const block = blocks.get(name) ?? { columns, rows: [] };
      blocks.set(name, block);
      block.rows.push(...rows);
    }
  }
  const notes = [
    ...document.sections.flatMap(({ heading, notes: own = [] }) => own.map((note) => [heading, note])),
    ...(document.notes ?? []).map((note) => ['', note]),
  ];
  return [
    ...[...blocks].map(([name, { columns, rows }]) =>
      block(
        name,
        columns.map(({ key }) => key),
        rows,
      ),
    ),
    block('facts', ['section', 'name', 'value'], facts),
    ...(notes.length > 0 ? [block('notes', ['section', 'note'], notes)] : []),
  ].join('\r\n');
}

function block(name: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [
    ['table', ...head],
    ...rows.map((row) => [name, ...head.map((_, index) => cellData(row[index] ?? ''))]),
  ];
  return lines.map((line) => `${line.map(csvField).join(',')}\r\n`).join('');
}

/**
 * One field. Numbers stay numbers; a text that a spreadsheet would run as a formula gets an apostrophe, for names and
 * causes come from devices.
 */
export function csvField(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const shown = value.toWellFormed().replace(/[^\P{Cc}\t\r\n]/gu, '\uFFFD');
  const text = /^\s*[=+\-@]|^[\t\r]/.test(shown) && !isNumber(shown) ? `'${shown}` : shown;
  return /[",\r\n]|^'|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const isNumber = (text: string): boolean => /^[+-]?\d+(\.\d+)?$/.test(text);
