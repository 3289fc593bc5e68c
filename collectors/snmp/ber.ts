/**
 * Messages and PDUs of SNMP as octets and back (RFC 1157, RFC 3416). The nesting is that of the standard, message, PDU,
 * list, varbind, and cannot grow: nothing here recurses.
 */
import type { Oid, Varbind } from './agent.ts';
import { encodeOid, isOid, type OidSpan, oidText } from './oid.ts';
import { BerError, BerReader, BerWriter, signed, TAG, unsigned32, unsigned64 } from './tlv.ts';

export { BerError } from './tlv.ts';

/** What stands in a varbind where there is no value. `null` is what requests carry (RFC 3416, section 3). */
export interface NoValue {
  readonly type: 'null' | 'no-such-object' | 'no-such-instance' | 'end-of-mib-view';
}

/** A value of an unknown type, or one whose octets do not fit its type. It keeps its place in the list, nothing more. */
export interface Unreadable {
  readonly type: 'unreadable';
  readonly tag: number;
}

export type WireValue = Varbind | NoValue | Unreadable;

export interface WireVarbind {
  readonly oid: Oid;
  readonly value: WireValue;
}

/** SET and traps are not among them: siteward neither sends nor takes them. */
export type PduOf<V> =
  | {
      readonly type: 'get' | 'get-next' | 'response' | 'report';
      readonly requestId: number;
      /** RFC 3416, section 3: 0 noError, 1 tooBig, 2 noSuchName, 5 genErr, … */
      readonly errorStatus: number;
      /** Counts from 1; 0 for none. Not held against the list: it comes from the agent. */
      readonly errorIndex: number;
      readonly varbinds: readonly V[];
    }
  | {
      readonly type: 'get-bulk';
      readonly requestId: number;
      readonly nonRepeaters: number;
      readonly maxRepetitions: number;
      readonly varbinds: readonly V[];
    };
export type Pdu = PduOf<WireVarbind>;

/** A whole message of SNMPv1 or SNMPv2c. */
export interface CommunityMessage {
  readonly version: '1' | '2c';
  readonly community: Uint8Array;
  readonly pdu: Pdu;
}

const PDU_TAGS = { get: 0xa0, 'get-next': 0xa1, response: 0xa2, 'get-bulk': 0xa5, report: 0xa8 } as const;
export type PduType = keyof typeof PDU_TAGS;
const PDU_TYPES = new Map<number, PduType>(Object.entries(PDU_TAGS).map(([type, tag]) => [tag, type as PduType]));

function decodeValue(octets: Uint8Array, tag: number, start: number, end: number): WireValue {
  switch (tag) {
    case TAG.integer: {
      const value = signed(octets, start, end);
      return value === undefined ? { type: 'unreadable', tag } : { type: 'integer', value };
    }
    case TAG.counter32:
    case TAG.gauge32:
    case TAG.uinteger32:
    case TAG.timeticks: {
      const value = unsigned32(octets, start, end);
      if (value === undefined) return { type: 'unreadable', tag };
      return { type: tag === TAG.counter32 ? 'counter32' : tag === TAG.timeticks ? 'timeticks' : 'gauge32', value };
    }
    case TAG.counter64: {
      const value = unsigned64(octets, start, end);
      return value === undefined ? { type: 'unreadable', tag } : { type: 'counter64', value };
    }
    case TAG.octetString:
    case TAG.opaque: {
      const value = new Uint8Array(octets.buffer, octets.byteOffset + start, end - start);
      return { type: tag === TAG.opaque ? 'opaque' : 'octet-string', value };
    }
    case TAG.oid:
      return isOid(octets, start, end)
        ? { type: 'oid', value: oidText(octets, start, end) }
        : { type: 'unreadable', tag };
    case TAG.ipAddress:
      if (end - start !== 4) return { type: 'unreadable', tag };
      return { type: 'ip-address', value: octets.subarray(start, end).join('.') };
    case TAG.null:
      return { type: 'null' };
    case TAG.noSuchObject:
      return { type: 'no-such-object' };
    case TAG.noSuchInstance:
      return { type: 'no-such-instance' };
    case TAG.endOfMibView:
      return { type: 'end-of-mib-view' };
    default:
      return { type: 'unreadable', tag };
  }
}

const SPAN = 5;
/** Where the parts of the PDU at hand lie. A datagram has fewer than 2^16 octets. */
let found = new Uint16Array(SPAN * 128);

function grown(old: Uint16Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  const larger = new Uint16Array(old.length * 2);
  larger.set(old);
  return larger;
}

/** Tag and length of a varbind and of its name. */
const VARBIND_FRAME = 4;

/**
 * A PDU whose frame is checked and whose varbinds are still octets. A walk compares names as octets and makes text only
 * of what it keeps; that is most of what makes polling cheap.
 */
export class PduView {
  readonly type: PduType;
  readonly requestId: number;
  /** error-status, or non-repeaters of a GETBULK. */
  readonly first: number;
  /** error-index, or max-repetitions of a GETBULK. */
  readonly second: number;
  readonly count: number;
  /** How long the PDU is on the wire. */
  readonly length: number;
  readonly #octets: Uint8Array;
  /** Per varbind: name from, name to, tag, value from, value to. */
  readonly #spans: Uint16Array;

  /**
   * Reads the next TLV of `reader` as a PDU.
   * @throws BerError unless every frame in it is sound and every name is an OID.
   */
  constructor(reader: BerReader) {
    const from = reader.at;
    const type = PDU_TYPES.get(reader.peek());
    if (type === undefined) throw new BerError('not a PDU that is read here', reader.at);
    const pdu = reader.inner(PDU_TAGS[type]);
    this.type = type;
    this.requestId = pdu.int32();
    this.first = pdu.int32();
    this.second = pdu.int32();
    pdu.enter(TAG.sequence);
    let spans = 0;
    const listEnd = pdu.end;
    while (pdu.at < listEnd) {
      const end = pdu.open(TAG.sequence);
      pdu.end = end;
      const nameEnd = pdu.open(TAG.oid);
      if (!isOid(pdu.octets, pdu.at, nameEnd)) throw new BerError('malformed OID', pdu.at);
      const nameStart = pdu.at;
      pdu.at = nameEnd;
      const tag = pdu.peek();
      if (tag === -1) throw new BerError('varbind without a value', pdu.at);
      const valueEnd = pdu.openAny();
      if (valueEnd !== end) throw new BerError('octets left over', valueEnd);
      if (spans + SPAN > found.length) found = grown(found);
      found[spans++] = nameStart;
      found[spans++] = nameEnd;
      found[spans++] = tag;
      found[spans++] = pdu.at;
      found[spans++] = valueEnd;
      pdu.at = end;
      pdu.end = listEnd;
    }
    this.count = spans / SPAN;
    this.length = reader.at - from;
    this.#octets = pdu.octets;
    this.#spans = found.slice(0, spans);
  }

  #span(index: number, part: number): number {
    const value = this.#spans[index * SPAN + part];
    if (value === undefined) throw new RangeError(`varbind ${index} of ${this.count}`);
    return value;
  }

  oid(index: number): Oid {
    return oidText(this.#octets, this.#span(index, 0), this.#span(index, 1));
  }

  /** Says in `span` where the name lies. */
  nameInto(span: OidSpan, index: number): void {
    span.octets = this.#octets;
    span.from = this.#span(index, 0);
    span.to = this.#span(index, 1);
  }

  value(index: number): WireValue {
    return decodeValue(this.#octets, this.#span(index, 2), this.#span(index, 3), this.#span(index, 4));
  }

  /** Tag of the value. */
  tag(index: number): number {
    return this.#span(index, 2);
  }

  /** Whether the name lies below `root` (its content octets). */
  isUnder(index: number, root: Uint8Array): boolean {
    const start = this.#span(index, 0);
    if (this.#span(index, 1) - start <= root.length) return false;
    for (let i = 0; i < root.length; i++) if (this.#octets[start + i] !== root[i]) return false;
    return true;
  }

  /** Whether the name is `name` (its content octets). */
  isNamed(index: number, name: Uint8Array): boolean {
    const start = this.#span(index, 0);
    if (this.#span(index, 1) - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (this.#octets[start + i] !== name[i]) return false;
    return true;
  }

  /** Octets of the varbind on the wire, in the usual case of lengths below 128. */
  size(index: number): number {
    return this.#span(index, 4) - this.#span(index, 0) + VARBIND_FRAME;
  }

  varbinds(): WireVarbind[] {
    return Array.from({ length: this.count }, (_, index) => ({ oid: this.oid(index), value: this.value(index) }));
  }

  /** All of it, decoded. */
  toPdu(): Pdu {
    const { type, requestId, first, second } = this;
    const varbinds = this.varbinds();
    return type === 'get-bulk'
      ? { type, requestId, nonRepeaters: first, maxRepetitions: second, varbinds }
      : { type, requestId, errorStatus: first, errorIndex: second, varbinds };
  }
}

/** A v1 or v2c message whose PDU is still octets. */
export interface CommunityView {
  readonly version: 0 | 1;
  readonly community: Uint8Array;
  readonly pdu: PduView;
}

/** Reads the rest of a message behind its version. */
export function communityView(reader: BerReader, version: 0 | 1): CommunityView {
  const community = reader.bytes(TAG.octetString);
  const pdu = new PduView(reader);
  if (reader.at !== reader.end) throw new BerError('octets left over', reader.at);
  return { version, community, pdu };
}

/**
 * Reads a datagram as a message of SNMPv1 or SNMPv2c. Values that do not fit their type are `unreadable`.
 * @throws BerError when it is anything else.
 */
export function decodeMessage(datagram: Uint8Array): CommunityMessage {
  const reader = new BerReader(datagram);
  reader.enter(TAG.sequence);
  const version = reader.int32();
  if (version !== 0 && version !== 1) throw new BerError(`version ${version}`, reader.at);
  const { community, pdu } = communityView(reader, version);
  return { version: version === 0 ? '1' : '2c', community, pdu: pdu.toPdu() };
}

const scratch = new BerWriter();

const isUnsigned32 = (value: number) => Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
const UNSIGNED_TAGS = { counter32: TAG.counter32, gauge32: TAG.gauge32, timeticks: TAG.timeticks } as const;
const EMPTY_TAGS = {
  null: TAG.null,
  'no-such-object': TAG.noSuchObject,
  'no-such-instance': TAG.noSuchInstance,
  'end-of-mib-view': TAG.endOfMibView,
} as const;
const NOTHING = new Uint8Array(0);

function writeValue(writer: BerWriter, value: WireValue): void {
  switch (value.type) {
    case 'integer':
      if (value.value !== (value.value | 0)) throw new BerError(`${value.value} is not a 32-bit integer`, 0);
      writer.integer(value.value);
      break;
    case 'counter32':
    case 'gauge32':
    case 'timeticks':
      if (!isUnsigned32(value.value)) throw new BerError(`${value.value} is not 32-bit unsigned`, 0);
      writer.integer(value.value, UNSIGNED_TAGS[value.type]);
      break;
    case 'counter64':
      if (BigInt.asUintN(64, value.value) !== value.value)
        throw new BerError(`${value.value} is not 64-bit unsigned`, 0);
      writer.unsigned64(value.value, TAG.counter64);
      break;
    case 'octet-string':
      writer.bytes(TAG.octetString, value.value);
      break;
    case 'opaque':
      writer.bytes(TAG.opaque, value.value);
      break;
    case 'oid':
      writer.bytes(TAG.oid, encodeOid(value.value));
      break;
    case 'ip-address': {
      const octets = value.value.split('.').map(Number);
      if (octets.length !== 4 || octets.some((octet) => !(isUnsigned32(octet) && octet < 256))) {
        throw new BerError(`${value.value} is not an IPv4 address`, 0);
      }
      writer.bytes(TAG.ipAddress, Uint8Array.from(octets));
      break;
    }
    case 'null':
    case 'no-such-object':
    case 'no-such-instance':
    case 'end-of-mib-view':
      writer.bytes(EMPTY_TAGS[value.type], NOTHING);
      break;
    case 'unreadable':
      throw new BerError('an unreadable value cannot be written', 0);
    default:
      value satisfies never;
  }
}

/** A name to write: an OID as text, as content octets, or as a stretch of octets that a walk has at hand. */
export type Name = Oid | Uint8Array | Readonly<OidSpan>;
/** A varbind to write, or only its name, as a request has it. */
export type Written = WireVarbind | Name;

/** @throws BerError when a name or value cannot be written, or the message grows too large. */
export function writePdu(writer: BerWriter, pdu: PduOf<Written>): void {
  const { varbinds } = pdu;
  const mark = writer.mark;
  for (let i = varbinds.length - 1; i >= 0; i--) writeVarbind(writer, varbinds[i] as Written);
  writer.wrap(TAG.sequence, mark);
  writer.integer(pdu.type === 'get-bulk' ? pdu.maxRepetitions : pdu.errorIndex);
  writer.integer(pdu.type === 'get-bulk' ? pdu.nonRepeaters : pdu.errorStatus);
  writer.integer(pdu.requestId);
  writer.wrap(PDU_TAGS[pdu.type], mark);
}

function writeVarbind(writer: BerWriter, written: Written): void {
  const mark = writer.mark;
  if (typeof written === 'string' || written instanceof Uint8Array) {
    writer.bytes(TAG.null, NOTHING);
    writer.bytes(TAG.oid, typeof written === 'string' ? encodeOid(written) : written);
  } else if ('octets' in written) {
    writer.bytes(TAG.null, NOTHING);
    writer.stretch(TAG.oid, written.octets, written.from, written.to);
  } else {
    writeValue(writer, written.value);
    writer.bytes(TAG.oid, encodeOid(written.oid));
  }
  writer.wrap(TAG.sequence, mark);
}

/** Writes the frame of a v1 or v2c message around the PDU that was written since `mark`. */
export function writeCommunityFrame(writer: BerWriter, version: 0 | 1, community: Uint8Array, mark: number): void {
  writer.bytes(TAG.octetString, community);
  writer.integer(version);
  writer.wrap(TAG.sequence, mark);
}

/**
 * The octets of a v1 or v2c message.
 * @throws BerError when a value does not fit its type or the message does not fit into a datagram.
 */
export function encodeMessage(message: CommunityMessage): Uint8Array<ArrayBuffer> {
  scratch.reset();
  const mark = scratch.mark;
  writePdu(scratch, message.pdu);
  writeCommunityFrame(scratch, message.version === '1' ? 0 : 1, message.community, mark);
  return scratch.take();
}
