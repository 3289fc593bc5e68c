import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addressNumber,
  addressText,
  canonicalAddress,
  contains,
  parseRange,
  readRange,
  slices,
} from '#config/ranges.ts';

test.each([
  ['-oN x', 'BAD_RANGE'],
  ['300.1.1.1', 'BAD_RANGE'],
  ['10.0.0.0/33', 'BAD_RANGE'],
  ['10.0.0.0/-1', 'BAD_RANGE'],
  ['10.0.0.0/24/24', 'BAD_RANGE'],
  ['router;reboot', 'BAD_RANGE'],
  ['$(reboot)', 'BAD_RANGE'],
  ['fe80::1%eth0', 'BAD_RANGE'],
  ['127.0.0.1 -oN /tmp/x', 'BAD_RANGE'],
  ['', 'BAD_RANGE'],
  ['10.0.0.0/2', 'RANGE_TOO_LARGE'],
  ['10.0.0.0/8', 'RANGE_TOO_LARGE'],
])('%s is refused as %s, with advice', (text, code) => {
  expect(() => parseRange(text)).toThrow(expect.objectContaining({ code, hint: expect.stringMatching(/write/) }));
});

test('bits past the prefix are taken as zero', () => {
  expect(parseRange('192.0.2.77/24').text).toBe('192.0.2.0/24');
});

describe('slices', () => {
  test('a /16 is cut into 256 pieces, without its own address and its broadcast', () => {
    const pieces = slices(parseRange('10.1.0.0/16'));

    expect(pieces).toHaveLength(256);
    expect(pieces.flat()).toHaveLength(65_534);
    expect(pieces[0]?.[0]).toBe('10.1.0.1');
    expect(pieces[1]?.[0]).toBe('10.1.1.0');
    expect(pieces.at(-1)?.at(-1)).toBe('10.1.255.254');
  });

  test('a part of a network is asked whole', () => {
    expect(slices(parseRange('192.0.2.32/30')).flat()).toEqual([
      '192.0.2.32',
      '192.0.2.33',
      '192.0.2.34',
      '192.0.2.35',
    ]);
    expect(slices(parseRange('192.0.2.9')).flat()).toEqual(['192.0.2.9']);
  });

  test('a network of IPv6 is not swept, a few addresses of it are', () => {
    expect(slices(parseRange('2001:db8::/64'))).toEqual([]);
    expect(slices(parseRange('2001:db8::10/127')).flat()).toEqual(['2001:db8::10', '2001:db8::11']);
  });
});

test('any address comes back from its number, in one form', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      if (isIP(address) === 0) return;
      const canonical = canonicalAddress(address);
      const family = isIP(address) === 4 ? 4 : 6;

      expect(isIP(canonical ?? '')).toBe(family);
      expect(canonical).toBe(addressText(addressNumber(address), family));
      expect(canonicalAddress(canonical ?? '')).toBe(canonical);
      // The URL parser of Node writes IPv6 by RFC 5952, too, but for addresses that embed one of IPv4.
      if (family === 6) expect(canonical).toBe(new URL(`http://[${address}]`).hostname.slice(1, -1));
    }),
  );
});

test('a range has its slices and nothing else', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 20, max: 32 }), fc.ipV4(), (base, prefix, other) => {
      const range = readRange(`${base}/${prefix}`);
      if (!range) throw new Error('no range');
      const all = new Set(slices(range).flat());

      for (const address of all) expect(contains(range, address)).toBe(true);
      if (all.has(other)) expect(contains(range, other)).toBe(true);
      expect(all.size).toBe(2 ** (32 - prefix) - (prefix <= 24 ? 2 : 0));
    }),
    { numRuns: 50 },
  );
});
