import { expect, test } from 'vitest';
import { METRIC_NAMES } from '#collectors/catalogue.ts';
import { RowShapes } from '#daemon/exposition/row-shape.ts';

const TEN = METRIC_NAMES.slice(0, 10);

test('rows with the same metrics and types share one shape', () => {
  const shapes = new RowShapes();
  const row = (value: number | bigint) => TEN.map((metric) => ({ metric, value }));

  expect(shapes.of(row(1))).toBe(shapes.of(row(2)));
  expect(shapes.of(row(1))).not.toBe(shapes.of(row(1n)));
  expect(shapes.of(row(1))).not.toBe(shapes.of(row(1).slice(1)));
});

test('a device that has another shape for each row is not remembered for ever, and has its shapes nonetheless', () => {
  const shapes = new RowShapes();
  const rows = Array.from({ length: 512 }, (_, bits) =>
    TEN.filter((_metric, index) => index === 0 || bits & (1 << (index - 1))).map((metric) => ({ metric, value: 1 })),
  );
  for (const row of rows) shapes.of(row);

  expect(rows.filter((row) => shapes.known(row)).length).toBeLessThan(100);
  for (const row of rows) expect(shapes.of(row).metrics).toEqual(row.map(({ metric }) => metric));
});
