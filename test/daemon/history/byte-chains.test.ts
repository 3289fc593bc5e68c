import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteChains } from '#daemon/history/byte-chains.ts';

const SLOTS = [1, 2, 3, 4, 5];

test('each chain holds what was put at its end, whatever the others do', () => {
  const operation = fc.record({
    slot: fc.constantFrom(...SLOTS),
    // A third of them end a chain, so that its blocks go to the others.
    put: fc.option(fc.uint8Array({ maxLength: 200 }), { freq: 2, nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(operation, { size: '+1' }), (operations) => {
      const chains = new ByteChains();
      const model = new Map<number, number[]>(SLOTS.map((slot) => [slot, []]));
      for (const { slot, put } of operations) {
        if (put) chains.append(slot, put, put.length);
        else chains.clear(slot);
        model.set(slot, put ? [...(model.get(slot) ?? []), ...put] : []);

        for (const [each, bytes] of model) expect(chains.length(each)).toBe(bytes.length);
      }

      for (const [slot, bytes] of model) expect([...chains.bytes(slot)]).toEqual(bytes);
    }),
  );
});

test('of a buffer only as many bytes are taken as were said', () => {
  const chains = new ByteChains();

  chains.append(1, Uint8Array.of(1, 2, 3, 4), 2);
  chains.append(1, Uint8Array.of(5, 6, 7, 8), 1);

  expect([...chains.bytes(1)]).toEqual([1, 2, 5]);
});

test('blocks of chains that were cleared are used again, and none is used twice', () => {
  const chains = new ByteChains();
  const rounds = 20;
  const slots = Array.from({ length: 300 }, (_, index) => index + 1);
  const content = (slot: number, round: number) =>
    Uint8Array.from({ length: 100 + ((slot * 37 + round * 101) % 900) }, (_, index) => (slot + round + index) % 256);
  const lengths: number[] = [];

  for (let round = 0; round < rounds; round += 1) {
    for (const slot of slots) {
      const bytes = content(slot, round);
      chains.clear(slot);
      chains.append(slot, bytes, bytes.length);
    }
    for (const slot of slots) expect(chains.bytes(slot)).toEqual(content(slot, round));
    lengths.push(slots.reduce((sum, slot) => sum + chains.length(slot), 0));
  }

  // A block's length of slack for each, the spread of what a round needs, and the rest of a page.
  expect(chains.size).toBeLessThan(Math.max(...lengths) + slots.length * 64 * 2 + 65_536);
});

test('a chain longer than a page of blocks is whole', () => {
  const chains = new ByteChains();
  const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7) % 251);

  for (let start = 0; start < bytes.length; start += 1_000) {
    chains.append(9, bytes.subarray(start, start + 1_000), 1_000);
    chains.append(start + 10, Uint8Array.of(start % 256), 1);
  }

  expect(chains.bytes(9)).toEqual(bytes);
});
