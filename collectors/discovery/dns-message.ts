/** The little of DNS (RFC 1035) that asking a device for its own name takes. What comes back is hostile until read. */

const TYPE = { a: 1, ptr: 12, txt: 16, srv: 33 } as const;
const CLASS_IN = 1;
const IS_RESPONSE = 0x8000;
const MOST_LABELS = 64;
const MOST_RECORDS = 64;
const MOST_OCTETS = 9_000;

/** A query for PTR records of these names. */
export function ptrQuery(id: number, names: readonly string[]): Uint8Array {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(names.length, 4);
  const tail = Buffer.from([0, TYPE.ptr, 0, CLASS_IN]);
  return Buffer.concat([header, ...names.flatMap((name) => [encodedName(name), tail])]);
}

function encodedName(name: string): Buffer {
  const labels = name.split('.').map((label) => {
    const octets = Buffer.from(label).subarray(0, 63);
    return Buffer.concat([Buffer.from([octets.length]), octets]);
  });
  return Buffer.concat([...labels, Buffer.from([0])]);
}

/** The name under which an address of IPv4 is looked up backwards. */
export function reverseName(address: string): string {
  return `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
}

export interface PtrRecord {
  readonly name: string;
  readonly target: string;
}

/** PTR records of a response to query `id`, at most 64; undefined for what is no such response. */
export function ptrRecords(datagram: Uint8Array, id: number): readonly PtrRecord[] | undefined {
  const octets = Buffer.from(datagram.buffer, datagram.byteOffset, Math.min(datagram.byteLength, MOST_OCTETS));
  if (octets.length < 12 || octets.readUInt16BE(0) !== id || (octets.readUInt16BE(2) & IS_RESPONSE) === 0)
    return undefined;
  const records: PtrRecord[] = [];
  const reader = new Reader(octets);
  const questions = octets.readUInt16BE(4);
  const answers = octets.readUInt16BE(6) + octets.readUInt16BE(8) + octets.readUInt16BE(10);
  try {
    for (let n = 0; n < Math.min(questions, MOST_RECORDS); n++) {
      reader.name();
      reader.skip(4);
    }
    for (let n = 0; n < Math.min(answers, MOST_RECORDS); n++) {
      const name = reader.name();
      const type = reader.number(2);
      reader.skip(6);
      const length = reader.number(2);
      const end = reader.at + length;
      if (type === TYPE.ptr) records.push({ name, target: reader.name() });
      reader.moveTo(end);
    }
  } catch (error) {
    // What was whole before the damage counts; a message that lies about its lengths has told nothing more.
    if (!(error instanceof RangeError)) throw error;
  }
  return records;
}

class Reader {
  at = 12;
  readonly #octets: Buffer;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  number(length: number): number {
    const value = this.#octets.readUIntBE(this.at, length);
    this.at += length;
    return value;
  }

  skip(length: number): void {
    this.moveTo(this.at + length);
  }

  moveTo(at: number): void {
    if (at > this.#octets.length) throw new RangeError('past the end');
    this.at = at;
  }

  /** A name, following pointers backwards only, so that none turns in a circle. */
  name(): string {
    const labels: string[] = [];
    let at = this.at;
    let after: number | undefined;
    let lowest = at;
    for (;;) {
      const length = this.#octets.readUInt8(at);
      if (length === 0) break;
      if (length >= 0xc0) {
        const target = this.#octets.readUInt16BE(at) & 0x3fff;
        after ??= at + 2;
        if (target >= lowest) throw new RangeError('a pointer that does not lead back');
        lowest = target;
        at = target;
        continue;
      }
      if (length > 63 || labels.length >= MOST_LABELS || at + 1 + length > this.#octets.length)
        throw new RangeError('no name');
      labels.push(this.#octets.toString('utf8', at + 1, at + 1 + length));
      at += 1 + length;
    }
    this.at = after ?? at + 1;
    return labels.join('.');
  }
}
