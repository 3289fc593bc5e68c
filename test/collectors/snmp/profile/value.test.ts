import { describe, expect, test } from 'vitest';
import type { Varbind } from '#collectors/snmp/agent.ts';
import type { Cell } from '#collectors/snmp/profile/cell.ts';
import { Scope, type TableShape } from '#collectors/snmp/profile/scope.ts';
import { compileConditions, compileValue, Needs } from '#collectors/snmp/profile/value.ts';
import { parseRecording } from '#collectors/snmp/recording.ts';
import type { Condition, ValueOrText } from '#config/profile.ts';

const TABLE: TableShape = {
  name: 't',
  columns: new Map([
    ['name', '1.3.9.1.1'],
    ['value', '1.3.9.1.2'],
    ['kind', '1.3.9.1.3'],
  ]),
  slow: new Set(),
};

const RECORDING = `
1.3.8.1.0|2|42
1.3.8.2.0|4|   12 %
1.3.8.3.0|2|-1000
1.3.8.4.0|70|18446744073709551615
1.3.8.5.0|4|N/A
1.3.8.6.0|66|4294967295
1.3.8.7.0|2|-2147483648
1.3.8.8.0|6|0.0
1.3.8.9.0|4|17
1.3.8.10.0|65|4294967295
1.3.9.1.1.1|4|eth0
1.3.9.1.1.2|4|eth1
1.3.9.1.2.1|2|10
1.3.9.1.2.2|2|30
1.3.9.1.2.3|2|20
1.3.9.1.3.1|2|1
1.3.9.1.3.2|2|2
1.3.9.1.3.3|2|2
`;

function scopeAt(index?: string): Scope {
  const { varbinds } = parseRecording(RECORDING);
  const scope = new Scope(new Map(varbinds), { remember: false });
  const columns = new Map<string, Map<string, Varbind>>();
  for (const column of TABLE.columns.values()) {
    const rows = [...varbinds].filter(([oid]) => oid.startsWith(`${column}.`));
    columns.set(column, new Map(rows.map(([oid, varbind]) => [oid.slice(column.length + 1), varbind])));
  }
  scope.add({ scalars: new Map(), columns, partial: [] });
  scope.index = index;
  return scope;
}

const context = () => ({ tables: new Map([['t', TABLE]]), rows: TABLE, needs: new Needs() });

function evaluate(value: ValueOrText, index?: string): Cell | undefined {
  return compileValue(value, context())(scopeAt(index));
}

function holds(condition: Condition, index?: string): boolean {
  return compileConditions([condition], context())(scopeAt(index));
}

describe('operands', () => {
  test('a text is itself, an OID is that scalar', () => {
    expect(evaluate('Battery')).toBe('Battery');
    expect(evaluate('1.3.8.1.0')).toBe(42);
    expect(evaluate('1.3.8.99.0')).toBeUndefined();
  });

  test('the ends of the 32-bit range mean none, except in counters', () => {
    expect(evaluate('1.3.8.6.0')).toBeUndefined();
    expect(evaluate('1.3.8.7.0')).toBeUndefined();
    expect(evaluate('1.3.8.10.0')).toBe(4_294_967_295);
  });

  test('a column is of the row at hand, and of no row where there is none', () => {
    expect(evaluate({ column: 'value' }, '2')).toBe(30);
    expect(evaluate({ column: 'value' })).toBeUndefined();
  });

  test('parts of an index are numbers or text', () => {
    expect(evaluate({ index: 0 }, '5.3.97.98.99')).toBe(5);
    expect(evaluate({ index: -1 }, '5.3')).toBe(3);
    expect(evaluate({ index: 'all' }, '5.3')).toBe('5.3');
    expect(evaluate({ index: { text_from: 1 } }, '5.3.97.98.99')).toBe('abc');
    expect(evaluate({ index: { text_from: 0 } }, '97.98')).toBe('ab');
    expect(evaluate({ index: 7 }, '5.3')).toBeUndefined();
    expect(evaluate({ index: { text_from: 0 } }, '97.999')).toBeUndefined();
  });

  test('a lookup finds another row by its index', () => {
    expect(evaluate({ lookup: { table: 't', column: 'value', index: [{ column: 'kind' }] } }, '2')).toBe(30);
    expect(evaluate({ lookup: { table: 't', column: 'value', index: ['9'] } }, '2')).toBeUndefined();
  });

  test('a row is the first that meets the conditions and says something', () => {
    const where: Condition[] = [{ value: { column: 'kind' }, in: [2] }];
    expect(evaluate({ row: { table: 't', column: 'value', where } })).toBe(30);
    expect(
      evaluate({ row: { table: 't', column: 'name', where: [{ value: { column: 'kind' }, in: [7] }] } }),
    ).toBeUndefined();
  });

  test('rows come together as one number', () => {
    const of = (by: 'sum' | 'mean' | 'max' | 'min' | 'count') =>
      evaluate({ aggregate: { table: 't', column: 'value', by } });
    expect([of('sum'), of('mean'), of('max'), of('min'), of('count')]).toEqual([60, 20, 30, 10, 3]);
    expect(evaluate({ aggregate: { table: 't', column: 'name', by: 'sum' } })).toBeUndefined();
  });
});

describe('operators', () => {
  test('first passes over what is absent and what says nothing', () => {
    expect(evaluate({ first: ['1.3.8.99.0', '1.3.8.5.0', '1.3.8.1.0'] })).toBe(42);
    expect(evaluate({ first: ['1.3.8.99.0', '1.3.8.5.0'] })).toBeUndefined();
  });

  test('arithmetic is exact beyond 53 bits and absent where a part is', () => {
    expect(evaluate({ sum: ['1.3.8.4.0', 1] })).toBe(18_446_744_073_709_551_616n);
    expect(evaluate({ difference: ['1.3.8.4.0', '1.3.8.4.0'] })).toBe(0);
    expect(evaluate({ product: ['1.3.8.1.0', 1024] })).toBe(43_008);
    expect(evaluate({ quotient: ['1.3.8.1.0', 4] })).toBe(10.5);
    expect(evaluate({ quotient: ['1.3.8.1.0', 0] })).toBeUndefined();
    expect(evaluate({ sum: ['1.3.8.1.0', '1.3.8.99.0'] })).toBeUndefined();
    expect(evaluate({ max: ['1.3.8.1.0', 50] })).toBe(50);
    expect(evaluate({ min: ['1.3.8.1.0', 50] })).toBe(42);
  });

  test('a text with a unit, an OID and a word are no numbers', () => {
    expect(evaluate({ sum: ['1.3.8.2.0', 1] })).toBeUndefined();
    expect(evaluate({ sum: ['1.3.8.8.0', 1] })).toBeUndefined();
    expect(evaluate({ sum: ['1.3.8.5.0', 1] })).toBeUndefined();
    expect(evaluate({ sum: ['1.3.8.9.0', 1] })).toBe(18);
  });

  test('joined texts leave out what is absent', () => {
    expect(evaluate({ join: ['PSU', '1.3.8.99.0', { index: 'all' }] }, '4')).toBe('PSU 4');
    expect(evaluate({ join: ['1.3.8.99.0'] })).toBeUndefined();
  });

  test('a value holds only where its conditions do', () => {
    expect(evaluate({ const: 1, when: [{ value: '1.3.8.1.0', above: 41 }] })).toBe(1);
    expect(evaluate({ const: 1, when: [{ value: '1.3.8.1.0', above: 42 }] })).toBeUndefined();
  });
});

describe('transforms', () => {
  test('they apply in the order of the reference', () => {
    expect(evaluate({ oid: '1.3.8.2.0', decode: 'number', scale: 0.01 })).toBe(0.12);
    expect(evaluate({ oid: '1.3.8.1.0', absent: [42] })).toBeUndefined();
    expect(evaluate({ oid: '1.3.8.1.0', scale: 0.1, offset: 1, range: [0, 6] })).toBe(5.2);
    expect(evaluate({ oid: '1.3.8.1.0', range: [0, 41] })).toBeUndefined();
    expect(evaluate({ oid: '1.3.8.3.0', repair: 'unsigned32' })).toBe(4_294_966_296);
    expect(evaluate({ oid: '1.3.8.1.0', map: { '42': 'answer' } })).toBe('answer');
    expect(evaluate({ oid: '1.3.8.1.0', map: { '1': 'one' } })).toBeUndefined();
    expect(evaluate({ oid: '1.3.8.1.0', map: { '1': 'one' }, otherwise: 'other' })).toBe('other');
    expect(evaluate({ const: 'FGT_100E v7', pattern: '^FGT_(\\S+)', case: 'lower' })).toBe('100e');
    expect(evaluate({ const: 'FGT_100E', replace: [{ pattern: '^FGT_', by: 'FortiGate ' }] })).toBe('FortiGate 100E');
  });

  test('scaling leaves no noise behind', () => {
    expect(evaluate({ const: 3, scale: 0.1 })).toBe(0.3);
    expect(evaluate({ const: 65.5, scale: -0.01, offset: 1 })).toBe(0.345);
  });
});

describe('conditions', () => {
  test('each key must hold', () => {
    expect(holds({ value: { column: 'kind' }, in: [1, 2] }, '1')).toBe(true);
    expect(holds({ value: { column: 'kind' }, not_in: [1] }, '1')).toBe(false);
    expect(holds({ value: { column: 'name' }, matches: '^ETH' }, '1')).toBe(true);
    expect(holds({ value: { column: 'name' }, not_matches: '^eth' }, '1')).toBe(false);
    expect(holds({ value: { column: 'value' }, above: 9, below: 11 }, '1')).toBe(true);
    expect(holds({ value: { column: 'name' }, above: 1 }, '1')).toBe(false);
    expect(
      holds({
        any: [
          { value: 'a', in: ['b'] },
          { value: 'a', in: ['a'] },
        ],
      }),
    ).toBe(true);
  });

  test('an absent value is in no list, matches nothing, and breaks no rule that forbids', () => {
    const absent = { value: { column: 'name' } };
    expect(holds({ ...absent, exists: false }, '3')).toBe(true);
    expect(holds({ ...absent, exists: true }, '3')).toBe(false);
    expect(holds({ ...absent, in: ['x'] }, '3')).toBe(false);
    expect(holds({ ...absent, matches: '' }, '3')).toBe(false);
    expect(holds({ ...absent, not_in: ['x'] }, '3')).toBe(true);
    expect(holds({ ...absent, not_matches: 'x' }, '3')).toBe(true);
  });
});

test('the objects that a value needs are known before it is asked for', () => {
  const needs = new Needs();

  compileValue(
    {
      first: [
        '1.3.8.1.0',
        { column: 'value' },
        { lookup: { table: 't', column: 'name', index: [{ column: 'kind' }] } },
      ],
    },
    { ...context(), needs },
  );

  expect([...needs.scalars]).toEqual(['1.3.8.1.0']);
  expect([...(needs.columns.get(TABLE) ?? [])].toSorted()).toEqual(['1.3.9.1.1', '1.3.9.1.2', '1.3.9.1.3']);
});

test('a value knows what it was made from, and not what was tried in vain or looked at by a condition', () => {
  const scope = scopeAt('1');
  scope.trace = [];

  compileValue(
    {
      first: [
        { oid: '1.3.8.1.0', range: [0, 1] },
        { sum: ['1.3.8.9.0', { column: 'value' }], when: [{ value: '1.3.8.3.0', exists: true }] },
      ],
    },
    context(),
  )(scope);

  expect(scope.trace).toEqual([
    { oid: '1.3.8.9.0', raw: '17' },
    { oid: '1.3.9.1.2.1', raw: '10' },
  ]);
});
