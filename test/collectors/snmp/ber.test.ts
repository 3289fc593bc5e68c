import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BerError,
  type CommunityMessage,
  decodeMessage,
  encodeMessage,
  type WireVarbind,
} from '#collectors/snmp/ber.ts';
import { decodeOid, encodedOid, encodeOid, isAfter, oidBefore } from '#collectors/snmp/oid.ts';
import { BerReader, BerWriter, MAX_MESSAGE_OCTETS, TAG } from '#collectors/snmp/tlv.ts';
import { compareOids } from '../../support/mib-agent.ts';

/** asn1-ber, which net-snmp is made with, as the other opinion. */
const { Ber } = createRequire(createRequire(import.meta.url).resolve('net-snmp'))('asn1-ber') as {
  Ber: {
    Writer: new () => { writeOID(oid: string): void; writeInt(value: number): void; readonly buffer: Buffer };
    Reader: new (octets: Buffer) => { readOID(): string; readInt(): number };
  };
};

const subIdentifier = fc.oneof(
  fc.nat(300),
  fc.nat(0xffff_ffff),
  fc.constantFrom(127, 128, 16_383, 16_384, 0xffff_ffff),
);
const oid = fc
  .tuple(
    fc.oneof(
      fc.tuple(fc.constantFrom(0, 1), fc.nat(39)),
      fc.tuple(fc.constant(2), fc.oneof(fc.nat(500), fc.nat(0xffff_ffff - 80))),
    ),
    fc.array(subIdentifier, { maxLength: 20 }),
  )
  .map(([[root, second], rest]) => [root, second, ...rest].join('.'));
const unsigned32 = fc.nat(0xffff_ffff);
const octets = fc.uint8Array({ maxLength: 300 });
const wireValue = fc.oneof(
  fc.record({ type: fc.constant('integer' as const), value: fc.integer() }),
  fc.record({
    type: fc.constantFrom('counter32' as const, 'gauge32' as const, 'timeticks' as const),
    value: unsigned32,
  }),
  fc.record({ type: fc.constant('counter64' as const), value: fc.bigInt(0n, 0xffff_ffff_ffff_ffffn) }),
  fc.record({ type: fc.constantFrom('octet-string' as const, 'opaque' as const), value: octets }),
  fc.record({ type: fc.constant('oid' as const), value: oid }),
  fc.record({ type: fc.constant('ip-address' as const), value: fc.ipV4() }),
  fc.record({
    type: fc.constantFrom(
      'null' as const,
      'no-such-object' as const,
      'no-such-instance' as const,
      'end-of-mib-view' as const,
    ),
  }),
);
const varbinds: fc.Arbitrary<WireVarbind[]> = fc.array(fc.record({ oid, value: wireValue }), { maxLength: 12 });
const message: fc.Arbitrary<CommunityMessage> = fc.record({
  version: fc.constantFrom('1' as const, '2c' as const),
  community: fc.uint8Array({ maxLength: 40 }),
  pdu: fc.oneof(
    fc.record({
      type: fc.constantFrom('get' as const, 'get-next' as const, 'response' as const, 'report' as const),
      requestId: fc.integer(),
      errorStatus: fc.integer(),
      errorIndex: fc.integer(),
      varbinds,
    }),
    fc.record({
      type: fc.constant('get-bulk' as const),
      requestId: fc.integer(),
      nonRepeaters: fc.nat(100),
      maxRepetitions: fc.nat(100),
      varbinds,
    }),
  ),
});

/** A message around octets that stand for its varbind list. */
function around(list: readonly number[]): Uint8Array {
  const writer = new BerWriter();
  const mark = writer.mark;
  writer.raw(Uint8Array.from(list));
  writer.wrap(TAG.sequence, mark);
  for (const field of [0, 0, 7]) writer.integer(field);
  writer.wrap(0xa2, mark);
  writer.bytes(TAG.octetString, new TextEncoder().encode('public'));
  writer.integer(1);
  writer.wrap(TAG.sequence, mark);
  return writer.take();
}

/** The value that one varbind with this tag and content has. */
function valueRead(tag: number, content: readonly number[]) {
  const writer = new BerWriter();
  const mark = writer.mark;
  writer.bytes(tag, Uint8Array.from(content));
  writer.bytes(TAG.oid, Uint8Array.of(0x2b, 1));
  writer.wrap(TAG.sequence, mark);
  return decodeMessage(around([...writer.take()])).pdu.varbinds[0]?.value;
}

/** Reads octets and gives the error, which must be a BerError, or undefined. */
function refusal(datagram: Uint8Array): BerError | undefined {
  try {
    decodeMessage(datagram);
    return undefined;
  } catch (error) {
    if (error instanceof BerError) return error;
    throw error;
  }
}

describe('messages', () => {
  test('what is written is read back as it was', () => {
    fc.assert(fc.property(message, (sent) => void expect(decodeMessage(encodeMessage(sent))).toEqual(sent)));
  });

  test('every truncation is refused', () => {
    fc.assert(
      fc.property(message, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (sent, share) => {
        const whole = encodeMessage(sent);
        expect(refusal(whole.subarray(0, Math.floor(whole.length * share)))).toBeInstanceOf(BerError);
      }),
    );
  });

  test('octets behind the end are refused', () => {
    fc.assert(
      fc.property(message, fc.uint8Array({ minLength: 1, maxLength: 9 }), (sent, more) => {
        expect(refusal(Uint8Array.of(...encodeMessage(sent), ...more))).toBeInstanceOf(BerError);
      }),
    );
  });

  test('no mutation brings anything but a message or a BerError', () => {
    const mutation = fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(message, mutation, (sent, changes) => {
        const mutated = encodeMessage(sent);
        for (const [at, octet] of changes) mutated[at % mutated.length] = octet;
        refusal(mutated);
      }),
      { numRuns: 5_000 },
    );
  });

  test('no noise brings anything but a BerError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => void expect(refusal(noise)).toBeInstanceOf(BerError)),
    );
  });

  test.each([
    ['an indefinite length', [0x30, 0x80, 0, 0]],
    ['a length of 64 octets', [0x30, 0xc0, ...Array.from({ length: 64 }, () => 0), 0]],
    ['a length past the end', [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0]],
    ['a thousand nested sequences', [...Array.from({ length: 1_000 }, () => [0x30, 0x82, 0xff, 0xff])].flat()],
    ['nothing', []],
  ])('%s is refused', (_what, datagram) => {
    expect(refusal(Uint8Array.from(datagram))).toBeInstanceOf(BerError);
  });

  test.each([
    ['a SET', 0xa3],
    ['a v1 trap', 0xa4],
    ['an inform', 0xa6],
    ['a trap', 0xa7],
  ])('%s is refused: siteward neither sends nor takes it', (_what, tag) => {
    const datagram = around([]);
    datagram[datagram.indexOf(0xa2)] = tag;

    expect(refusal(datagram)?.message).toMatch(/not a PDU that is read here/);
  });

  test('ten thousand varbinds are read, and an empty list too', () => {
    const many = Array.from({ length: 5_000 }, () => [0x30, 5, 6, 1, 0x2b, 5, 0]).flat();

    expect(decodeMessage(around(many)).pdu.varbinds).toHaveLength(5_000);
    expect(decodeMessage(around([])).pdu.varbinds).toEqual([]);
  });

  test('a varbind without a value, with two values, or without a name is refused', () => {
    expect(refusal(around([0x30, 3, 6, 1, 0x2b]))).toBeInstanceOf(BerError);
    expect(refusal(around([0x30, 7, 6, 1, 0x2b, 5, 0, 5, 0]))).toBeInstanceOf(BerError);
    expect(refusal(around([0x30, 2, 5, 0]))).toBeInstanceOf(BerError);
  });

  test('lengths in more octets than needed are read, as some agents write them', () => {
    const long = around([0x30, 0x84, 0, 0, 0, 7, 6, 0x81, 1, 0x2b, 5, 0x81, 0]);

    expect(decodeMessage(long).pdu.varbinds).toEqual([{ oid: '1.3', value: { type: 'null' } }]);
  });

  test('a message that fits no datagram cannot be written, and the writer is usable after', () => {
    const value = { type: 'octet-string', value: new Uint8Array(MAX_MESSAGE_OCTETS) } as const;
    const large: CommunityMessage = {
      version: '2c',
      community: new Uint8Array(),
      pdu: { type: 'response', requestId: 1, errorStatus: 0, errorIndex: 0, varbinds: [{ oid: '1.3', value }] },
    };

    expect(() => encodeMessage(large)).toThrow(BerError);
    const small = { ...large, pdu: { ...large.pdu, varbinds: [] } };
    expect(decodeMessage(encodeMessage(small))).toEqual(small);
  });
});

describe('values', () => {
  test.each([
    ['INTEGER -1', TAG.integer, [0xff], { type: 'integer', value: -1 }],
    [
      'Counter32 with a leading zero',
      TAG.counter32,
      [0, 0xff, 0xff, 0xff, 0xff],
      { type: 'counter32', value: 0xffff_ffff },
    ],
    [
      'Counter32 without its leading zero',
      TAG.counter32,
      [0xff, 0xff, 0xff, 0xfe],
      { type: 'counter32', value: 0xffff_fffe },
    ],
    ['TimeTicks', TAG.timeticks, [1, 0], { type: 'timeticks', value: 256 }],
    ['obsolete UInteger32', TAG.uinteger32, [5], { type: 'gauge32', value: 5 }],
    [
      'Counter64 in nine octets',
      TAG.counter64,
      [0, ...Array.from({ length: 8 }, () => 0xff)],
      { type: 'counter64', value: 2n ** 64n - 1n },
    ],
    [
      'Counter64 in eight octets',
      TAG.counter64,
      Array.from({ length: 8 }, () => 0xff),
      { type: 'counter64', value: 2n ** 64n - 1n },
    ],
    ['IpAddress', TAG.ipAddress, [10, 0, 0, 255], { type: 'ip-address', value: '10.0.0.255' }],
    ['OID 2.999.3', TAG.oid, [0x88, 0x37, 3], { type: 'oid', value: '2.999.3' }],
    ['no such instance', TAG.noSuchInstance, [], { type: 'no-such-instance' }],
  ])('%s is read without loss', (_what, tag, content, value) => {
    expect(valueRead(tag, content)).toEqual(value);
  });

  test.each([
    ['a zero-length INTEGER', TAG.integer, []],
    ['an INTEGER of nine octets', TAG.integer, [1, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['an INTEGER that no number holds', TAG.integer, [0x7f, 0, 0, 0, 0, 0, 0, 1]],
    ['a Counter32 over 2^32', TAG.counter32, [1, 0, 0, 0, 0]],
    ['a negative Counter32', TAG.counter32, [0xff]],
    ['a negative Counter64', TAG.counter64, [0x80]],
    ['a Counter64 over 2^64', TAG.counter64, [1, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['an IpAddress of sixteen octets', TAG.ipAddress, Array.from({ length: 16 }, () => 1)],
    ['an empty OID', TAG.oid, []],
    ['an OID cut short', TAG.oid, [0x2b, 0x86]],
    ['an OID with a sub-identifier over 2^32', TAG.oid, [0x2b, 0x90, 0x80, 0x80, 0x80, 0]],
    ['an OID of 200 sub-identifiers', TAG.oid, Array.from({ length: 100 }, () => [1, 1]).flat()],
    ['a BOOLEAN', 1, [1]],
    ['an NsapAddress', 0x45, [1]],
  ])('%s is unreadable and keeps its place', (_what, tag, content) => {
    expect(valueRead(tag, content)).toEqual({ type: 'unreadable', tag });
  });

  test('integers agree with asn1-ber both ways', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const theirs = new Ber.Writer();
        theirs.writeInt(value);
        const ours = new BerWriter();
        ours.integer(value);
        const written = Buffer.from(ours.take());
        expect(written).toEqual(theirs.buffer);
        expect(new BerReader(theirs.buffer).int32()).toBe(value);
        expect(new Ber.Reader(written).readInt()).toBe(value);
      }),
    );
  });
});

describe('OIDs', () => {
  test('text becomes octets and text again', () => {
    fc.assert(fc.property(oid, (text) => void expect(decodeOid(encodeOid(text))).toBe(text)));
  });

  test('octets agree with asn1-ber, which knows nothing above 2.39', () => {
    const common = oid.filter((text) => !text.startsWith('2.') || Number(text.split('.')[1]) < 40);
    fc.assert(
      fc.property(common, (text) => {
        const theirs = new Ber.Writer();
        theirs.writeOID(text);
        expect(Buffer.from(encodeOid(text))).toEqual(theirs.buffer.subarray(2));
      }),
    );
  });

  test('the order of octets is the order of numbers', () => {
    const span = (text: string) => {
      const encoded = encodedOid(text);
      return { octets: encoded, from: 0, to: encoded.length };
    };
    fc.assert(
      fc.property(oid, oid, fc.array(subIdentifier, { maxLength: 3 }), fc.array(subIdentifier), (a, b, more, less) => {
        const below = (end: readonly number[]) => [a, ...end.slice(0, 3)].join('.');
        for (const [x, y, known] of [
          [a, b, 0],
          [below(more), a, 0],
          [below(more), a, span(a).to],
          [below(more), below(less), span(a).to],
        ] as const) {
          expect(isAfter(span(x), span(y), known)).toBe(compareOids(x, y) > 0);
        }
      }),
    );
  });

  test.each(['', '1', '1.', '.1.3', '1..3', '1.40', '3.1', '1.3.4294967296', '1.3.x', '1.3.-1', '1.3 ', '1.3.1e3'])(
    '%j is refused as text',
    (text) => {
      expect(() => encodeOid(text)).toThrow(BerError);
    },
  );

  test('128 sub-identifiers are the most', () => {
    const longest = ['1.3', ...Array.from({ length: 126 }, () => '1')].join('.');

    expect(decodeOid(encodeOid(longest))).toBe(longest);
    expect(() => encodeOid(`${longest}.1`)).toThrow(BerError);
  });

  test('the OID before has the asked one as its successor', () => {
    expect(oidBefore('1.3.6.1.2.1.1.3.0')).toBe('1.3.6.1.2.1.1.3');
    expect(oidBefore('1.3.6.1.4.1.9.9.13.1.3.1.3.1006')).toBe('1.3.6.1.4.1.9.9.13.1.3.1.3.1005');
  });
});
