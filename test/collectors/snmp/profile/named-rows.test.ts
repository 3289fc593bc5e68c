import { expect, test } from 'vitest';
import type { Varbind } from '#collectors/snmp/agent.ts';
import { keptColumns } from '#collectors/snmp/profile/kept-columns.ts';
import { type NamedRows, NO_NAMES } from '#collectors/snmp/profile/named-rows.ts';

const column = (rows: Readonly<Record<string, string>>): ReadonlyMap<string, Varbind> =>
  new Map(
    Object.entries(rows).map(([index, text]) => [index, { type: 'octet-string', value: Buffer.from(text, 'latin1') }]),
  );
const ROWS = [
  { index: '1', name: 'wan', labels: 4 },
  { index: '2', name: 'lan', labels: 7 },
];
const NAMES = column({ 1: 'wan', 2: ' lan ' });
const lines = (rows: NamedRows) => rows.indexes.map((index, row) => `${index} ${rows.names[row]} ${rows.labels[row]}`);

test('rows stay while their columns say the same, and go where they say something else or nothing', () => {
  const rows = NO_NAMES.with(ROWS, [NAMES]);

  expect(lines(rows)).toEqual(['1 wan 4', '2 lan 7']);
  expect(rows.still([column({ 1: 'wan', 2: ' lan ', 3: 'new' })], [false])).toBe(rows);
  expect(lines(rows.still([column({ 1: 'wan', 2: 'lan' })], [false]))).toEqual(['1 wan 4']);
  expect(lines(rows.still([column({ 2: ' lan ' })], [false]))).toEqual(['2 lan 7']);
  expect(lines(rows.still([undefined], [false]))).toEqual([]);
});

test('what is missing in a column that was read in part is not known to be gone', () => {
  const rows = NO_NAMES.with(ROWS, [NAMES, undefined]);

  expect(rows.still([NAMES, undefined], [true, false])).toBe(rows);
  expect(lines(rows.still([NAMES, undefined], [false, true]))).toEqual([]);
});

test('rows of a remembered column stay as long as it is the same one', () => {
  const [kept, again] = [keptColumns([['1.3', NAMES]]).get('1.3'), keptColumns([['1.3', NAMES]]).get('1.3')];
  const rows = NO_NAMES.with(ROWS, [kept, NAMES]);

  expect(rows.still([kept, NAMES], [false, false])).toBe(rows);
  expect(lines(rows.still([again, NAMES], [false, false]))).toEqual([]);
});

test('a row that is named anew takes the place of the old one', () => {
  const renamed = column({ 1: 'wan', 2: 'dmz' });
  const rows = NO_NAMES.with(ROWS, [NAMES]).with([{ index: '2', name: 'dmz', labels: 9 }], [renamed]);

  expect(lines(rows)).toEqual(['1 wan 4', '2 dmz 9']);
  expect(rows.still([renamed], [false])).toBe(rows);
});
