/**
 * Reads as octets. One read alone is a row of the open tail; many in a row are a chunk, each written as the difference
 * to the one before. The hash of a read is always taken over the read alone, so moving it into a chunk changes no hash.
 */
import { hash } from 'node:crypto';
import type { WallTime } from '#collectors/contract.ts';
import { type Read, STEPS, type Step } from './read.ts';

const TRUSTED = 0x10;
const SAME_SOURCE = 0x20;
const WITH_NOTE = 0x40;
/** Same source, all counters as before, no note: most reads of a night. */
const UNCHANGED = 0x80;
const STEP_MASK = 0x0f;

/** A growing buffer of octets. */
class Writer {
  #buffer = Buffer.allocUnsafe(256);
  #length = 0;

  byte(value: number): void {
    if (this.#length === this.#buffer.length) this.#grow(1);
    this.#buffer[this.#length++] = value;
  }

  /** Seven bits an octet, the lowest first. Works past 2^32, where bit operators do not. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  signed(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  text(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.varint(bytes.length);
    if (this.#length + bytes.length > this.#buffer.length) this.#grow(bytes.length);
    bytes.copy(this.#buffer, this.#length);
    this.#length += bytes.length;
  }

  reset(): void {
    this.#length = 0;
  }

  /** Valid until the next write. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #grow(by: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + by));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The octet that comes next, undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#at];
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new RangeError('a read ends too early');
    return value;
  }

  varint(): number {
    const short = this.#bytes[this.#at];
    if (short !== undefined && short < 128) {
      this.#at += 1;
      return short;
    }
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const octet = this.byte();
      value += (octet & 127) * factor;
      if (octet < 128) break;
      if (factor > 2 ** 49) throw new RangeError('a number is too long');
    }
    if (!Number.isSafeInteger(value)) throw new RangeError('a number is too large');
    return value;
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  text(): string {
    const length = this.varint();
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new RangeError('a text ends too early');
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + from, length).toString('utf8');
  }
}

/** Times are written against this, so that they are short: 2020-01-01T00:00Z. */
const EPOCH = 1_577_836_800_000;
const HOUR = 3_600_000;

function putRead(writer: Writer, read: Read, before: Read | undefined): void {
  const step = STEPS.indexOf(read.step);
  const sameSource = before !== undefined && before.source === read.source && before.slots.length === read.slots.length;
  const unchanged =
    sameSource && read.note === undefined && read.slots.every((value, index) => value === before.slots[index]);
  writer.byte(
    step |
      (read.clockTrusted ? TRUSTED : 0) |
      (sameSource ? SAME_SOURCE : 0) |
      (read.note === undefined ? 0 : WITH_NOTE) |
      (unchanged ? UNCHANGED : 0),
  );
  writer.signed(before === undefined ? read.at - EPOCH : read.at - before.at - HOUR);
  if (!sameSource) {
    writer.varint(read.source);
    writer.varint(read.slots.length);
    for (const value of read.slots) writer.signed(value);
  } else if (!unchanged) {
    for (let index = 0; index < read.slots.length; index += 1) {
      writer.signed((read.slots[index] ?? 0) - (before.slots[index] ?? 0));
    }
  }
  if (read.note !== undefined) writer.text(read.note);
}

/** Goes through reads that follow each other. What it stands on is made a `Read` only where one is asked for. */
class ReadCursor {
  number: number;
  at = EPOCH as WallTime;
  step: Step = 'ok';
  readonly #reader: Reader;
  #trusted = false;
  #source = 0;
  #slots: number[] = [];
  #note: string | undefined;
  #begun = false;
  /** The slots are part of a read that was given away. */
  #given = false;

  constructor(bytes: Uint8Array, first: number) {
    this.#reader = new Reader(bytes);
    this.number = first - 1;
  }

  get atEnd(): boolean {
    return this.#reader.atEnd;
  }

  /** Of the read after this one; undefined after the last. */
  get nextStep(): Step | undefined {
    return STEPS[(this.#reader.peek() ?? STEP_MASK) & STEP_MASK];
  }

  /** @throws RangeError when the octets are not a read. */
  next(): void {
    const reader = this.#reader;
    const flags = reader.byte();
    const step = STEPS[flags & STEP_MASK];
    if (step === undefined) throw new RangeError(`a read has a step ${flags & STEP_MASK}, which does not exist`);
    const time = reader.signed();
    this.at = (this.#begun ? this.at + HOUR + time : EPOCH + time) as WallTime;
    if ((flags & SAME_SOURCE) === 0) this.#takeSource();
    else if ((flags & UNCHANGED) === 0) this.#takeSteps();
    this.#note = (flags & WITH_NOTE) === 0 ? undefined : reader.text();
    this.#trusted = (flags & TRUSTED) !== 0;
    this.step = step;
    this.number += 1;
    this.#begun = true;
  }

  read(): Read {
    this.#given = true;
    const { number, at, step } = this;
    const read = { number, at, clockTrusted: this.#trusted, step, source: this.#source, slots: this.#slots };
    return this.#note === undefined ? read : { ...read, note: this.#note };
  }

  #takeSource(): void {
    const reader = this.#reader;
    this.#source = reader.varint();
    const length = reader.varint();
    if (length > 200) throw new RangeError('a read has too many numbers');
    this.#slots = Array.from({ length }, () => reader.signed());
    this.#given = false;
  }

  #takeSteps(): void {
    if (this.#given) this.#slots = [...this.#slots];
    this.#given = false;
    const slots = this.#slots;
    for (let place = 0; place < slots.length; place += 1) slots[place] = (slots[place] ?? 0) + this.#reader.signed();
  }
}

const shared = new Writer();

/** One read alone. */
export function encodeRead(read: Read): Uint8Array {
  shared.reset();
  putRead(shared, read, undefined);
  return Uint8Array.from(shared.view());
}

/** @throws RangeError when the octets are not a read. */
export function decodeRead(bytes: Uint8Array, number: number): Read {
  const cursor = new ReadCursor(bytes, number);
  cursor.next();
  if (!cursor.atEnd) throw new RangeError('octets are left behind a read');
  return cursor.read();
}

/** Reads that follow each other in one device's chain. */
export function encodeChunk(reads: readonly Read[]): Uint8Array {
  shared.reset();
  for (const [index, read] of reads.entries()) putRead(shared, read, reads[index - 1]);
  return Uint8Array.from(shared.view());
}

/** @throws RangeError when the octets are not `count` reads. */
export function decodeChunk(bytes: Uint8Array, first: number, count: number): Read[] {
  const cursor = new ReadCursor(bytes, first);
  const reads: Read[] = [];
  for (let index = 0; index < count; index += 1) {
    cursor.next();
    reads.push(cursor.read());
  }
  if (!cursor.atEnd) throw new RangeError('octets are left behind the last read');
  return reads;
}

/** Where a chunk begins and ends. */
export interface ChunkEnds {
  readonly from: WallTime;
  readonly to: WallTime;
  /** The first and the last good read. */
  readonly begin?: Read;
  readonly end?: Read;
}

/**
 * The ends of a chunk, without making its reads.
 * @throws RangeError when the octets are not `count` reads.
 */
export function decodeEnds(bytes: Uint8Array, first: number, count: number): ChunkEnds {
  const cursor = new ReadCursor(bytes, first);
  let from: WallTime | undefined;
  let begin: Read | undefined;
  let end: Read | undefined;
  for (let index = 0; index < count; index += 1) {
    cursor.next();
    from ??= cursor.at;
    if (cursor.step !== 'ok') continue;
    begin ??= cursor.read();
    // Only what no good read follows need be made.
    if (cursor.nextStep !== 'ok') end = cursor.read();
  }
  return { from: from ?? cursor.at, to: cursor.at, ...(begin && { begin }), ...(end && { end }) };
}

/** What a device's chain begins with. */
export function chainStart(device: string): Uint8Array {
  return hash('sha256', `siteward meters 1\n${device}`, 'buffer');
}

const linked = Buffer.allocUnsafe(4096);

/** The hash of a read in its chain: SHA-256 over the hash before it and the read alone. */
export function chainNext(previous: Uint8Array, read: Read): Uint8Array {
  shared.reset();
  putRead(shared, read, undefined);
  const body = shared.view();
  if (body.length + 32 > linked.length) return hash('sha256', Buffer.concat([previous, body]), 'buffer');
  linked.set(previous, 0);
  linked.set(body, 32);
  return hash('sha256', linked.subarray(0, 32 + body.length), 'buffer');
}
