/** How octets and texts become values: the decoders that a profile names by `decode`, `record` and `key`. */
import type { DECODERS } from '#config/profile.ts';
import { type Cell, numberOf, textOf } from './cell.ts';
import { saysNothing } from './text.ts';

export type Decoder = (typeof DECODERS)[number];

/** The value as `decoder` understands it; undefined where the octets are of another form. */
export function decode(cell: Cell, decoder: Decoder): Cell | undefined {
  switch (decoder) {
    case 'text': {
      const text = textOf(cell);
      return text === undefined || saysNothing(text) ? undefined : text;
    }
    case 'hex':
      return cell instanceof Uint8Array ? hex(cell) : undefined;
    case 'mac':
      return macAddress(cell);
    case 'number':
      return leadingNumber(cell);
    case 'integer': {
      const text = textOf(cell);
      return text !== undefined && /^\d{1,20}$/.test(text) ? numberOf(text) : undefined;
    }
    case 'date_and_time':
      return cell instanceof Uint8Array && looksBinaryDate(cell) ? dateAndTime(cell) : dateText(textOf(cell));
    case 'seconds':
      return durationText(textOf(cell));
    case 'float_opaque':
      return cell instanceof Uint8Array ? opaqueFloat(cell) : numberOf(cell);
    case 'float':
      return cell instanceof Uint8Array && cell.length === 4
        ? finite(new DataView(cell.buffer, cell.byteOffset, 4).getFloat32(0))
        : undefined;
    case 'unsigned':
      return cell instanceof Uint8Array ? unsignedNumber(cell) : undefined;
    case 'bits':
      return cell;
    default:
      return decoder satisfies never;
  }
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('hex');
}

/** `aa:bb:cc:dd:ee:ff` from six octets or from text in one of the usual spellings; the null and broadcast address is none. */
export function macAddress(cell: Cell): string | undefined {
  const digits =
    cell instanceof Uint8Array && cell.length === 6
      ? hex(cell)
      : (textOf(cell) ?? '').replace(/[\s.:-]/g, '').toLowerCase();
  if (!/^[0-9a-f]{12}$/.test(digits) || /^(0{12}|f{12})$/.test(digits)) return undefined;
  return digits.replace(/(..)(?=.)/g, '$1:');
}

/** The number at the start of a text such as `12.5 C`, `  -3 dBm`, `1,234 rpm`. */
function leadingNumber(cell: Cell): number | bigint | undefined {
  if (typeof cell === 'number' || typeof cell === 'bigint') return cell;
  const text = textOf(cell);
  const match =
    text === undefined ? undefined : /^[+-]?(?:\d{1,3}(?:,\d{3})+|\d{1,20})?(?:\.\d{1,20})?(?![\d.,]*\d)/.exec(text);
  return match?.[0] && /\d/.test(match[0]) ? numberOf(match[0].replaceAll(',', '')) : undefined;
}

function looksBinaryDate(octets: Uint8Array): boolean {
  return (
    (octets.length === 8 || octets.length === 11) &&
    (octets[2] ?? 0) >= 1 &&
    (octets[2] ?? 0) <= 12 &&
    (octets[0] ?? 0) < 0x20
  );
}

/** DateAndTime (RFC 2579): seconds since 1970; without a zone it is taken as UTC. */
function dateAndTime(octets: Uint8Array): number | undefined {
  const [high = 0, low = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = octets;
  const year = high * 256 + low;
  if (year < 1970 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  const local = Date.UTC(year, month - 1, day, hour, minute, Math.min(second, 59)) / 1000;
  if (octets.length < 11) return local;
  const offset = (octets[9] ?? 0) * 3600 + (octets[10] ?? 0) * 60;
  return String.fromCharCode(octets[8] ?? 0) === '-' ? local + offset : local - offset;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/**
 * A date that people and devices write: `2027-05-31`, `2027/05/31 23:59:59`, `31 May 2027`, `May 31 2027 23:59`,
 * `20270531`. `01/02/2027` could be two days and is none. Seconds since 1970; without a zone UTC.
 */
function dateText(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const clock = /(\d{1,2}):(\d{2})(?::(\d{2}))?/.exec(text);
  const time = clock ? Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0) : 0;
  const days = calendarDay(text);
  if (days === undefined || time >= 86_400 + 60) return undefined;
  const zone = /(?:[+-]\d{2}:?\d{2})$/.exec(text)?.[0].replace(':', '');
  const shift = zone === undefined || !clock ? 0 : (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3))) * 60;
  return days + time - (zone?.startsWith('-') ? -shift : shift);
}

function calendarDay(text: string): number | undefined {
  const iso = /\b(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?!\d)/.exec(text);
  if (iso) return utcDay(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const named =
    /\b(?:(\d{1,2})[\s-]+)?([A-Za-z]{3})[a-z]*[\s,-]+(?:(\d{1,2})(?:st|nd|rd|th)?[\s,-]+)?(?:\d{1,2}:\d{2}(?::\d{2})?\s+(?:[A-Z]{2,4}\s+)?)?(\d{4})\b/.exec(
      text,
    );
  const month = MONTHS.indexOf((named?.[2] ?? '').toLowerCase()) + 1;
  const day = Number(named?.[1] ?? named?.[3]);
  return named && month > 0 ? utcDay(Number(named[4]), month, day) : undefined;
}

function utcDay(year: number, month: number, day: number): number | undefined {
  if (!(year >= 1970 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= 31)) return undefined;
  return Date.UTC(year, month - 1, day) / 1000;
}

const UNITS: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 };

/** `12 days, 3:04:05`, `1d 2h 3m`, `3:04:05`, `90 min`, `0 days 1 hour`. A bare number is none: its unit is not known. */
function durationText(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const clock = /(\d{1,7}):(\d{2})(?::(\d{2}))?/.exec(text);
  let total = clock ? Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0) : 0;
  let found = clock !== null;
  for (const [, amount, unit] of text.matchAll(
    /(\d{1,9})\s*(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\b/gi,
  )) {
    total += Number(amount) * (UNITS[(unit ?? '')[0]?.toLowerCase() ?? ''] ?? 0);
    found = true;
  }
  return found ? total : undefined;
}

/** net-snmp's opaque float (9f 78 04 …) and double (9f 79 08 …), with or without the outer tag. */
function opaqueFloat(octets: Uint8Array): number | undefined {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const start = octets[0] === 0x44 ? 2 : 0;
  if (octets[start] !== 0x9f) return numberOf(octets) as number | undefined;
  const kind = octets[start + 1];
  const length = octets[start + 2];
  if (kind === 0x78 && length === 4 && octets.length >= start + 7) return finite(view.getFloat32(start + 3));
  if (kind === 0x79 && length === 8 && octets.length >= start + 11) return finite(view.getFloat64(start + 3));
  return undefined;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function unsignedNumber(octets: Uint8Array): number | bigint | undefined {
  if (octets.length === 0 || octets.length > 8) return undefined;
  const value = BigInt(`0x${hex(octets)}`);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/**
 * One value of Brother's packed records: each is an id, a type, a length and its octets, big-endian; ff ends them.
 * `ratio` divides the hundredths of a per cent that its life counters hold; where a record has two octets they are what
 * remains and what is full. Octets of any other form are none.
 */
export function packedRecord(cell: Cell, id: number, as: 'count' | 'ratio'): number | undefined {
  const octets = cell instanceof Uint8Array ? cell : undefined;
  if (!octets || octets.length < 7) return undefined;
  for (let at = 0; at + 2 < octets.length && octets[at] !== 0xff; ) {
    const length = octets[at + 2] ?? 0;
    const end = at + 3 + length;
    if (length === 0 || length > 8 || end > octets.length) return undefined;
    if (octets[at] === id) {
      const [first = 0, second = 0] = octets.subarray(at + 3, end);
      if (as === 'ratio' && length === 2) return second > 0 && first <= second ? first / second : undefined;
      const value = unsignedNumber(octets.subarray(at + 3, end));
      if (typeof value !== 'number' || value === 0xffff_ffff) return undefined;
      return as === 'count' ? value : value / 10_000;
    }
    at = end;
  }
  return undefined;
}

/** The value of one of the keys `MDL|MODEL` in `MFG:…;MDL:…;` (IEEE 1284 device id and the like). */
export function keyedValue(cell: Cell, keys: readonly string[]): string | undefined {
  const text = textOf(cell);
  if (text === undefined) return undefined;
  for (const key of keys) {
    for (const part of text.split(';')) {
      const colon = part.indexOf(':');
      if (colon < 0 || part.slice(0, colon).trim().toUpperCase() !== key.toUpperCase()) continue;
      const value = part.slice(colon + 1).trim();
      if (value !== '' && !saysNothing(value)) return value;
    }
  }
  return undefined;
}

/** Names of the bits that are set, numbered from the most significant bit of the first octet. Empty octets say nothing. */
export function namedBits(cell: Cell, names: readonly (readonly [number, string])[]): readonly string[] | undefined {
  if (!(cell instanceof Uint8Array) || cell.length === 0) return undefined;
  const set: string[] = [];
  for (const [bit, name] of names) if ((((cell[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1) set.push(name);
  return set;
}
