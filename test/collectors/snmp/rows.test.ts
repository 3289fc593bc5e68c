import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Varbind } from '#collectors/snmp/agent.ts';
import { ColumnRows } from '#collectors/snmp/rows.ts';

const varbind: fc.Arbitrary<Varbind> = fc.oneof(
  fc.record({ type: fc.constant('counter32' as const), value: fc.nat() }),
  fc.record({ type: fc.constant('counter64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ type: fc.constant('octet-string' as const), value: fc.uint8Array({ maxLength: 8 }) }),
);
const index = fc.integer({ min: 1, max: 12 }).map(String);

test('rows are a map, in whatever order they are looked up', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(index, varbind), { selector: ([key]) => key }),
      fc.array(index, { maxLength: 40 }),
      (entries, looks) => {
        const rows = new ColumnRows();
        const map = new Map<string, Varbind>();
        for (const [key, value] of entries) {
          rows.add(key, value);
          map.set(key, value);
          for (const look of looks.slice(0, 3)) expect(rows.get(look)).toEqual(map.get(look));
        }
        for (const look of looks) {
          expect(rows.has(look)).toBe(map.has(look));
          expect(rows.get(look)).toEqual(map.get(look));
        }
        expect(rows.size).toBe(map.size);
        expect([...rows]).toEqual([...map]);
        expect([...rows.keys()]).toEqual([...map.keys()]);
        expect([...rows.values()]).toEqual([...map.values()]);
        const each: [string, Varbind][] = [];
        for (const [key, value] of rows.entries()) each.push([key, value]);
        expect(each).toEqual([...map.entries()]);
      },
    ),
  );
});
