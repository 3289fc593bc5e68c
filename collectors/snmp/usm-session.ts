/**
 * SNMPv3 with the User-based Security Model (RFC 3412, RFC 3414). The engine's ID, boots and time are learnt once and
 * kept between polls; what the agent reports about them sets them right, so a restarted agent costs one more packet.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Clock, Monotonic, Target } from '#collectors/contract.ts';
import type { Credential } from '#config/schema.ts';
import { type PduView, writePdu } from './ber.ts';
import {
  agentAt,
  probablyWrongPrivacyKey,
  reported,
  SnmpError,
  silentTo,
  unknownContext,
  unknownReport,
} from './errors.ts';
import {
  type AuthProtocol,
  decrypt,
  digest,
  digestLength,
  encrypt,
  type KeyOf,
  type PrivacyProtocol,
} from './patches.ts';
import { FLAG, type SecuredView, scopedPduView, writeScopedFrame, writeSecured } from './secured-message.ts';
import { type Request, type RequestContext, requestPdu, type Session, type SessionOptions, waits } from './session.ts';
import { BerError, BerWriter } from './tlv.ts';
import type { Incoming, Verdict } from './transport.ts';

type UserCredential = Extract<Credential, { version: '3' }>;
type Level = 'no_auth_no_priv' | 'auth_no_priv' | 'auth_priv';

/** What we know of the authoritative engine. */
interface Engine {
  readonly id: Buffer;
  readonly boots: number;
  readonly time: number;
  readonly learntAt: Monotonic;
}

interface Security {
  readonly level: Level;
  readonly user: Uint8Array;
  readonly auth?: KeyOf<AuthProtocol>;
  readonly privacy?: KeyOf<PrivacyProtocol>;
  readonly context: Uint8Array;
}

const REPORT_NOT_IN_TIME_WINDOW = '1.3.6.1.6.3.15.1.1.2.0';
const REPORT_UNKNOWN_ENGINE_ID = '1.3.6.1.6.3.15.1.1.4.0';
const SYS_UP_TIME: Request = { type: 'get', names: ['1.3.6.1.2.1.1.3.0'] };
/** A request, its repetition after the engine ID was set right, and one after boots and time were. */
const MAX_ROUNDS = 3;
const NOTHING = new Uint8Array(0);

const FLAGS: Readonly<Record<Level, number>> = {
  no_auth_no_priv: 0,
  auth_no_priv: FLAG.auth,
  auth_priv: FLAG.auth | FLAG.priv,
};

const writer = new BerWriter();
const encoder = new TextEncoder();
const asBuffer = (octets: Uint8Array) => Buffer.from(octets.buffer, octets.byteOffset, octets.length);

interface Answer {
  readonly pdu: PduView;
  readonly engine: Engine;
}

export class UsmSession implements Session {
  readonly version = '3';
  readonly agent: string;
  readonly #target: Pick<Target, 'address' | 'snmpPort'>;
  readonly #credential: UserCredential;
  readonly #security: Security;
  readonly #options: SessionOptions;
  readonly #waits: readonly number[];
  #engine: Engine | undefined;
  /** Whether the last encrypted request was answered: then silence does not mean a wrong key. */
  #proven = false;

  constructor(target: Pick<Target, 'address' | 'snmpPort'>, credential: UserCredential, options: SessionOptions) {
    this.agent = agentAt(target.address, target.snmpPort);
    this.#target = target;
    this.#credential = credential;
    this.#security = securityOf(credential);
    this.#options = options;
    this.#waits = waits(options.patience);
  }

  async request(request: Request, context: RequestContext): Promise<PduView> {
    let refusal: SnmpError | undefined;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const isFresh = this.#engine === undefined;
      this.#engine ??= await this.#discover(context);
      const { pdu, engine } = await this.#askOrExplain(this.#engine, isFresh, request, context);
      if (pdu.type === 'response') {
        this.#engine = engine;
        this.#proven = true;
        return pdu;
      }
      const oid = pdu.count > 0 ? pdu.oid(0) : '';
      refusal = reported(this.agent, this.#credential.user, oid);
      if (oid !== REPORT_NOT_IN_TIME_WINDOW && oid !== REPORT_UNKNOWN_ENGINE_ID) break;
      this.#engine = engine;
    }
    throw refusal ?? unknownReport(this.agent);
  }

  /** RFC 3414, section 4: an empty request to an empty engine ID brings a report that names the engine. */
  async #discover(context: RequestContext): Promise<Engine> {
    const nobody: Security = { level: 'no_auth_no_priv', user: NOTHING, context: NOTHING };
    const nowhere: Engine = { id: Buffer.alloc(0), boots: 0, time: 0, learntAt: this.#options.clock.monotonicNow() };
    const { engine } = await this.#ask(nowhere, nobody, { type: 'get', names: [] }, context);
    return engine;
  }

  /**
   * Like `#ask`; when the user's request brings silence, finds out what is to blame: agents drop what they cannot decrypt
   * and what names an unknown context without a word.
   */
  async #askOrExplain(engine: Engine, isFresh: boolean, request: Request, context: RequestContext): Promise<Answer> {
    try {
      return await this.#ask(engine, this.#security, request, context);
    } catch (error) {
      if (!(error instanceof SnmpError) || error.code !== 'SNMP_TIMEOUT') throw error;
      const wasProven = this.#proven;
      this.#proven = false;
      if (wasProven) throw error;
      const { user } = this.#credential;
      const security = this.#security;
      const answers = (probe: Security) => this.#answers(engine, probe, { ...context, tries: 1 });
      if (security.level === 'auth_priv' && (await answers({ ...security, level: 'auth_no_priv' }))) {
        if (await answers(security)) throw error; // only that request was too much for it
        throw probablyWrongPrivacyKey(this.agent, user);
      }
      if (security.context.length > 0 && (await answers({ ...security, context: NOTHING }))) {
        throw unknownContext(this.agent, this.#credential.context);
      }
      this.#engine = undefined; // gone, or replaced by another engine: begin anew next time
      throw isFresh ? silentTo(this.agent, user, error) : error;
    }
  }

  async #answers(engine: Engine, security: Security, context: RequestContext): Promise<boolean> {
    try {
      await this.#ask(engine, security, SYS_UP_TIME, context);
      return true;
    } catch (error) {
      if (error instanceof SnmpError) return error.answered;
      throw error;
    }
  }

  async #ask(engine: Engine, security: Security, request: Request, context: RequestContext): Promise<Answer> {
    const { transport, clock } = this.#options;
    const { signal, cost, tries } = context;
    let id = 0;
    return await transport.ask<Answer>({
      version: '3',
      address: this.#target.address,
      port: this.#target.snmpPort,
      message: (drawn) => {
        id = drawn;
        return secure(engine, security, request, id, clock);
      },
      judge: (incoming, datagram) => judge(incoming, datagram, { engine, security, id, clock }),
      waits: this.#waits.slice(0, tries),
      signal,
      cost,
    });
  }
}

function securityOf(credential: UserCredential): Security {
  const { level, auth, privacy } = credential;
  return {
    level,
    user: encoder.encode(credential.user),
    context: encoder.encode(credential.context),
    ...(auth && level !== 'no_auth_no_priv' ? { auth: { protocol: auth.protocol, key: auth.key.reveal() } } : {}),
    ...(privacy && level === 'auth_priv' ? { privacy: { protocol: privacy.protocol, key: privacy.key.reveal() } } : {}),
  };
}

/** The whole message, encrypted and signed as the level asks. */
function secure(engine: Engine, security: Security, request: Request, id: number, clock: Clock): Uint8Array {
  const { level, user, auth, privacy, context } = security;
  const elapsed = Math.floor((clock.monotonicNow() - engine.learntAt) / 1000);
  const engineTime = Math.min(engine.time + elapsed, 0x7fff_ffff);

  writer.reset();
  const mark = writer.mark;
  writePdu(writer, requestPdu(request, id));
  writeScopedFrame(writer, engine.id, context, mark);
  let scopedPdu: Uint8Array = writer.take();
  let salt: Uint8Array = NOTHING;
  if (level === 'auth_priv' && auth && privacy) {
    const cipherEngine = { engineID: engine.id, engineBoots: engine.boots, engineTime };
    const encrypted = encrypt(asBuffer(scopedPdu), privacy, auth, cipherEngine);
    scopedPdu = encrypted.octets;
    salt = encrypted.salt;
  }

  const { octets, digestFrom } = writeSecured(writer, {
    msgId: id,
    flags: FLAGS[level] | FLAG.reportable,
    engineId: engine.id,
    engineBoots: engine.boots,
    engineTime,
    user,
    digestLength: auth && level !== 'no_auth_no_priv' ? digestLength(auth.protocol) : 0,
    salt,
    scopedPdu,
  });
  if (auth && level !== 'no_auth_no_priv') octets.set(digest(asBuffer(octets), auth, engine.id), digestFrom);
  return octets;
}

interface Expected {
  readonly engine: Engine;
  readonly security: Security;
  readonly id: number;
  readonly clock: Clock;
}

/**
 * RFC 3414, section 3.2. The time window is not looked at: its purpose is to stop replays, and no old message has the
 * id that was drawn for this request.
 */
function judge(incoming: Incoming, datagram: Buffer, { engine, security, id, clock }: Expected): Verdict<Answer> {
  if (incoming.version !== 3) return { drop: 'wrong_version' };
  const isSigned = (incoming.flags & FLAG.auth) !== 0;
  if (isSigned && !isGenuine(incoming, datagram, security)) return { drop: 'not_authentic' };
  const pdu = openScopedPdu(incoming, security);
  if (pdu === undefined) return { drop: 'malformed' };
  const learnt: Engine = {
    id: Buffer.from(incoming.engineId),
    boots: incoming.engineBoots,
    time: incoming.engineTime,
    learntAt: clock.monotonicNow(),
  };
  // A report may come unsigned, from an engine that does not know the user or that we do not know yet (section 3.2).
  if (pdu.type === 'report')
    return incoming.engineId.length > 0 ? { accept: { pdu, engine: learnt } } : { drop: 'malformed' };
  if (pdu.type !== 'response' || pdu.requestId !== id) return { drop: 'malformed' };
  const level = incoming.flags & (FLAG.auth | FLAG.priv);
  if (level !== FLAGS[security.level] || !engine.id.equals(incoming.engineId)) return { drop: 'not_authentic' };
  return { accept: { pdu, engine: learnt } };
}

function isGenuine(incoming: SecuredView, datagram: Buffer, { auth }: Security): boolean {
  const { digestFrom, digestTo } = incoming;
  if (!auth || digestTo - digestFrom !== digestLength(auth.protocol)) return false;
  const received = Buffer.from(datagram.subarray(digestFrom, digestTo));
  datagram.fill(0, digestFrom, digestTo);
  return timingSafeEqual(received, digest(datagram, auth, asBuffer(incoming.engineId)));
}

/** Undefined where it is no scoped PDU or cannot be decrypted to one. */
function openScopedPdu(incoming: SecuredView, { auth, privacy }: Security): PduView | undefined {
  try {
    if ((incoming.flags & FLAG.priv) === 0) return scopedPduView(incoming.scopedPdu);
    if (!auth || !privacy || incoming.salt.length !== 8) return undefined;
    const engine = {
      engineID: asBuffer(incoming.engineId),
      engineBoots: incoming.engineBoots,
      engineTime: incoming.engineTime,
    };
    return scopedPduView(decrypt(asBuffer(incoming.scopedPdu), asBuffer(incoming.salt), privacy, auth, engine));
  } catch (error) {
    if (error instanceof BerError || isCipherError(error)) return undefined;
    throw error;
  }
}

/** What OpenSSL throws when the octets are no whole number of blocks. */
function isCipherError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_OSSL');
}
