/**
 * Exposition text as octets. Text as strings would be made, joined, copied and thrown away by the megabyte at each scrape,
 * and what is being polled meanwhile would be taken for long-lived by the garbage collector.
 */

/** A piece is handed over once it has about so many octets, so that the loop breathes between them. */
const PIECE = 65_536;
/** A whole number up to 2^53, and the signs around it. */
const WHOLE_ROOM = 18;

const NEW_LINE = 0x0a;
const SPACE = 0x20;
const ZERO = 0x30;
const BILLION = 1_000_000_000;

export class ExpositionWriter {
  #piece = Buffer.allocUnsafeSlow(PIECE + 4_096);
  #length = 0;

  /** Whether there is enough to hand over. */
  get isFull(): boolean {
    return this.#length >= PIECE;
  }

  text(octets: Uint8Array): void {
    this.#makeRoom(octets.length);
    this.#length = copied(octets, this.#piece, this.#length);
  }

  /** A line: the name of a metric, its labels, and the value. */
  sample(name: Uint8Array, labels: Uint8Array, value: number | bigint): void {
    const number = Number(value);
    const text = Number.isSafeInteger(number) && number >= 0 ? undefined : String(value);
    this.#makeRoom(name.length + labels.length + (text === undefined ? WHOLE_ROOM : text.length + 2));
    const piece = this.#piece;
    let at = copied(labels, piece, copied(name, piece, this.#length));
    piece[at] = SPACE;
    at += 1;
    if (text === undefined) at = writtenWhole(number, piece, at);
    else at += piece.write(text, at, 'latin1');
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
  }
}

/** Copies, and says where the copy ends. For a few dozen octets a loop is faster than `set`. */
function copied(from: Uint8Array, to: Uint8Array, start: number): number {
  const { length } = from;
  for (let i = 0; i < length; i += 1) to[start + i] = from[i] as number;
  return start + length;
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
