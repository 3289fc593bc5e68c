import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writePdu } from '#collectors/snmp/ber.ts';
import {
  FLAG,
  type SecuredFrame,
  type SecuredView,
  scopedPduView,
  securedView,
  writeScopedFrame,
  writeSecured,
} from '#collectors/snmp/secured-message.ts';
import { BerError, BerReader, BerWriter, TAG } from '#collectors/snmp/tlv.ts';

const writer = new BerWriter();

function scopedPdu(): Uint8Array {
  const mark = writer.mark;
  const varbinds = [{ oid: '1.3.6.1', value: { type: 'integer', value: 5 } as const }];
  writePdu(writer, { type: 'response', requestId: 77, errorStatus: 0, errorIndex: 0, varbinds });
  writeScopedFrame(writer, Uint8Array.of(1, 2, 3), new TextEncoder().encode('context'), mark);
  return writer.take();
}

const frame: fc.Arbitrary<SecuredFrame> = fc.record({
  msgId: fc.nat(0x7fff_ffff),
  flags: fc.constantFrom(0, 1, 3, 4, 5, 7),
  engineId: fc.uint8Array({ maxLength: 32 }),
  engineBoots: fc.nat(0x7fff_ffff),
  engineTime: fc.nat(0x7fff_ffff),
  user: fc.uint8Array({ maxLength: 32 }),
  digestLength: fc.constantFrom(0, 12, 16, 24, 32, 48),
  salt: fc.uint8Array({ maxLength: 8 }),
  scopedPdu: fc.constant(scopedPdu()),
});

function read(datagram: Uint8Array): SecuredView {
  const reader = new BerReader(datagram);
  reader.enter(TAG.sequence);
  expect(reader.int32()).toBe(3);
  return securedView(reader);
}

function refusal(datagram: Uint8Array): unknown {
  try {
    const reader = new BerReader(datagram);
    reader.enter(TAG.sequence);
    reader.int32();
    scopedPduView(securedView(reader).scopedPdu);
    return undefined;
  } catch (error) {
    if (error instanceof BerError) return error;
    throw error;
  }
}

describe('v3 messages', () => {
  test('what is written is read back, and the digest lies where it is said to', () => {
    fc.assert(
      fc.property(frame, (sent) => {
        const { octets, digestFrom } = writeSecured(writer, sent);
        const { scopedPdu: content, ...view } = read(octets);

        expect(view).toMatchObject({ msgId: sent.msgId, flags: sent.flags, engineBoots: sent.engineBoots });
        expect([view.engineId, view.user, view.salt, content]).toEqual([
          sent.engineId,
          sent.user,
          sent.salt,
          sent.scopedPdu,
        ]);
        expect([view.digestFrom, view.digestTo]).toEqual([digestFrom, digestFrom + sent.digestLength]);
      }),
    );
  });

  test('every truncation is refused, and no mutation throws anything but a BerError', () => {
    const change = fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(frame, change, fc.nat(2_000), (sent, changes, cut) => {
        const { octets } = writeSecured(writer, sent);
        expect(refusal(octets.subarray(0, cut % octets.length))).toBeInstanceOf(BerError);
        for (const [at, octet] of changes) octets[at % octets.length] = octet;
        refusal(octets);
      }),
      { numRuns: 3_000 },
    );
  });

  test('privacy without authentication is refused', () => {
    fc.assert(
      fc.property(frame, fc.constantFrom(2, 6), (sent, flags) => {
        expect(refusal(writeSecured(writer, { ...sent, flags }).octets)).toBeInstanceOf(BerError);
      }),
    );
  });

  test('a scoped PDU is read although DES left padding behind it', () => {
    const padded = Uint8Array.of(...scopedPdu(), 0, 0, 0, 0, 0);

    expect(scopedPduView(padded).varbinds()).toEqual([{ oid: '1.3.6.1', value: { type: 'integer', value: 5 } }]);
  });

  test('noise in place of a scoped PDU, as a wrong key gives it, is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (noise) => {
        const { octets } = writeSecured(writer, {
          msgId: 1,
          flags: FLAG.auth | FLAG.priv,
          engineId: Uint8Array.of(1),
          engineBoots: 1,
          engineTime: 1,
          user: new Uint8Array(),
          digestLength: 12,
          salt: new Uint8Array(8),
          scopedPdu: noise,
        });
        expect(() => scopedPduView(read(octets).scopedPdu)).toThrow(BerError);
      }),
    );
  });
});
