import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, keyedValue, macAddress, namedBits, packedRecord } from '#collectors/snmp/profile/decode.ts';
import { DECODERS } from '#config/profile.ts';

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
const utf8 = (text: string) => new TextEncoder().encode(text);

describe('numbers in texts', () => {
  test.each([
    ['12.5 C', 12.5],
    ['   12 %', 12],
    ['-3 dBm', -3],
    ['1,234 rpm', 1234],
    ['42', 42],
  ])('%j begins with %d', (text, expected) => {
    expect(decode(utf8(text), 'number')).toBe(expected);
  });

  test.each(['N/A', '', 'about 5', '1.2.3', '-'])('%j begins with no number', (text) => {
    expect(decode(utf8(text), 'number')).toBeUndefined();
  });

  test('an integer is digits and nothing else', () => {
    expect(decode(utf8('00123'), 'integer')).toBe(123);
    expect(decode(utf8('12 pages'), 'integer')).toBeUndefined();
    expect(decode(utf8('-5'), 'integer')).toBeUndefined();
  });
});

describe('dates', () => {
  test('DateAndTime with a zone is moved to UTC', () => {
    expect(decode(bytes('07ea 0b 18 0a 1e 00 00 2b 01 00'), 'date_and_time')).toBe(
      Date.UTC(2026, 10, 24, 9, 30) / 1000,
    );
    expect(decode(bytes('07ea 0b 18 0a 1e 00 00'), 'date_and_time')).toBe(Date.UTC(2026, 10, 24, 10, 30) / 1000);
  });

  test.each([
    ['2027-05-31', Date.UTC(2027, 4, 31)],
    ['2027/05/31 23:59:59', Date.UTC(2027, 4, 31, 23, 59, 59)],
    ['20270531', Date.UTC(2027, 4, 31)],
    ['31 May 2027', Date.UTC(2027, 4, 31)],
    ['May 31, 2027', Date.UTC(2027, 4, 31)],
    ['Mon May 31 23:59:59 2027', Date.UTC(2027, 4, 31, 23, 59, 59)],
    ['2027-05-31T10:00:00+02:00', Date.UTC(2027, 4, 31, 8)],
  ])('%j is a day', (text, expected) => {
    expect(decode(utf8(text), 'date_and_time')).toBe(expected / 1000);
  });

  test.each(['01/02/2027', 'never', '', '2027-13-01', 'perpetual'])(
    '%j is no day that all would read alike',
    (text) => {
      expect(decode(utf8(text), 'date_and_time')).toBeUndefined();
    },
  );
});

describe('durations', () => {
  test.each([
    ['12 days, 3:04:05', 12 * 86_400 + 3 * 3600 + 4 * 60 + 5],
    ['1d 2h 3m', 86_400 + 7_200 + 180],
    ['3:04:05', 3 * 3600 + 4 * 60 + 5],
    ['90 min', 5_400],
  ])('%j', (text, expected) => {
    expect(decode(utf8(text), 'seconds')).toBe(expected);
  });

  test('a bare number has no unit and is none', () => {
    expect(decode(utf8('90'), 'seconds')).toBeUndefined();
  });
});

describe('octets', () => {
  test('an opaque float is read with and without its outer tag', () => {
    expect(decode(bytes('9f7804 41480000'), 'float_opaque')).toBe(12.5);
    expect(decode(bytes('4407 9f7804 41480000'), 'float_opaque')).toBe(12.5);
    expect(decode(bytes('9f7804 7fc00000'), 'float_opaque')).toBeUndefined();
  });

  test('a bare float and an unsigned number are big-endian', () => {
    expect(decode(bytes('41480000'), 'float')).toBe(12.5);
    expect(decode(bytes('0100'), 'unsigned')).toBe(256);
    expect(decode(bytes('ffffffffffffffff'), 'unsigned')).toBe(18_446_744_073_709_551_615n);
    expect(decode(bytes(''), 'unsigned')).toBeUndefined();
  });

  test('a MAC address comes as octets or in any spelling; null and broadcast are none', () => {
    expect(macAddress(bytes('0011 22aa bbcc'))).toBe('00:11:22:aa:bb:cc');
    expect(macAddress(utf8('00-11-22-AA-BB-CC'))).toBe('00:11:22:aa:bb:cc');
    expect(macAddress(utf8('0011.22aa.bbcc'))).toBe('00:11:22:aa:bb:cc');
    expect(macAddress(bytes('000000000000'))).toBeUndefined();
    expect(macAddress(bytes('ffffffffffff'))).toBeUndefined();
    expect(macAddress(bytes('0011'))).toBeUndefined();
  });
});

describe('packed records', () => {
  const counters = bytes('00 01 04 000004d2  01 01 04 000003e8  41 01 04 000025e4 a1 01 02 04 14 ff');

  test('a count is found wherever it stands', () => {
    expect(packedRecord(counters, 0x00, 'count')).toBe(1234);
    expect(packedRecord(counters, 0x01, 'count')).toBe(1000);
    expect(packedRecord(counters, 0x02, 'count')).toBeUndefined();
  });

  test('a life is in hundredths of a per cent, or as remaining and full', () => {
    expect(packedRecord(counters, 0x41, 'ratio')).toBe(0.97);
    expect(packedRecord(counters, 0xa1, 'ratio')).toBe(0.2);
  });

  test('octets of another form are none', () => {
    expect(packedRecord(bytes('00 01 ff 0000'), 0, 'count')).toBeUndefined();
    expect(packedRecord(bytes('00 01 04 00'), 0, 'count')).toBeUndefined();
    expect(packedRecord('text', 0, 'count')).toBeUndefined();
  });
});

describe('keys and bits', () => {
  test('a key is found in any of its spellings', () => {
    const id = utf8('MFG:Acme;MODEL:P 100;SN:N/A;SERN:A1;');
    expect(keyedValue(id, ['MDL', 'MODEL'])).toBe('P 100');
    expect(keyedValue(id, ['SN', 'SERN'])).toBe('A1');
    expect(keyedValue(id, ['CMD'])).toBeUndefined();
  });

  test('bits are named from the most significant one; no octets say nothing', () => {
    const names = [
      [0, 'low_paper'],
      [2, 'low_toner'],
      [8, 'tray_missing'],
    ] as const;
    expect(namedBits(bytes('a080'), names)).toEqual(['low_paper', 'low_toner', 'tray_missing']);
    expect(namedBits(bytes('00'), names)).toEqual([]);
    expect(namedBits(bytes(''), names)).toBeUndefined();
    expect(namedBits(5, names)).toBeUndefined();
  });
});

test('no octets make a decoder throw or give a number that is none', () => {
  fc.assert(
    fc.property(fc.constantFrom(...DECODERS), fc.uint8Array({ maxLength: 24 }), fc.nat(255), (decoder, octets, id) => {
      const found = decode(octets, decoder);
      expect(typeof found !== 'number' || Number.isFinite(found)).toBe(true);
      expect(packedRecord(octets, id, 'ratio') ?? 0).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 500 },
  );
});
