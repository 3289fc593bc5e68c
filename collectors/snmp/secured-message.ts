/** Frames of SNMPv3 messages (RFC 3412, section 6) with their USM parameters (RFC 3414, section 2.4). */
import { PduView } from './ber.ts';
import { BerError, BerReader, type BerWriter, MAX_MESSAGE_OCTETS, TAG } from './tlv.ts';

/** Bits of msgFlags. */
export const FLAG = { auth: 1, priv: 2, reportable: 4 } as const;
const USM = 3;
/** RFC 3411, section 5: SnmpEngineID. */
const MAX_ENGINE_ID = 32;

/** A v3 message whose frame is checked. The scoped PDU is still octets, perhaps encrypted ones. */
export interface SecuredView {
  readonly version: 3;
  readonly msgId: number;
  readonly flags: number;
  readonly engineId: Uint8Array;
  readonly engineBoots: number;
  readonly engineTime: number;
  readonly user: Uint8Array;
  /** msgAuthenticationParameters, where they lie in the datagram: they count as zero when the digest is made. */
  readonly digestFrom: number;
  readonly digestTo: number;
  readonly salt: Uint8Array;
  /** Encrypted content where `flags` has `priv`, else the whole TLV of the scoped PDU. */
  readonly scopedPdu: Uint8Array;
}

/**
 * Reads the rest of a message behind its version.
 * @throws BerError unless every frame is sound and the security model is USM.
 */
export function securedView(reader: BerReader): SecuredView {
  const header = reader.inner(TAG.sequence);
  const msgId = header.int32();
  header.int32(); // msgMaxSize: we send nothing large
  const flagOctets = header.bytes(TAG.octetString);
  const model = header.int32();
  const flags = flagOctets[0];
  if (flags === undefined || flagOctets.length !== 1 || model !== USM || header.at !== header.end) {
    throw new BerError('malformed header', header.at);
  }
  // RFC 3412, section 7.2: and nobody without a key should make us decrypt.
  if (flags & FLAG.priv && !(flags & FLAG.auth)) throw new BerError('privacy without authentication', header.at);
  const security = reader.inner(TAG.octetString);
  security.enter(TAG.sequence);
  const engineId = security.bytes(TAG.octetString);
  const engineBoots = security.int32();
  const engineTime = security.int32();
  const user = security.bytes(TAG.octetString);
  const digestTo = security.open(TAG.octetString);
  const digestFrom = security.at;
  security.at = digestTo;
  const salt = security.bytes(TAG.octetString);
  if (security.at !== security.end) throw new BerError('octets left over', security.at);
  if (engineId.length > MAX_ENGINE_ID || engineBoots < 0 || engineTime < 0) {
    throw new BerError('malformed engine', security.at);
  }
  const encrypted = (flags & FLAG.priv) !== 0;
  const from = reader.at;
  const to = reader.open(encrypted ? TAG.octetString : TAG.sequence);
  if (to !== reader.end) throw new BerError('octets left over', to);
  const scopedPdu = reader.octets.subarray(encrypted ? reader.at : from, to);
  return {
    version: 3,
    msgId,
    flags,
    engineId,
    engineBoots,
    engineTime,
    user,
    digestFrom,
    digestTo,
    salt,
    scopedPdu,
  };
}

/**
 * The PDU in a scoped PDU. DES leaves padding behind it, so what follows is not looked at.
 * @throws BerError when it is none, which is what a wrong key gives.
 */
export function scopedPduView(octets: Uint8Array): PduView {
  const scoped = new BerReader(octets).inner(TAG.sequence);
  scoped.bytes(TAG.octetString); // contextEngineID
  scoped.bytes(TAG.octetString); // contextName
  const pdu = new PduView(scoped);
  if (scoped.at !== scoped.end) throw new BerError('octets left over', scoped.at);
  return pdu;
}

/** Writes the frame of a scoped PDU around the PDU that was written since `mark`. */
export function writeScopedFrame(writer: BerWriter, engineId: Uint8Array, context: Uint8Array, mark: number): void {
  writer.bytes(TAG.octetString, context);
  writer.bytes(TAG.octetString, engineId);
  writer.wrap(TAG.sequence, mark);
}

export interface SecuredFrame {
  readonly msgId: number;
  readonly flags: number;
  readonly engineId: Uint8Array;
  readonly engineBoots: number;
  readonly engineTime: number;
  readonly user: Uint8Array;
  /** Octets to leave zero for the digest; 0 without authentication. */
  readonly digestLength: number;
  readonly salt: Uint8Array;
  /** As in {@link SecuredView}. */
  readonly scopedPdu: Uint8Array;
}

/** Writes a whole v3 message and says where the digest goes, counted from its start. */
export function writeSecured(
  writer: BerWriter,
  frame: SecuredFrame,
): { octets: Uint8Array<ArrayBuffer>; digestFrom: number } {
  const mark = writer.mark;
  if (frame.flags & FLAG.priv) writer.bytes(TAG.octetString, frame.scopedPdu);
  else writer.raw(frame.scopedPdu);

  const security = writer.mark;
  writer.bytes(TAG.octetString, frame.salt);
  const digestEnd = writer.mark;
  writer.bytes(TAG.octetString, new Uint8Array(frame.digestLength));
  writer.bytes(TAG.octetString, frame.user);
  writer.integer(frame.engineTime);
  writer.integer(frame.engineBoots);
  writer.bytes(TAG.octetString, frame.engineId);
  writer.wrap(TAG.sequence, security);
  writer.wrap(TAG.octetString, security);

  const header = writer.mark;
  writer.integer(USM);
  writer.bytes(TAG.octetString, Uint8Array.of(frame.flags));
  writer.integer(MAX_MESSAGE_OCTETS);
  writer.integer(frame.msgId);
  writer.wrap(TAG.sequence, header);
  writer.integer(3);
  writer.wrap(TAG.sequence, mark);
  const digestFrom = digestEnd - frame.digestLength - writer.mark;
  return { octets: writer.take(), digestFrom };
}
