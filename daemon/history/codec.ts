/**
 * Samples and roll-ups as bytes. Times are seconds and values whole steps; what is written is how much the distance
 * between two times, and the value, differ from before, as variable-length integers. A steady series costs two bytes.
 */

export interface Sample {
  /** Seconds since 1970. */
  readonly at: number;
  /** Whole steps. */
  readonly value: number;
}

/** What a stretch of time was like. */
export interface Bucket {
  /** Seconds since 1970 at which it begins. */
  readonly at: number;
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** Above this a value would lose its last digits as a double, and so would its difference to another. */
const LARGEST = 2 ** 51;

class Writer {
  #bytes = new Uint8Array(48);
  #length = 0;

  /** A whole number of zero or more. */
  unsigned(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#byte(rest);
  }

  signed(value: number): void {
    this.unsigned(value < 0 ? -value * 2 - 1 : value * 2);
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(Math.ceil(this.#bytes.length * 1.5));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get more(): boolean {
    return this.#at < this.#bytes.length;
  }

  unsigned(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.#bytes[this.#at];
      this.#at += 1;
      if (byte === undefined) throw new RangeError('a chunk of the history ends in the middle of a number');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
  }

  signed(): number {
    const value = this.unsigned();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }
}

/** Takes samples in the order of their times. */
export class SampleEncoder {
  readonly start: number;
  readonly #writer = new Writer();
  // Apart, not as one sample: it would be garbage at the next, of every series.
  #lastAt: number;
  #lastValue = 0;
  #step = 0;
  #count = 0;

  constructor(start: number) {
    this.start = start;
    this.#lastAt = start;
  }

  get count(): number {
    return this.#count;
  }

  get lastAt(): number {
    return this.#lastAt;
  }

  append(at: number, value: number): void {
    const bounded = Math.min(LARGEST, Math.max(-LARGEST, value));
    const step = at - this.#lastAt;
    this.#writer.signed(step - this.#step);
    this.#writer.signed(bounded - this.#lastValue);
    this.#step = step;
    this.#lastAt = at;
    this.#lastValue = bounded;
    this.#count += 1;
  }

  bytes(): Uint8Array {
    return this.#writer.bytes();
  }

  samples(): Sample[] {
    return decodeSamples(this.start, this.#writer.view());
  }
}

/** @throws RangeError for bytes that are no chunk */
export function decodeSamples(start: number, bytes: Uint8Array): Sample[] {
  const reader = new Reader(bytes);
  const samples: Sample[] = [];
  let at = start;
  let step = 0;
  let value = 0;
  while (reader.more) {
    step += reader.signed();
    at += step;
    value += reader.signed();
    samples.push({ at, value });
  }
  return samples;
}

/** Buckets in the order of their times; `width` seconds each, `start` being the first one's. */
export function encodeBuckets(buckets: readonly Bucket[], width: number): Uint8Array {
  const writer = new Writer();
  let at = buckets[0]?.at ?? 0;
  let mean = 0;
  for (const bucket of buckets) {
    const rounded = Math.round(bucket.mean);
    writer.unsigned(Math.round((bucket.at - at) / width));
    writer.unsigned(bucket.count);
    writer.signed(rounded - mean);
    writer.unsigned(Math.max(0, rounded - bucket.min));
    writer.unsigned(Math.max(0, bucket.max - rounded));
    at = bucket.at;
    mean = rounded;
  }
  return writer.bytes();
}

/** @throws RangeError for bytes that are no roll-up */
export function decodeBuckets(start: number, bytes: Uint8Array, width: number): Bucket[] {
  const reader = new Reader(bytes);
  const buckets: Bucket[] = [];
  let at = start;
  let mean = 0;
  while (reader.more) {
    at += reader.unsigned() * width;
    const count = reader.unsigned();
    mean += reader.signed();
    const min = mean - reader.unsigned();
    const max = mean + reader.unsigned();
    buckets.push({ at, count, mean, min, max });
  }
  return buckets;
}

/** Samples in buckets of `width` seconds, each beginning at a multiple of it. */
export function rollUp(samples: readonly Sample[], width: number): Bucket[] {
  return mergeBuckets(
    samples.map(({ at, value }) => ({ at, count: 1, mean: value, min: value, max: value })),
    width,
  );
}

/** Buckets in wider ones; parts of one bucket that were written apart come together. Takes them in any order. */
export function mergeBuckets(buckets: readonly Bucket[], width: number): Bucket[] {
  const merged = new Map<number, { at: number; count: number; sum: number; min: number; max: number }>();
  for (const { at, count, mean, min, max } of buckets) {
    const start = Math.floor(at / width) * width;
    const known = merged.get(start);
    if (known) {
      known.count += count;
      known.sum += mean * count;
      known.min = Math.min(known.min, min);
      known.max = Math.max(known.max, max);
    } else merged.set(start, { at: start, count, sum: mean * count, min, max });
  }
  return [...merged.values()]
    .map(({ sum, ...bucket }) => ({ ...bucket, mean: sum / bucket.count }))
    .toSorted((a, b) => a.at - b.at);
}
