/**
 * Texts that are printed again and again, as octets, one after the other in one array: of each its length, then its
 * UTF-8, eight octets to an element, the last of them filled up with zeros.
 *
 * A buffer for each text would be two hundred octets of objects around forty of text. And eight octets are copied at
 * once, as the double that they spell. UTF-8 spells none that is not a number, of which an engine may change the bits:
 * its octets would end in 0x7f or 0xff with one from 0xf0 on before it.
 */
import { endianness } from 'node:os';

export type PackedTexts = Float64Array<ArrayBuffer>;

const EIGHT = 8;
const IS_LITTLE_ENDIAN = endianness() === 'LE';

export function packedTexts(texts: readonly string[]): PackedTexts {
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const packed = new Float64Array(lengths.reduce((sum, length) => sum + elementsOf(length), 0));
  const octets = Buffer.from(packed.buffer);
  let at = 0;
  for (const [index, text] of texts.entries()) {
    const length = lengths[index] ?? 0;
    packed[at] = length;
    octets.write(text, (at + 1) * EIGHT);
    at += elementsOf(length);
  }
  return packed;
}

/** Where the text after the one at `at` begins. */
export function nextText(packed: PackedTexts, at: number): number {
  return at + elementsOf(lengthAt(packed, at));
}

/** @param octets those of `packed`, to be given where many texts are unpacked */
export function unpackedText(packed: PackedTexts, at: number, octets = Buffer.from(packed.buffer)): string {
  const start = (at + 1) * EIGHT;
  return octets.toString('utf8', start, start + lengthAt(packed, at));
}

/** Copies the text at `at`, and up to seven zeros after it. Says where the text ends. */
export function copyText(packed: PackedTexts, at: number, to: DataView, start: number): number {
  const length = lengthAt(packed, at);
  const end = at + elementsOf(length);
  for (let from = at + 1, place = start; from < end; from += 1, place += EIGHT)
    to.setFloat64(place, packed[from] as number, IS_LITTLE_ENDIAN);
  return start + length;
}

/** In octets. As an integer, by which the engine reckons faster than by a double. */
export function lengthAt(packed: PackedTexts, at: number): number {
  return (packed[at] as number) | 0;
}

/** Elements of a text of so many octets, that of its length among them. */
function elementsOf(length: number): number {
  return 1 + ((length + EIGHT - 1) >>> 3);
}
