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

/** Bytes of a difference between two such values, and so of every number here: seven bits each. */
const LONGEST_NUMBER = 8;
/** Bytes of a sample at most: a time and a value. */
export const LONGEST_SAMPLE = 2 * LONGEST_NUMBER;
const NUMBERS_IN_BUCKET = 5;

/** Writes a whole number of zero or more at `at`. Returns where it ends. */
function writeUnsigned(target: Uint8Array, at: number, value: number): number {
  let end = at;
  let rest = value;
  while (rest >= 0x80) {
    const higher = Math.floor(rest / 0x80);
    target[end] = (rest - higher * 0x80) | 0x80;
    end += 1;
    rest = higher;
  }
  target[end] = rest;
  return end + 1;
}

function writeSigned(target: Uint8Array, at: number, value: number): number {
  return writeUnsigned(target, at, value < 0 ? -value * 2 - 1 : value * 2);
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

/** The value, or the nearest one that can be kept exactly. */
export function storable(value: number): number {
  return Math.min(LARGEST, Math.max(-LARGEST, value));
}

/**
 * Writes one sample: by how much its distance from the one before, and its value, differ from the one before. Both are 0
 * before the first. Returns its length, at most `LONGEST_SAMPLE`.
 */
export function writeSample(target: Uint8Array, stepChange: number, valueChange: number): number {
  return writeSigned(target, writeSigned(target, 0, stepChange), valueChange);
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
  const target = new Uint8Array(buckets.length * NUMBERS_IN_BUCKET * LONGEST_NUMBER);
  let end = 0;
  let at = buckets[0]?.at ?? 0;
  let mean = 0;
  for (const bucket of buckets) {
    const rounded = Math.round(bucket.mean);
    end = writeUnsigned(target, end, Math.round((bucket.at - at) / width));
    end = writeUnsigned(target, end, bucket.count);
    end = writeSigned(target, end, rounded - mean);
    end = writeUnsigned(target, end, Math.max(0, rounded - bucket.min));
    end = writeUnsigned(target, end, Math.max(0, bucket.max - rounded));
    at = bucket.at;
    mean = rounded;
  }
  return target.slice(0, end);
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
