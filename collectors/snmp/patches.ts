/**
 * The only importer of net-snmp, and its repairs. What is taken from it is the cryptography of the User-based Security
 * Model (RFC 3414, RFC 3826, RFC 7860, and the two key extensions of AES-256). Messages are framed by `ber.ts` and
 * `secured-message.ts`: the library reads them with losses (OIDs below 2, types it does not know, counters that are too
 * wide) and lets a forged reply cancel a request.
 *
 * A test says for each repair when a new release of net-snmp makes it void.
 */
import { createCipheriv, createDecipheriv, createHash, hash, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import type Snmp from 'net-snmp';

/** The library hands passwords on untouched: as an object, one can be recognised without looking into it. */
type Password = string | Buffer | KeyOf<string>;

/** The authoritative engine as the ciphers want it. */
export interface CipherEngine {
  readonly engineID: Buffer;
  readonly engineBoots: number;
  readonly engineTime: number;
}

/** What is used of the library; its published types leave some of it out. @internal */
export interface Library {
  readonly Authentication: {
    readonly algorithms: Readonly<Record<number, { readonly CRYPTO_ALGORITHM: string }>>;
    passwordToKey(protocol: number, password: Password, engineId: Buffer): Buffer;
    calculateDigest(message: Buffer, protocol: number, password: Password, engineId: Buffer): Buffer;
    getParametersLength(protocol: number): number;
  };
  readonly Encryption: {
    readonly algorithms: Readonly<Record<number, Cipher>>;
  };
}
/** A cipher's own two functions: the dispatchers of `Encryption` find them by protocol. */
interface Cipher {
  encryptPdu(
    scopedPdu: Buffer,
    protocol: number,
    password: Password,
    authProtocol: number,
    engine: CipherEngine,
  ): { readonly encryptedPdu: Buffer; readonly msgPrivacyParameters: Buffer };
  decryptPdu(
    octets: Buffer,
    protocol: number,
    salt: Buffer,
    password: Password,
    authProtocol: number,
    engine: CipherEngine,
  ): Buffer;
}

/** RFC 3414, section 2.6: a key is made from one megabyte of the repeated password. */
const STRETCHED_OCTETS = 1_048_576;
/** With Cisco's key extension there is one per device, else one per password. */
const MAX_STRETCHED = 20_000;

interface Localized {
  readonly protocol: number;
  readonly engineId: Buffer;
  readonly key: Buffer;
}

/**
 * Keeps what takes time: hashing a megabyte, 2 to 8 ms on the event loop, once per password and not per engine. What is
 * made of it for an engine stays as long as the session that asks for it. The library keeps every key for ever, under
 * the clear password and for each engine anew.
 * @internal
 */
export class KeyCache {
  /** The last key that was made from a password that came as an object: a session has one engine. */
  readonly #localized = new WeakMap<object, Localized>();
  readonly #salt = randomBytes(16).toString('latin1');
  readonly #kept = new Map<string, Buffer>();
  readonly #limit: number;

  constructor(limit = MAX_STRETCHED) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** The key of a password for an engine (RFC 3414, section 2.6), by a hash that node:crypto knows. */
  localize(algorithm: string, protocol: number, password: Password, engineId: Buffer): Buffer {
    const known = typeof password === 'object' ? this.#localized.get(password) : undefined;
    if (known?.protocol === protocol && known.engineId.equals(engineId)) return known.key;
    const isText = typeof password === 'string' || Buffer.isBuffer(password);
    const stretched = this.stretch(algorithm, isText ? password : password.key);
    const key = createHash(algorithm).update(stretched).update(engineId).update(stretched).digest();
    if (typeof password === 'object') this.#localized.set(password, { protocol, engineId: Buffer.from(engineId), key });
    return key;
  }

  /** Digest of the stretched password. */
  stretch(algorithm: string, password: string | Buffer): Buffer {
    const name = hash('sha256', `${this.#salt}${algorithm}\0${password.toString('latin1')}`, 'base64');
    const known = this.#kept.get(name);
    if (known) {
      this.#kept.delete(name); // to the end: the one unused for longest goes first
      this.#kept.set(name, known);
      return known;
    }
    const digest = createHash(algorithm).update(Buffer.alloc(STRETCHED_OCTETS, password)).digest();
    const oldest = this.#kept.size >= this.#limit ? this.#kept.keys().next().value : undefined;
    if (oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(name, digest);
    return digest;
  }
}

/** The library's number of it. */
const DES = 2;
const DES_KEY = 8;
const DES_BLOCK = 8;

/** OpenSSL 3 has no single DES outside its legacy provider; triple DES with three equal keys is the same cipher. */
const desKey = (localized: Buffer) => Buffer.concat(Array.from({ length: 3 }, () => localized.subarray(0, DES_KEY)));

/** RFC 3414, section 8.1.1.1: the salt goes over the second half of the localized key. */
function desIv(localized: Buffer, salt: Uint8Array): Buffer {
  const iv = Buffer.from(localized.subarray(DES_KEY, DES_KEY + DES_BLOCK));
  for (let i = 0; i < DES_BLOCK; i++) iv[i] = (iv[i] as number) ^ (salt[i] as number);
  return iv;
}

/** Applies the repairs to a loaded copy of the library. @internal */
export function repair({ Authentication: authentication, Encryption: encryption }: Library, keys: KeyCache): void {
  authentication.passwordToKey = (protocol, password, engineId) => {
    const algorithm = authentication.algorithms[protocol]?.CRYPTO_ALGORITHM;
    if (algorithm === undefined) throw new TypeError(`no authentication protocol ${protocol}`);
    return keys.localize(algorithm, protocol, password, engineId);
  };

  const des = encryption.algorithms[DES];
  if (des === undefined) throw new TypeError('net-snmp has no DES to repair');
  des.encryptPdu = (scopedPdu, _protocol, password, authProtocol, engine) => {
    const localized = authentication.passwordToKey(authProtocol, password, engine.engineID);
    const salt = Buffer.alloc(DES_BLOCK);
    salt.writeUInt32BE(engine.engineBoots);
    randomBytes(4).copy(salt, 4);
    const padded = Buffer.alloc(Math.ceil(scopedPdu.length / DES_BLOCK) * DES_BLOCK);
    scopedPdu.copy(padded);
    const cipher = createCipheriv('des-ede3-cbc', desKey(localized), desIv(localized, salt)).setAutoPadding(false);
    return { encryptedPdu: Buffer.concat([cipher.update(padded), cipher.final()]), msgPrivacyParameters: salt };
  };
  des.decryptPdu = (encryptedPdu, _protocol, salt, password, authProtocol, engine) => {
    const localized = authentication.passwordToKey(authProtocol, password, engine.engineID);
    const decipher = createDecipheriv('des-ede3-cbc', desKey(localized), desIv(localized, salt)).setAutoPadding(false);
    return Buffer.concat([decipher.update(encryptedPdu), decipher.final()]);
  };
}

/** The library, loaded for the first user of SNMPv3. */
function load(): typeof Snmp & Library {
  return createRequire(import.meta.url)('net-snmp');
}

interface Protocols {
  readonly library: Library;
  readonly auth: Readonly<Record<AuthProtocol, number>>;
  readonly privacy: Readonly<Record<PrivacyProtocol, number>>;
}

let loaded: Protocols | undefined;

function protocols(): Protocols {
  if (loaded) return loaded;
  const library = load();
  repair(library, new KeyCache());
  const { md5, sha, sha224, sha256, sha384, sha512 } = library.AuthProtocols;
  const { des, aes, aes256b, aes256r } = library.PrivProtocols;
  loaded = {
    library,
    auth: { md5, sha, sha224, sha256, sha384, sha512 },
    // Blumenthal's extension is what most agents call AES-256; Reeder's is Cisco's.
    privacy: { des, aes128: aes, aes256: aes256b, aes256_cisco: aes256r },
  };
  return loaded;
}

export type AuthProtocol = 'md5' | 'sha' | 'sha224' | 'sha256' | 'sha384' | 'sha512';
export type PrivacyProtocol = 'des' | 'aes128' | 'aes256' | 'aes256_cisco';

/** A protocol and its password, revealed. */
export interface KeyOf<Protocol> {
  readonly protocol: Protocol;
  readonly key: string;
}

/** Octets of msgAuthenticationParameters. */
export function digestLength(protocol: AuthProtocol): number {
  const { library, auth } = protocols();
  return library.Authentication.getParametersLength(auth[protocol]);
}

/** The digest of a whole message whose msgAuthenticationParameters are zero. */
export function digest(message: Buffer, auth: KeyOf<AuthProtocol>, engineId: Buffer): Buffer {
  const { library, auth: numbers } = protocols();
  return library.Authentication.calculateDigest(message, numbers[auth.protocol], auth, engineId);
}

function cipherOf(protocol: PrivacyProtocol): Cipher {
  const { library, privacy } = protocols();
  const cipher = library.Encryption.algorithms[privacy[protocol]];
  if (cipher === undefined) throw new TypeError(`net-snmp has no cipher ${protocol}`);
  return cipher;
}

/** The encrypted scoped PDU and its msgPrivacyParameters. */
export function encrypt(
  scopedPdu: Buffer,
  privacy: KeyOf<PrivacyProtocol>,
  auth: KeyOf<AuthProtocol>,
  engine: CipherEngine,
): { readonly octets: Buffer; readonly salt: Buffer } {
  const numbers = protocols();
  const { protocol } = privacy;
  const cipher = cipherOf(protocol);
  const done = cipher.encryptPdu(scopedPdu, numbers.privacy[protocol], privacy, numbers.auth[auth.protocol], engine);
  return { octets: done.encryptedPdu, salt: done.msgPrivacyParameters };
}

/**
 * The scoped PDU, with DES followed by padding.
 * @throws Error when the cipher cannot: octets that are no whole number of blocks. A wrong key gives garbage instead.
 */
export function decrypt(
  octets: Buffer,
  salt: Buffer,
  privacy: KeyOf<PrivacyProtocol>,
  auth: KeyOf<AuthProtocol>,
  engine: CipherEngine,
): Buffer {
  const numbers = protocols();
  const { protocol } = privacy;
  const cipher = cipherOf(protocol);
  return cipher.decryptPdu(octets, numbers.privacy[protocol], salt, privacy, numbers.auth[auth.protocol], engine);
}
