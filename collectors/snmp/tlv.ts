/**
 * Tag, length, value: BER as SNMP uses it (RFC 3417, section 8), with definite lengths and low tag numbers. Whatever is
 * read is hostile: every length is held against what is there, nothing recurses, and only {@link BerError} is thrown.
 */

/** Octets that are no SNMP message. `offset` is where reading stopped. */
export class BerError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} at octet ${offset}`);
    this.name = 'BerError';
    this.offset = offset;
  }
}

/** RFC 3417, section 3.1: what fits into a UDP datagram over IPv4. */
export const MAX_MESSAGE_OCTETS = 65_507;

export const TAG = {
  integer: 0x02,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  sequence: 0x30,
  ipAddress: 0x40,
  counter32: 0x41,
  gauge32: 0x42,
  timeticks: 0x43,
  opaque: 0x44,
  counter64: 0x46,
  /** UInteger32 of RFC 1442, obsolete and still met: read as Gauge32. */
  uinteger32: 0x47,
  noSuchObject: 0x80,
  noSuchInstance: 0x81,
  endOfMibView: 0x82,
} as const;

/** Steps through the TLVs of one stretch of octets. */
export class BerReader {
  readonly octets: Uint8Array;
  /** Where the next TLV begins; after `open`, where the content does. */
  at: number;
  /** First octet that is no longer part of the stretch. */
  end: number;

  constructor(octets: Uint8Array, at = 0, end = octets.length) {
    this.octets = octets;
    this.at = at;
    this.end = end;
  }

  /** The tag of the next TLV, or -1 at the end. */
  peek(): number {
    return this.at < this.end ? (this.octets[this.at] as number) : -1;
  }

  /**
   * Reads tag and length, leaves `at` on the first octet of the content and gives the end of it.
   * @throws BerError when the tag is another, the length is indefinite, or it reaches past the end.
   */
  open(tag: number): number {
    if (this.peek() !== tag) throw new BerError(`expected tag 0x${tag.toString(16)}`, this.at);
    return this.openAny();
  }

  /** Like `open`, whatever the tag is. */
  openAny(): number {
    const { octets, end } = this;
    let at = this.at + 1;
    if (at >= end) throw new BerError('cut short', at);
    let length = octets[at++] as number;
    if (length > 0x7f) {
      // Long form. More octets than it needs are legal BER and some agents write 0x84 for everything.
      const count = length & 0x7f;
      if (count === 0) throw new BerError('indefinite length', at);
      if (count > 4) throw new BerError('length of more than four octets', at);
      if (at + count > end) throw new BerError('cut short', at);
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + (octets[at++] as number);
    }
    if (length > end - at) throw new BerError('length reaches past the end', at);
    this.at = at;
    return at + length;
  }

  /** Narrows the reader to the content of the next TLV, which must be the last of the stretch. */
  enter(tag: number): void {
    const end = this.open(tag);
    if (end !== this.end) throw new BerError('octets left over', end);
  }

  /** A reader over the content of the next TLV; this one goes on behind it. */
  inner(tag: number): BerReader {
    const end = this.open(tag);
    const reader = new BerReader(this.octets, this.at, end);
    this.at = end;
    return reader;
  }

  /** The content of the next TLV, not copied. */
  bytes(tag: number): Uint8Array {
    const end = this.open(tag);
    const content = this.octets.subarray(this.at, end);
    this.at = end;
    return content;
  }

  /** An INTEGER of the message's own fields, which all are 32 bits wide. */
  int32(): number {
    const end = this.open(TAG.integer);
    const value = signed(this.octets, this.at, end);
    if (value === undefined || value < -0x8000_0000 || value > 0x7fff_ffff) {
      throw new BerError('not a 32-bit integer', this.at);
    }
    this.at = end;
    return value;
  }
}

/** Two's complement of one to eight octets, as long as a `number` holds it exactly. */
export function signed(octets: Uint8Array, start: number, end: number): number | undefined {
  const length = end - start;
  if (length < 1 || length > 8) return undefined;
  let value = ((octets[start] as number) << 24) >> 24;
  for (let i = start + 1; i < end; i++) value = value * 256 + (octets[i] as number);
  return Number.isSafeInteger(value) ? value : undefined;
}

/**
 * 32-bit unsigned. Agents that forget the leading zero send four octets with the top bit set; that pattern leaves no
 * doubt. A shorter negative one does (is it -1 or 2^32-1?), so it is not taken: nobody should be billed for it.
 */
export function unsigned32(octets: Uint8Array, start: number, end: number): number | undefined {
  const value = signed(octets, start, end);
  if (value === undefined) return undefined;
  const repaired = value < 0 && end - start === 4 ? value + 0x1_0000_0000 : value;
  return repaired >= 0 && repaired <= 0xffff_ffff ? repaired : undefined;
}

/** 64-bit unsigned; as with 32 bits, only the full width may lack its leading zero. */
export function unsigned64(octets: Uint8Array, start: number, end: number): bigint | undefined {
  const length = end - start;
  if (length < 1 || length > 9) return undefined;
  const first = octets[start] as number;
  if (length === 9 ? first !== 0 : length < 8 && first > 0x7f) return undefined;
  let high = 0;
  let low = 0;
  for (let i = Math.max(start, end - 8); i < end - 4; i++) high = high * 256 + (octets[i] as number);
  for (let i = Math.max(start, end - 4); i < end; i++) low = low * 256 + (octets[i] as number);
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
}

/**
 * Writes TLVs from the last octet to the first, so that every length is known when it is written and nothing is moved.
 * Callers write what stands last first.
 */
export class BerWriter {
  readonly #octets = new Uint8Array(MAX_MESSAGE_OCTETS);
  #at = MAX_MESSAGE_OCTETS;

  /** Where the next octet will end. Remember it before writing a content, pass it to `wrap` after. */
  get mark(): number {
    return this.#at;
  }

  #put(octet: number): void {
    if (this.#at === 0) {
      this.#at = MAX_MESSAGE_OCTETS;
      throw new BerError('message too large', MAX_MESSAGE_OCTETS);
    }
    this.#octets[--this.#at] = octet;
  }

  /** Puts length and tag before what was written since `mark`. */
  wrap(tag: number, mark: number): void {
    const length = mark - this.#at;
    if (length > 0x7f) {
      this.#put(length & 0xff);
      if (length > 0xff) this.#put(length >> 8);
      this.#put(length > 0xff ? 0x82 : 0x81);
    } else {
      this.#put(length);
    }
    this.#put(tag);
  }

  /** Octets as they are, without tag and length. */
  raw(content: Uint8Array): void {
    if (content.length > this.#at) {
      this.#at = MAX_MESSAGE_OCTETS;
      throw new BerError('message too large', MAX_MESSAGE_OCTETS);
    }
    this.#at -= content.length;
    this.#octets.set(content, this.#at);
  }

  bytes(tag: number, content: Uint8Array): void {
    const mark = this.#at;
    this.raw(content);
    this.wrap(tag, mark);
  }

  /** A short stretch of other octets: copied one by one, which for an OID costs less than a view on it. */
  stretch(tag: number, octets: Uint8Array, from: number, to: number): void {
    const mark = this.#at;
    for (let i = to - 1; i >= from; i--) this.#put(octets[i] as number);
    this.wrap(tag, mark);
  }

  /** A whole number in as few octets as it needs; also the unsigned types, which only differ in their tag. */
  integer(value: number, tag: number = TAG.integer): void {
    const mark = this.#at;
    let rest = value;
    let octet: number;
    do {
      octet = rest & 0xff;
      this.#put(octet);
      rest = Math.floor(rest / 256);
    } while (!(octet < 0x80 ? rest === 0 : rest === -1));
    this.wrap(tag, mark);
  }

  unsigned64(value: bigint, tag: number): void {
    const mark = this.#at;
    let octet = 0;
    let rest = value;
    do {
      octet = Number(rest & 0xffn);
      this.#put(octet);
      rest >>= 8n;
    } while (rest > 0n);
    if (octet > 0x7f) this.#put(0);
    this.wrap(tag, mark);
  }

  /** A copy of what was written; the writer is empty again. */
  take(): Uint8Array<ArrayBuffer> {
    const octets = this.#octets.slice(this.#at);
    this.#at = MAX_MESSAGE_OCTETS;
    return octets;
  }

  /** Forgets what was written. */
  reset(): void {
    this.#at = MAX_MESSAGE_OCTETS;
  }
}
