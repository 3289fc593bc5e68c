import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Labels } from '#collectors/contract.ts';
import { LabelsTable } from '#collectors/snmp/profile/labels-table.ts';

const text = fc.oneof(fc.constantFrom('', 'a', 'b', 'ab', '\u0000'), fc.string({ maxLength: 6, unit: 'binary' }));
const labels: fc.Arbitrary<Labels> = fc.oneof(
  fc.constant({}),
  fc.record({ interface: text }),
  fc.record({ interface: text, state: text }),
  fc.record({ state: text, interface: text }),
  fc.record({ tray: text }),
);
/** Labels and their order, as a text. */
const written = (each: Labels) => JSON.stringify(Object.entries(each));

describe('the labels of a device', () => {
  test('are the same object under the same number for as long as they say the same', () => {
    fc.assert(
      fc.property(fc.array(labels, { maxLength: 200 }), (all) => {
        const table = new LabelsTable();
        const known = new Map<string, [number, Labels]>();
        for (const parts of [...all, ...all]) {
          const number = table.numberOf({ ...parts });
          const [before, object] = known.get(written(parts)) ?? [known.size, table.at(number)];
          known.set(written(parts), [before, object]);

          expect(number).toBe(before);
          expect(table.at(number)).toBe(object);
          expect(written(object)).toBe(written(parts));
          expect(Object.isFrozen(object)).toBe(true);
        }
        expect(table.size).toBe(known.size);
      }),
    );
  });

  test('that are retained stay the same objects, and the others are forgotten', () => {
    fc.assert(
      fc.property(fc.array(labels, { maxLength: 60 }), fc.func(fc.boolean()), (all, isKept) => {
        const table = new LabelsTable();
        const numbers = new Set(all.map((parts) => table.numberOf(parts)));
        const objects = [...numbers].map((number) => table.at(number));
        const kept = [...numbers].filter((number) => isKept(number));

        const from = table.retain(kept.toReversed());

        expect(from.map((number) => objects[number])).toEqual(from.map((_, number) => table.at(number)));
        expect(new Set(from)).toEqual(new Set(kept));
        expect(table.size).toBe(kept.length);
        for (const [number, old] of from.entries()) {
          expect(table.at(number)).toBe(objects[old]);
          expect(table.numberOf({ ...objects[old] })).toBe(number);
        }
      }),
    );
  });
});
