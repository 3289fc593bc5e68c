/** Ranges of addresses: read, compared, cut into slices. Pure; addresses are numbers here and texts everywhere else. */
import { isIP, isIPv4 } from 'node:net';
import { SitewardError } from './errors.ts';

export interface AddressRange {
  /** In its canonical form: `192.0.2.0/24`. */
  readonly text: string;
  readonly family: 4 | 6;
  readonly prefix: number;
  readonly first: bigint;
  readonly last: bigint;
}

/** Larger ranges of IPv4 are refused: a /16 takes an hour at the default rate, and no premises have more. */
export const SMALLEST_PREFIX = 16;
/** IPv6 networks cannot be swept; a range of up to this many addresses can. */
export const SWEPT_IPV6_PREFIX = 120;
/** A scan is cut into pieces of a /24, so that it can stop and go on. */
const SLICE = 256n;

const BITS = { 4: 32, 6: 128 } as const;

/**
 * Reads `192.0.2.0/24` or a single address. Bits past the prefix are taken as zero.
 * @throws SitewardError `BAD_RANGE`, or `RANGE_TOO_LARGE` for IPv4 above a /16
 */
export function parseRange(text: string): AddressRange {
  const range = readRange(text);
  if (!range)
    throw new SitewardError(
      'BAD_RANGE',
      `${JSON.stringify(shown(text))} is not a range of addresses`,
      'write 192.0.2.0/24, 2001:db8::/64 or a single address',
    );
  const fault = sizeFault(range, text);
  if (fault) throw new SitewardError('RANGE_TOO_LARGE', fault.message, fault.advice);
  return range;
}

/** The range, or undefined where the text is none. Says nothing about its size. */
export function readRange(text: string): AddressRange | undefined {
  const [base = '', bits, ...rest] = text.split('/');
  const family = isIP(base);
  if ((family !== 4 && family !== 6) || rest.length > 0 || base.includes('%')) return undefined;
  const most = BITS[family];
  if (bits !== undefined && !/^(0|[1-9]\d{0,2})$/.test(bits)) return undefined;
  const prefix = bits === undefined ? most : Number(bits);
  if (prefix > most) return undefined;
  const size = 1n << BigInt(most - prefix);
  const first = (addressNumber(base) / size) * size;
  return { text: `${addressText(first, family)}/${prefix}`, family, prefix, first, last: first + size - 1n };
}

/** Why a range is too large to be scanned, and what to write instead. */
export function sizeFault(
  range: AddressRange,
  written = range.text,
): { readonly message: string; readonly advice: string } | undefined {
  if (range.family === 6 || range.prefix >= SMALLEST_PREFIX) return undefined;
  const count = (range.last - range.first + 1n).toLocaleString('en');
  return {
    message: `${written} has ${count} addresses, which is more than a scan may cover`,
    advice: `write the networks that are in use, each a /${SMALLEST_PREFIX} or smaller, such as ${written.split('/')[0]}/24`,
  };
}

export function contains(range: AddressRange, address: string): boolean {
  const family = isIP(address);
  if (family !== range.family) return false;
  const number = addressNumber(address);
  return number >= range.first && number <= range.last;
}

/** Whether all of `inner` lies in `outer`. */
export function covers(outer: AddressRange, inner: AddressRange): boolean {
  return outer.family === inner.family && outer.first <= inner.first && outer.last >= inner.last;
}

export function overlaps(a: AddressRange, b: AddressRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** Whether each address of it can be asked. Devices of others are known from neighbour tables only. */
export function isSwept({ family, prefix }: AddressRange): boolean {
  return family === 4 || prefix >= SWEPT_IPV6_PREFIX;
}

/**
 * Pieces of at most a /24, in order. The first and last address of a range of a /24 or larger are left out: they are the
 * network's own address and its broadcast address, and asking the latter asks everybody.
 */
export function slices(range: AddressRange): readonly (readonly string[])[] {
  if (!isSwept(range)) return [];
  const edges = range.family === 4 && range.prefix <= 24;
  const pieces: string[][] = [];
  for (let start = range.first; start <= range.last; start += SLICE) {
    const piece: string[] = [];
    for (let number = start; number < start + SLICE && number <= range.last; number += 1n) {
      if (edges && (number === range.first || number === range.last)) continue;
      piece.push(addressText(number, range.family));
    }
    pieces.push(piece);
  }
  return pieces;
}

export function isLoopback(range: AddressRange): boolean {
  return covers(LOOPBACK_4, range) || (range.family === 6 && range.first === 1n && range.last === 1n);
}

/** The address in the one form in which all of siteward writes it, so that equal addresses are equal texts. */
export function canonicalAddress(address: string): string | undefined {
  const family = isIP(address);
  if ((family !== 4 && family !== 6) || address.includes('%')) return undefined;
  return addressText(addressNumber(address), family);
}

/** @param address one that `isIP` takes, without a zone */
export function addressNumber(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const tail = dotted?.[2] === undefined ? undefined : addressNumber(dotted[2]);
  const plain =
    tail === undefined ? address : `${dotted?.[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [left = '', right] = plain.split('::');
  const groups = (part: string | undefined) => (part ? part.split(':') : []);
  const head = groups(left);
  const foot = groups(right);
  const gap = right === undefined ? 0 : 8 - head.length - foot.length;
  const all = [...head, ...Array.from({ length: gap }, () => '0'), ...foot];
  return all.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

/** Canonical text; IPv6 by RFC 5952. */
export function addressText(number: bigint, family: 4 | 6): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => Number((number >> BigInt(112 - 16 * index)) & 0xffffn));
  const zeros = longestZeros(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (zeros.length < 2) return hex(groups);
  return `${hex(groups.slice(0, zeros.at))}::${hex(groups.slice(zeros.at + zeros.length))}`;
}

function longestZeros(groups: readonly number[]): { at: number; length: number } {
  let best = { at: 0, length: 0 };
  for (let at = 0; at < groups.length; at++) {
    let length = 0;
    while (groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
    at += length;
  }
  return best;
}

const LOOPBACK_4: AddressRange = {
  text: '127.0.0.0/8',
  family: 4,
  prefix: 8,
  first: 127n << 24n,
  last: (128n << 24n) - 1n,
};

function shown(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);
}
