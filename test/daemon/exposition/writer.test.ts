/** Every number is written as the language itself writes it, and pieces lose and repeat nothing. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextText, packedTexts } from '#daemon/exposition/packed-texts.ts';
import { ExpositionWriter } from '#daemon/exposition/writer.ts';

const NAME = packedTexts(['up']);
const LABELS = packedTexts(['{a="b"', '}']);
const LAST = nextText(LABELS, 0);

function seriesWriter(): ExpositionWriter {
  const writer = new ExpositionWriter();
  writer.series(NAME, LABELS);
  return writer;
}

const values = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.maxSafeInteger(),
  fc.bigInt({ min: 0n, max: 2n ** 64n }),
  fc.constantFrom<number | bigint>(
    0,
    -0,
    9,
    10,
    99,
    100,
    999_999,
    1_000_000,
    2 ** 53 - 1,
    2 ** 53,
    1e21,
    2n ** 53n,
    2n ** 53n + 1n,
  ),
);

test('a value is written as its text', () => {
  fc.assert(
    fc.property(values, (value) => {
      const writer = seriesWriter();
      writer.sample(LAST, value);
      expect(writer.take().toString()).toBe(`up{a="b"} ${Object.is(value, -0) ? '0' : String(value)}\n`);
    }),
    { numRuns: 5_000 },
  );
});

test('texts of any length come out in order, whenever they are taken', () => {
  const lengths = fc.array(fc.oneof(fc.nat(200), fc.integer({ min: 60_000, max: 150_000 })), { maxLength: 12 });
  fc.assert(
    fc.property(lengths, fc.func(fc.boolean()), fc.bigInt({ min: 0n, max: 10n ** 60n }), (each, isTaken, value) => {
      const writer = seriesWriter();
      let expected = '';
      let written = '';
      for (const [index, length] of each.entries()) {
        const text = String.fromCharCode(97 + index).repeat(length);
        writer.text(Buffer.from(text));
        writer.sample(LAST, value);
        expected += `${text}up{a="b"} ${value}\n`;
        if (isTaken(index)) written += writer.take().toString();
      }
      expect(written + writer.take().toString()).toBe(expected);
    }),
    { numRuns: 200 },
  );
});

test('a number that has no end fits in wherever a piece ends', () => {
  const endless = 10n ** 60n;
  for (let length = 69_560; length <= 69_632; length += 1) {
    const writer = seriesWriter();
    const text = 'a'.repeat(length);
    writer.text(Buffer.from(text));
    writer.sample(LAST, endless);
    expect(writer.take().toString() === `${text}up{a="b"} ${endless}\n`, `${length}`).toBe(true);
  }
});

test.each([0.5, Number.MAX_SAFE_INTEGER])('labels of any length before %d fit in wherever a piece ends', (value) => {
  for (let length = 0; length < 16; length += 1) {
    const labels = packedTexts(['{device="switch-1"', `,interface="${'x'.repeat(length)}"}`]);
    const line = `up{device="switch-1",interface="${'x'.repeat(length)}"} ${value}\n`;
    for (let before = 69_540; before <= 69_632; before += 1) {
      const writer = new ExpositionWriter();
      const text = 'a'.repeat(before);
      writer.text(Buffer.from(text));
      writer.series(NAME, labels);
      writer.sample(nextText(labels, 0), value);
      expect(writer.take().toString() === text + line, `${before} octets, then ${length}`).toBe(true);
    }
  }
});
