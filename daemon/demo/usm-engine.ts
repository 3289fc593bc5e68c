/** The agent's side of the User-based Security Model (RFC 3414) for one user, who must sign and encrypt. */
import { timingSafeEqual } from 'node:crypto';
import { type Pdu, writePdu } from '#collectors/snmp/ber.ts';
import {
  type AuthProtocol,
  type CipherEngine,
  decrypt,
  digest,
  digestLength,
  encrypt,
  type KeyOf,
  type PrivacyProtocol,
} from '#collectors/snmp/patches.ts';
import {
  FLAG,
  type SecuredView,
  scopedPduView,
  securedView,
  writeScopedFrame,
  writeSecured,
} from '#collectors/snmp/secured-message.ts';
import { BerError, BerReader, BerWriter, TAG } from '#collectors/snmp/tlv.ts';
import type { ObjectTree } from './object-tree.ts';

export interface AgentUser {
  readonly name: string;
  readonly auth: KeyOf<AuthProtocol>;
  readonly privacy: KeyOf<PrivacyProtocol>;
}

/** A message that was opened, or the report that its sender gets instead. */
export type Opened =
  | { readonly kind: 'request'; readonly pdu: Pdu; readonly seal: (pdu: Pdu) => Uint8Array }
  | { readonly kind: 'report'; readonly octets: Uint8Array };

/** SNMP-FRAMEWORK-MIB: snmpEngineID, snmpEngineBoots, snmpEngineTime. */
const ENGINE = {
  id: '1.3.6.1.6.3.10.2.1.1.0',
  boots: '1.3.6.1.6.3.10.2.1.2.0',
  time: '1.3.6.1.6.3.10.2.1.3.0',
} as const;
/** SNMP-USER-BASED-SM-MIB: what is reported, by the number of its counter. */
const REPORT = { level: 1, window: 2, user: 3, engine: 4, digest: 5, decryption: 6 } as const;
const TIME_WINDOW_SECONDS = 150;
const NOTHING = new Uint8Array(0);

export class UsmEngine {
  readonly #user: AgentUser;
  readonly #objects: ObjectTree;
  readonly #writer = new BerWriter();
  #reports = 0;

  /** @param objects what the agent says of its engine */
  constructor(user: AgentUser, objects: ObjectTree) {
    this.#user = user;
    this.#objects = objects;
  }

  /**
   * Opens a message by RFC 3414, section 3.2. Undefined when it is none of SNMPv3.
   * @throws BerError when it is damaged.
   */
  open(datagram: Buffer): Opened | undefined {
    const reader = new BerReader(datagram);
    reader.enter(TAG.sequence);
    if (reader.int32() !== 3) return undefined;
    const message = securedView(reader);
    const engine = this.#engine();
    if (!engine.engineID.equals(message.engineId)) return this.#report(message, REPORT.engine);
    if (!Buffer.from(this.#user.name).equals(message.user)) return this.#report(message, REPORT.user);
    if ((message.flags & FLAG.auth) === 0 || (message.flags & FLAG.priv) === 0)
      return this.#report(message, REPORT.level);
    if (!this.#isGenuine(message, datagram)) return this.#report(message, REPORT.digest);
    const late = Math.abs(message.engineTime - engine.engineTime) > TIME_WINDOW_SECONDS;
    if (message.engineBoots !== engine.engineBoots || late) return this.#report(message, REPORT.window, FLAG.auth);
    const pdu = this.#decrypted(message);
    if (!pdu) return this.#report(message, REPORT.decryption, FLAG.auth);
    return { kind: 'request', pdu, seal: (answer) => this.#seal(message.msgId, answer, FLAG.auth | FLAG.priv) };
  }

  #engine(): CipherEngine {
    const number = (oid: string) => Number(this.#objects.get(oid)?.value ?? 0);
    const id = this.#objects.get(ENGINE.id)?.value;
    return {
      engineID: Buffer.from(id instanceof Uint8Array ? id : NOTHING),
      engineBoots: number(ENGINE.boots),
      engineTime: number(ENGINE.time),
    };
  }

  #isGenuine({ digestFrom, digestTo, engineId }: SecuredView, datagram: Buffer): boolean {
    const { auth } = this.#user;
    if (digestTo - digestFrom !== digestLength(auth.protocol)) return false;
    const received = Buffer.from(datagram.subarray(digestFrom, digestTo));
    datagram.fill(0, digestFrom, digestTo);
    return timingSafeEqual(received, digest(datagram, auth, Buffer.from(engineId)));
  }

  #decrypted({ scopedPdu, salt, engineId, engineBoots, engineTime }: SecuredView): Pdu | undefined {
    // The sender's idea of our time is part of what it encrypted with (RFC 3826, section 3.1.2.1).
    const engine = { engineID: Buffer.from(engineId), engineBoots, engineTime };
    const { privacy, auth } = this.#user;
    try {
      return scopedPduView(decrypt(Buffer.from(scopedPdu), Buffer.from(salt), privacy, auth, engine)).toPdu();
    } catch (error) {
      // A wrong key gives garbage, or octets that no cipher takes.
      if (error instanceof BerError || (error instanceof Error && 'code' in error)) return undefined;
      throw error;
    }
  }

  #report(message: SecuredView, counter: number, flags = 0): Opened {
    this.#reports += 1;
    const value = { type: 'counter32', value: this.#reports } as const;
    const varbinds = [{ oid: `1.3.6.1.6.3.15.1.1.${counter}.0`, value }];
    const pdu: Pdu = { type: 'report', requestId: 0, errorStatus: 0, errorIndex: 0, varbinds };
    return { kind: 'report', octets: this.#seal(message.msgId, pdu, flags, message.user) };
  }

  #seal(msgId: number, pdu: Pdu, flags: number, user: Uint8Array = Buffer.from(this.#user.name)): Uint8Array {
    const { auth, privacy } = this.#user;
    const engine = this.#engine();
    this.#writer.reset();
    const mark = this.#writer.mark;
    writePdu(this.#writer, pdu);
    writeScopedFrame(this.#writer, engine.engineID, NOTHING, mark);
    const scopedPdu = this.#writer.take();
    const encrypted = flags & FLAG.priv ? encrypt(Buffer.from(scopedPdu), privacy, auth, engine) : undefined;
    const { octets, digestFrom } = writeSecured(this.#writer, {
      msgId,
      flags,
      engineId: engine.engineID,
      engineBoots: engine.engineBoots,
      engineTime: engine.engineTime,
      user,
      digestLength: flags & FLAG.auth ? digestLength(auth.protocol) : 0,
      salt: encrypted?.salt ?? NOTHING,
      scopedPdu: encrypted?.octets ?? scopedPdu,
    });
    if (flags & FLAG.auth) octets.set(digest(Buffer.from(octets), auth, engine.engineID), digestFrom);
    return octets;
  }
}
