/**
 * The three messages of Prometheus remote_write 1.0, as protocol buffers: TimeSeries { labels = 1, samples = 2 },
 * Label { name = 1, value = 2 }, Sample { double value = 1, int64 timestamp = 2 }. A WriteRequest is nothing but
 * TimeSeries one after another, each as its field 1; so records can be joined and cut without being read.
 */

const LENGTH_DELIMITED = 2;
const FIXED_64 = 1;
const LABEL_KEY = (1 << 3) | LENGTH_DELIMITED;

export interface Series {
  /** In order of their names, `__name__` among them. */
  readonly labels: readonly (readonly [string, string])[];
  /** Eight octets of a double, least first: a stale marker is a NaN of which no bit may change. */
  readonly value: Uint8Array;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** "This series ends here": the NaN that Prometheus tells from all others. */
export const STALE = Uint8Array.of(0x02, 0, 0, 0, 0, 0, 0xf0, 0x7f);

export function double(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return bytes;
}

/** One series with one sample, as field 1 of a WriteRequest. */
export function encodeSeries({ labels, value, timestamp }: Series): Uint8Array {
  const sample = Buffer.concat([Uint8Array.of((1 << 3) | FIXED_64), value, Uint8Array.of(2 << 3), varint(timestamp)]);
  const fields = labels.map(([name, text]) => field(1, Buffer.concat([field(1, utf8(name)), field(2, utf8(text))])));
  return field(1, Buffer.concat([...fields, field(2, sample)]));
}

/** Where each record of joined ones begins and ends. */
export function splitSeries(raw: Uint8Array): readonly Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let start = 0; start < raw.length; ) {
    const { value: length, next } = readVarint(raw, start + 1);
    records.push(raw.subarray(start, next + length));
    start = next + length;
  }
  return records;
}

/** What stands before the sample, octet by octet: equal for records of one series. */
export function labelBytes(record: Uint8Array): string {
  const { next } = readVarint(record, 1);
  let end = next;
  while (record[end] === LABEL_KEY) {
    const { value: length, next: start } = readVarint(record, end + 1);
    end = start + length;
  }
  return Buffer.from(record.buffer, record.byteOffset + next, end - next).toString('latin1');
}

/** A record as people write it: `name{label="value"} 1.5 1790000000000`. */
export function describeSeries(record: Uint8Array): string {
  const [series] = fieldsOf(record);
  const labels: Record<string, string> = {};
  let sample = '';
  for (const part of series ? fieldsOf(series.bytes) : []) {
    const [first, second] = fieldsOf(part.bytes);
    if (part.number === 1 && first) labels[text(first.bytes)] = second ? text(second.bytes) : '';
    else if (first) sample = `${readDouble(first.bytes)} ${second?.integer ?? 0}`;
  }
  const { __name__: name = '', ...others } = labels;
  const list = Object.entries(others).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `${name}{${list.join(',')}} ${sample}`;
}

function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of((number << 3) | LENGTH_DELIMITED), varint(bytes.length), bytes]);
}

/** Base 128, least first. Past 2^31 the bitwise operators would cut, so the upper part is divided off. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function readVarint(bytes: Uint8Array, start: number): { readonly value: number; readonly next: number } {
  let value = 0;
  let factor = 1;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    value += (byte % 0x80) * factor;
    factor *= 0x80;
    if (byte < 0x80) return { value, next: at + 1 };
  }
  return { value, next: bytes.length };
}

interface Field {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly integer: number;
}

function fieldsOf(bytes: Uint8Array): readonly Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const key = bytes[at] ?? 0;
    const wireType = key & 7;
    if (wireType === FIXED_64) {
      fields.push({ number: key >> 3, bytes: bytes.subarray(at + 1, at + 9), integer: 0 });
      at += 9;
      continue;
    }
    const { value, next } = readVarint(bytes, at + 1);
    const end = wireType === LENGTH_DELIMITED ? next + value : next;
    fields.push({ number: key >> 3, bytes: bytes.subarray(next, end), integer: value });
    at = end;
  }
  return fields;
}

function readDouble(bytes: Uint8Array): number {
  return bytes.length < 8 ? Number.NaN : new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
}

function utf8(value: string): Uint8Array {
  return Buffer.from(value, 'utf8');
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
