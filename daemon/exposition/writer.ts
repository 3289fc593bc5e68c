/**
 * Exposition text as octets. Text as strings would be made, joined, copied and thrown away by the megabyte at each scrape,
 * and what is being polled meanwhile would be taken for long-lived by the garbage collector.
 */
import { copyText, lengthAt, type PackedTexts, packedTexts } from './packed-texts.ts';

/** A piece is handed over once it has about so many octets, so that the loop breathes between them. */
const PIECE = 65_536;
/** A whole number up to 2^53, and the signs around it. */
const WHOLE_ROOM = 18;
/** What a copied text may write past its end; also enough for the signs around a number. */
const COPY_ROOM = 8;

const NEW_LINE = 0x0a;
const SPACE = 0x20;
const ZERO = 0x30;
const BILLION = 1_000_000_000;

const NO_TEXTS = packedTexts(['']);

export class ExpositionWriter {
  #piece = Buffer.allocUnsafeSlow(PIECE + 4_096);
  #view = new DataView(this.#piece.buffer);
  #length = 0;
  #name: PackedTexts = NO_TEXTS;
  #texts: PackedTexts = NO_TEXTS;

  /** Whether there is enough to hand over. */
  get isFull(): boolean {
    return this.#length >= PIECE;
  }

  text(octets: Uint8Array): void {
    this.#makeRoom(octets.length);
    this.#piece.set(octets, this.#length);
    this.#length += octets.length;
  }

  /** The samples that follow are of this metric, with labels that begin with the first of `texts`. */
  series(name: PackedTexts, texts: PackedTexts): void {
    this.#name = name;
    this.#texts = texts;
  }

  /** A line: the name of the metric, the labels, which end with the text at `text`, and the value. */
  sample(text: number, value: number | bigint): void {
    const name = this.#name;
    const texts = this.#texts;
    const number = Number(value);
    const digits = Number.isSafeInteger(number) && number >= 0 ? undefined : String(value);
    const octets = lengthAt(name, 0) + lengthAt(texts, 0) + lengthAt(texts, text);
    this.#makeRoom(octets + (digits === undefined ? WHOLE_ROOM : digits.length + COPY_ROOM));
    const piece = this.#piece;
    const view = this.#view;
    let at = copyText(texts, text, view, copyText(texts, 0, view, copyText(name, 0, view, this.#length)));
    piece[at] = SPACE;
    at += 1;
    if (digits === undefined) at = writtenWhole(number, piece, at);
    else at += piece.write(digits, at, 'latin1');
    piece[at] = NEW_LINE;
    this.#length = at + 1;
  }

  /** What was written since the last call. Good until something is written again. */
  take(): Buffer {
    const taken = this.#piece.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #makeRoom(octets: number): void {
    const wanted = this.#length + octets;
    if (wanted <= this.#piece.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.#piece.length * 2));
    larger.set(this.#piece.subarray(0, this.#length));
    this.#piece = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Writes a whole number up to 2^53, and says where it ends. */
function writtenWhole(value: number, piece: Uint8Array, start: number): number {
  if (value < BILLION) return writtenSmall(value | 0, piece, start);
  const high = Math.floor(value / BILLION);
  let rest = (value - high * BILLION) | 0;
  const from = writtenSmall(high | 0, piece, start);
  for (let at = from + 8; at >= from; at -= 1) {
    const tenth = (rest / 10) | 0;
    piece[at] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return from + 9;
}

/** The same below 2^31. */
function writtenSmall(value: number, piece: Uint8Array, start: number): number {
  let end = start + 1;
  for (let rest = (value / 10) | 0; rest > 0; rest = (rest / 10) | 0) end += 1;
  let rest = value;
  for (let at = end - 1; at >= start; at -= 1) {
    const tenth = (rest / 10) | 0;
    piece[at] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}
