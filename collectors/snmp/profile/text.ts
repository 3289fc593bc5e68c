/**
 * Octets of a device as text that people read. Devices send UTF-8, Latin-1, Shift-JIS and UTF-16, padded with NUL or
 * spaces, with line feeds and control characters in it, and words that mean "nothing".
 */

/** Longer labels are cut: they are read by people and kept for ever. */
const LONGEST_LABEL = 200;
/** Nothing after this many octets of a text is looked at. */
const LONGEST_TEXT = 4_096;

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** Made when it is first needed: its tables are half a megabyte, and most sites have no such device. */
let shiftJis: InstanceType<typeof TextDecoder> | undefined;
const latin = new TextDecoder('windows-1252');
/** Without the copy that a `Buffer` of the octets would be. */
const { latin1Slice } = Buffer.prototype;

/** Text without padding, control characters and doubled spaces; may be empty. */
export function decodeText(octets: Uint8Array): string {
  const ascii = plainAscii(octets);
  return ascii ?? tidy(decodeOctets(trimPadding(octets.subarray(0, LONGEST_TEXT))));
}

/** The common case at a fraction of the cost: printable ASCII, perhaps padded. Undefined when it is anything else. */
function plainAscii(octets: Uint8Array): string | undefined {
  let end = octets.length;
  while (end > 0 && (octets[end - 1] === 0 || octets[end - 1] === 0x20)) end -= 1;
  let start = 0;
  while (start < end && octets[start] === 0x20) start += 1;
  if (end - start > LONGEST_TEXT) return undefined;
  let space = false;
  for (let i = start; i < end; i += 1) {
    const octet = octets[i] ?? 0;
    if (octet < 0x20 || octet > 0x7e) return undefined;
    if (octet === 0x20 && space) return undefined;
    space = octet === 0x20;
  }
  // In one piece: put together sign by sign it would stay a chain of pieces.
  return latin1Slice.call(octets, start, end);
}

function trimPadding(octets: Uint8Array): Uint8Array {
  let end = octets.length;
  // One trailing NUL of UTF-16 belongs to its character: padding goes in pairs there.
  const wide = looksWide(octets);
  while (end > 0 && octets[end - 1] === 0 && (!wide || octets[end - 2] === 0)) end -= 1;
  return octets.subarray(0, end);
}

function decodeOctets(octets: Uint8Array): string {
  const wide = looksWide(octets);
  if (wide) return new TextDecoder(wide).decode(octets);
  try {
    return utf8.decode(octets);
  } catch {
    return looksJapanese(octets) ?? latin.decode(octets);
  }
}

/** UTF-16 by its mark, or by a zero in every other octet. */
function looksWide(octets: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (octets.length < 2) return undefined;
  if (octets[0] === 0xff && octets[1] === 0xfe) return 'utf-16le';
  if (octets[0] === 0xfe && octets[1] === 0xff) return 'utf-16be';
  if (octets.length < 6) return undefined;
  let even = 0;
  let odd = 0;
  let pairs = 0;
  for (let i = 0; i + 1 < octets.length; i += 2) {
    if (octets[i] === 0 && octets[i + 1] === 0) break;
    pairs += 1;
    if (octets[i] === 0) even += 1;
    if (octets[i + 1] === 0) odd += 1;
  }
  if (pairs < 3) return undefined;
  if (odd * 10 >= pairs * 8 && even === 0) return 'utf-16le';
  if (even * 10 >= pairs * 8 && odd === 0) return 'utf-16be';
  return undefined;
}

/** Shift-JIS only where it holds kana, or kanji and no Latin letters: `récupération` would else become kanji too. */
function looksJapanese(octets: Uint8Array): string | undefined {
  shiftJis ??= new TextDecoder('shift_jis', { fatal: true });
  try {
    const text = shiftJis.decode(octets);
    if (/[\u0080-\u009f\uff61-\uff9f]/u.test(text)) return undefined;
    const kana = /[\u3041-\u30ff]/u.test(text);
    return kana || (/[\u4e00-\u9fff]{2}/u.test(text) && !/[a-z]/iu.test(text)) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Text of any origin on one line, without control and format characters and doubled spaces. */
export function tidy(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\ufffd\uffff]+/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim();
}

/** A tidy text cut to the length of a label, never in the middle of a surrogate pair. */
export function labelText(text: string): string {
  if (text.length <= LONGEST_LABEL) return text;
  const cut = text.slice(0, LONGEST_LABEL);
  return (/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut).trimEnd();
}

const NOTHING = new Set([
  '',
  '-',
  '--',
  '---',
  '?',
  '.',
  'n/a',
  'na',
  'n.a.',
  'nil',
  'null',
  '(null)',
  '<null>',
  '(none)',
  'none',
  'unknown',
  'not available',
  'not applicable',
  'not specified',
  'not present',
  'not set',
  'not supported',
  'unspecified',
  'undefined',
  'invalid',
  'default string',
  'to be filled by o.e.m.',
  'to be filled by oem',
  'system serial number',
  'system product name',
  'no such instance',
  'no such object',
  '"n/a"',
  '""',
]);

const LONGEST_NOTHING = 32;

/** Whether a text is one of the ways in which devices say that they have nothing to say. */
export function saysNothing(text: string): boolean {
  return text.length <= LONGEST_NOTHING && NOTHING.has(text.trim().toLowerCase());
}

/** Whether a serial number is a placeholder: nothing, or all of one sign (zeros, X, dots). */
export function saysNoSerial(text: string): boolean {
  const plain = text.replace(/[\s.:_-]/g, '').toUpperCase();
  if (saysNothing(text) || plain === '') return true;
  return plain === '0' || /^(.)\1{2,}$/.test(plain);
}
