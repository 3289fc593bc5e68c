import type { Labels, Reading } from '#collectors/contract.ts';
import type { RowShape, RowShapes } from './row-shape.ts';

/** Rows, column by column. A row is what came one after the other with the same labels: of a port, of a toner. */
export interface Rows {
  readonly labels: Labels[];
  readonly shapes: RowShape[];
  /** The labels as they are printed after that of the device. */
  readonly texts: string[];
  /** For each row as many as its shape has metrics. */
  readonly values: (number | bigint)[];
}

export function noRows(): Rows {
  return { labels: [], shapes: [], texts: [], values: [] };
}

/** The readings by rows, without those that repeat a series: a second sample of one would fail the whole scrape. */
export function rowsOf(readings: readonly Reading[], textOf: (labels: Labels) => string, shapes: RowShapes): Rows {
  const rows = noRows();
  /** Text -> what it was given for. */
  const given = new Map<string, RowShape['metrics']>();
  for (let start = 0, end = 0; start < readings.length; start = end) {
    const { labels } = readings[start] as Reading;
    do end += 1;
    while (readings[end]?.labels === labels);
    const text = textOf(labels);
    const before = given.get(text);
    let row: readonly Reading[] = readings.slice(start, end);
    let shape = before ? undefined : shapes.known(row);
    if (!shape) {
      row = unrepeated(row, before);
      if (row.length === 0) continue;
      shape = shapes.of(row);
    }
    given.set(text, before ? [...before, ...shape.metrics] : shape.metrics);
    rows.labels.push(labels);
    rows.shapes.push(shape);
    rows.texts.push(text);
    for (const { value } of row) rows.values.push(value);
  }
  return rows;
}

function unrepeated(row: readonly Reading[], before: RowShape['metrics'] = []): Reading[] {
  const seen = new Set(before);
  return row.filter(({ metric }) => {
    const isFirst = !seen.has(metric);
    seen.add(metric);
    return isFirst;
  });
}
