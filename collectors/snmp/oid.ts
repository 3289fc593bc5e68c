/** OIDs as text and as the content octets of their TLV. Walks compare octets and make text only of what they keep. */
import type { Oid } from './agent.ts';
import { BerError } from './tlv.ts';

/** RFC 2578, section 3.5. */
const MAX_SUB_IDENTIFIERS = 128;
const MAX_SUB_IDENTIFIER = 0xffff_ffff;

/** Whether the octets are a well-formed, minimally encoded OID within the caps of RFC 2578. */
export function isOid(octets: Uint8Array, start: number, end: number): boolean {
  let count = 1; // the first octet stands for two
  let value = 0;
  let fresh = true;
  for (let i = start; i < end; i++) {
    const octet = octets[i] as number;
    if (fresh && octet === 0x80) return false;
    value = value * 128 + (octet & 0x7f);
    fresh = octet < 0x80;
    if (!fresh) continue;
    if (value > MAX_SUB_IDENTIFIER || ++count > MAX_SUB_IDENTIFIERS) return false;
    value = 0;
  }
  return end > start && fresh;
}

/** Sub-identifiers from `start`, each with a leading dot. The octets must have passed {@link isOid}. */
export function dotted(octets: Uint8Array, start: number, end: number): string {
  let text = '';
  let value = 0;
  for (let i = start; i < end; i++) {
    const octet = octets[i] as number;
    value = value * 128 + (octet & 0x7f);
    if (octet > 0x7f) continue;
    text += `.${value}`;
    value = 0;
  }
  return text;
}

/** The text of octets that passed {@link isOid}. */
export function oidText(octets: Uint8Array, start: number, end: number): Oid {
  let at = start;
  let first = 0;
  let octet: number;
  do {
    octet = octets[at++] as number;
    first = first * 128 + (octet & 0x7f);
  } while (octet > 0x7f);
  const root = Math.min(2, Math.floor(first / 40));
  return `${root}.${first - root * 40}${dotted(octets, at, end)}`;
}

/**
 * The text of an OID from its content octets (without tag and length).
 * @throws BerError when they are no OID.
 */
export function decodeOid(octets: Uint8Array): Oid {
  if (!isOid(octets, 0, octets.length)) throw new BerError('malformed OID', 0);
  return oidText(octets, 0, octets.length);
}

/**
 * The content octets (without tag and length) of an OID.
 * @throws BerError when the text is no OID of at least two sub-identifiers.
 */
export function encodeOid(oid: Oid): Uint8Array {
  const octets: number[] = [];
  let count = 0;
  let root = 0;
  let value = -1; // no digit yet
  for (let i = 0; i <= oid.length; i++) {
    const digit = oid.charCodeAt(i) - 48; // NaN behind the end
    if (digit >= 0 && digit <= 9) {
      value = Math.max(value, 0) * 10 + digit;
      continue;
    }
    const sound = value >= 0 && value <= MAX_SUB_IDENTIFIER && (i === oid.length || oid[i] === '.');
    if (!sound || ++count > MAX_SUB_IDENTIFIERS) throw new BerError(`${oid} is not an OID`, i);
    if (count === 1) root = value;
    else if (count > 2) putSubIdentifier(octets, value);
    else if (root < 2 ? value < 40 : root === 2 && value + 80 <= MAX_SUB_IDENTIFIER) {
      putSubIdentifier(octets, root * 40 + value); // the first octet stands for two (X.690, 8.19.4)
    } else throw new BerError(`${oid} is not an OID`, i);
    value = -1;
  }
  if (count < 2) throw new BerError(`${oid} is not an OID`, oid.length);
  return Uint8Array.from(octets);
}

const MAX_KEPT = 8_192;

/** Keeps what was made of OIDs that are asked again and again. It is shared: do not change it. */
function keeping<T>(make: (oid: Oid) => T): (oid: Oid) => T {
  const kept = new Map<Oid, T>();
  return (oid) => {
    let made = kept.get(oid);
    if (made === undefined) {
      made = make(oid);
      if (kept.size >= MAX_KEPT) kept.clear();
      kept.set(oid, made);
    }
    return made;
  };
}

/** Like {@link encodeOid}; the octets are shared: do not change them. */
export const encodedOid = keeping(encodeOid);
/** {@link oidBefore} encoded; the octets are shared: do not change them. */
export const encodedOidBefore = keeping((oid) => encodeOid(oidBefore(oid)));
/** The entry of the table that a column belongs to: an inventory and a poll ask other columns of it. */
export const entryOf = keeping((column) => column.slice(0, column.lastIndexOf('.')));

/** An OID that has `oid` as its GETNEXT successor, unless the agent has objects below it, which no instance has. */
export function oidBefore(oid: Oid): Oid {
  const dot = oid.lastIndexOf('.');
  const last = Number(oid.slice(dot + 1));
  return last === 0 ? oid.slice(0, dot) : `${oid.slice(0, dot)}.${last - 1}`;
}

function putSubIdentifier(octets: number[], value: number): void {
  if (value >= 0x1000_0000) octets.push((value >>> 28) | 0x80);
  if (value >= 0x20_0000) octets.push(((value >>> 21) & 0x7f) | 0x80);
  if (value >= 0x4000) octets.push(((value >>> 14) & 0x7f) | 0x80);
  if (value >= 0x80) octets.push(((value >>> 7) & 0x7f) | 0x80);
  octets.push(value & 0x7f);
}

/**
 * The names whose last sub-identifier is 1, 2, … `count` larger; fewer where it would grow too large. The octets must have
 * passed {@link isOid}.
 */
export function namesAfter({ octets, from, to }: OidSpan, count: number): readonly Uint8Array[] {
  let start = to - 1;
  while (start > from && (octets[start - 1] as number) > 0x7f) start -= 1;
  const last = subIdentifier({ octets, from: start, to }, 0);
  const names: Uint8Array[] = [];
  for (let step = 1; step <= count && last + step <= MAX_SUB_IDENTIFIER; step += 1) {
    const name = Array.from(octets.subarray(from, start));
    putSubIdentifier(name, last + step);
    names.push(Uint8Array.from(name));
  }
  return names;
}

/** A stretch of octets that is the content of an OID. */
export interface OidSpan {
  octets: Uint8Array;
  from: number;
  to: number;
}

/**
 * Texts of row indexes. The columns of a row come one after the other: all but the first of them have the index of the one
 * before, and share its text.
 */
export class IndexTexts {
  readonly #last: OidSpan = { octets: new Uint8Array(0), from: 0, to: 0 };
  #text = '';

  /** What follows the first `root` octets of a name: `1.3` of `root.1.3`. */
  of({ octets, from, to }: OidSpan, root: number): string {
    const start = from + root;
    const last = this.#last;
    let same = to - start === last.to - last.from;
    for (let i = start, j = last.from; same && i < to; i++, j++) same = octets[i] === last.octets[j];
    if (!same) this.#text = indexText(octets, start, to);
    last.octets = octets;
    last.from = start;
    last.to = to;
    return this.#text;
  }
}

function indexText(octets: Uint8Array, start: number, end: number): string {
  // Most indexes are one small number, whose text exists already.
  return end - start === 1 ? String(octets[start]) : dotted(octets, start, end).slice(1);
}

/**
 * Whether `a` comes after `b` in the order of sub-identifiers, not of octets: 16383 is FF 7F, 16384 is 81 80 00.
 * @param known length of an OID that both are known to begin with
 */
export function isAfter(a: OidSpan, b: OidSpan, known = 0): boolean {
  const common = Math.min(a.to - a.from, b.to - b.from);
  let start = known;
  for (let i = known; i < common; i++) {
    const octet = a.octets[a.from + i] as number;
    if (octet !== b.octets[b.from + i]) return subIdentifier(a, start) > subIdentifier(b, start);
    if (octet < 0x80) start = i + 1;
  }
  return a.to - a.from > b.to - b.from;
}

function subIdentifier({ octets, from, to }: OidSpan, start: number): number {
  let value = 0;
  for (let i = from + start; i < to; i++) {
    const octet = octets[i] as number;
    value = value * 128 + (octet & 0x7f);
    if (octet < 0x80) break;
  }
  return value;
}
