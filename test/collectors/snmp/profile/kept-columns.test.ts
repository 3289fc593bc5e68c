import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Varbind } from '#collectors/snmp/agent.ts';
import { keptColumns } from '#collectors/snmp/profile/kept-columns.ts';

const octets = fc.oneof(
  fc.constantFrom('', 'gi1', 'größe').map((text) => new TextEncoder().encode(text)),
  fc.uint8Array({ maxLength: 8 }),
);
const varbind: fc.Arbitrary<Varbind> = fc.oneof(
  fc.record({ type: fc.constant('integer' as const), value: fc.integer({ min: -3, max: 9 }) }),
  fc.record({ type: fc.constant('counter64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ type: fc.constantFrom('octet-string' as const, 'opaque' as const), value: octets }),
  fc.record({ type: fc.constant('oid' as const), value: fc.constantFrom('0.0', '1.3.6.1') }),
);
const column = fc.dictionary(fc.integer({ min: 1, max: 90 }).map(String), varbind, { maxKeys: 80 });

test('kept columns say what they said, whatever becomes of the datagrams', () => {
  fc.assert(
    fc.property(fc.array(column, { maxLength: 4 }), (columns) => {
      const used = columns.map((rows, number) => [`1.3.${number}`, new Map(Object.entries(rows))] as const);
      const said = structuredClone(used);

      const kept = keptColumns(used);
      for (const [, rows] of used)
        for (const { value } of rows.values()) if (value instanceof Uint8Array) value.fill(0);

      expect([...kept.keys()]).toEqual(said.map(([oid]) => oid));
      for (const [oid, rows] of said) {
        const found = kept.get(oid);
        expect(found?.size).toBe(rows.size);
        expect([...(found ?? [])]).toEqual([...rows]);
        expect([...(found?.values() ?? [])]).toEqual([...rows.values()]);
        for (const [index, each] of [...rows].toReversed()) expect(found?.get(index)).toEqual(each);
        for (const index of ['1', '44', '91']) {
          expect(found?.has(index)).toBe(rows.has(index));
          expect(found?.get(index)).toEqual(rows.get(index));
        }
      }
    }),
  );
});
