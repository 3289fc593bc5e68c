import fc from 'fast-check';
import { expect, test } from 'vitest';
import { copyText, nextText, packedTexts, unpackedText } from '#daemon/exposition/packed-texts.ts';

/** Of any characters: the shortest and longest of UTF-8, and halves of surrogate pairs. */
const texts = fc.array(
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: fc.constantFrom('\0', '\x7f', '\x80', '\u07ff', '\uffff', '\ud800', '\u{10000}', '\u{10ffff}') }),
  ),
  { maxLength: 8 },
);

test('texts come back as they were packed, one after the other', () => {
  fc.assert(
    fc.property(texts, (each) => {
      const packed = packedTexts(each);

      const found: string[] = [];
      for (let at = 0; at < packed.length; at = nextText(packed, at)) found.push(unpackedText(packed, at));
      expect(found).toEqual(each.map((text) => text.toWellFormed()));
    }),
    { numRuns: 5_000 },
  );
});

test('a copy has every octet of a text, wherever it goes, and ends where it says', () => {
  fc.assert(
    fc.property(texts, fc.nat(20), (each, start) => {
      const packed = packedTexts(each);
      const octets = Buffer.alloc(20 + packed.length * 8);
      const view = new DataView(octets.buffer, octets.byteOffset, octets.length);

      let end = start;
      for (let at = 0; at < packed.length; at = nextText(packed, at)) end = copyText(packed, at, view, end);
      expect(octets.subarray(start, end)).toEqual(Buffer.from(each.map((text) => text.toWellFormed()).join('')));
    }),
    { numRuns: 5_000 },
  );
});
