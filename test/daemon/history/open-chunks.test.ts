import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSamples, type Sample } from '#daemon/history/codec.ts';
import { OpenChunks } from '#daemon/history/open-chunks.ts';

test('what was put in comes out again', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4_000_000_000 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: -(2 ** 50), max: 2 ** 50 }))),
      (start, steps) => {
        const chunks = new OpenChunks();
        let at = start;
        const samples = steps.map(([step, value]) => {
          at += step;
          return { at, value };
        });
        for (const sample of samples) chunks.append(1, sample.at, sample.value);

        expect(chunks.isOpen(1)).toBe(samples.length > 0);
        expect(decodeSamples(chunks.start(1), chunks.save(1))).toEqual(samples);
      },
    ),
  );
});

test('chunks of many series, filled and closed in any order, are what each would be alone', () => {
  const operation = fc.record({
    slot: fc.integer({ min: 1, max: 6 }),
    kind: fc.constantFrom('append', 'append', 'append', 'append', 'save', 'close'),
    step: fc.integer({ min: 0, max: 900 }),
    value: fc.oneof(fc.integer({ min: -50, max: 50 }), fc.maxSafeInteger()),
  });
  fc.assert(
    fc.property(fc.array(operation, { size: '+2' }), (operations) => {
      const chunks = new OpenChunks();
      const model = new Map<number, { samples: Sample[]; unsaved: boolean }>();
      let at = 1_772_000_000;
      for (const { slot, kind, step, value } of operations) {
        const known = model.get(slot);
        if (kind === 'append') {
          at += step;
          const stored = Math.min(2 ** 51, Math.max(-(2 ** 51), value));
          chunks.append(slot, at, value);
          model.set(slot, { samples: [...(known?.samples ?? []), { at, value: stored }], unsaved: true });
        } else if (known) {
          const bytes = kind === 'save' ? chunks.save(slot) : chunks.close(slot);
          expect(bytes).toEqual(encodedAlone(known.samples));
          if (kind === 'save') known.unsaved = false;
          else model.delete(slot);
        }
        expect(chunks.isOpen(slot)).toBe(model.has(slot));
        expect(chunks.isUnsaved(slot)).toBe(model.get(slot)?.unsaved ?? false);
      }

      for (const [slot, { samples }] of model) {
        expect(chunks.start(slot)).toBe(samples[0]?.at);
        expect(chunks.samples(slot)).toEqual(samples);
      }
    }),
  );
});

test('chunks are written as they always were', () => {
  const chunks = new OpenChunks();

  chunks.append(1, 1_772_323_200, 500);
  chunks.append(1, 1_772_323_260, 503);
  chunks.append(1, 1_772_323_320, 503);
  chunks.append(1, 1_772_323_381, -70_000);
  chunks.append(1, 1_772_323_441, 2 ** 52);

  expect(Buffer.from(chunks.save(1)).toString('hex')).toBe('00e8077806000002cdcd0801e0c5888080808008');
});

/** The format in plain words: differences of distances and of values, signs in the last bit, seven bits a byte. */
function encodedAlone(samples: readonly Sample[]): Uint8Array {
  const bytes: number[] = [];
  const put = (difference: number) => {
    let rest = difference < 0 ? BigInt(-difference) * 2n - 1n : BigInt(difference) * 2n;
    for (; rest >= 128n; rest /= 128n) bytes.push(Number(rest % 128n) + 128);
    bytes.push(Number(rest));
  };
  let [before, step, value] = [samples[0]?.at ?? 0, 0, 0];
  for (const sample of samples) {
    put(sample.at - before - step);
    put(sample.value - value);
    step = sample.at - before;
    before = sample.at;
    value = sample.value;
  }
  return Uint8Array.from(bytes);
}
