import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Gate } from '#collectors/discovery/gate.ts';
import { ownBroadcasts } from '#collectors/discovery/own-network.ts';
import { contains, parseRange } from '#config/ranges.ts';

const gate = new Gate(
  [
    { range: parseRange('192.0.2.0/24'), exclude: [parseRange('192.0.2.128/25'), parseRange('198.51.100.7')] },
    { range: parseRange('198.51.100.0/28'), exclude: [] },
    { range: parseRange('2001:db8::/64'), exclude: [] },
  ],
  ['192.0.2.127'],
);

test('lets through what lies in a range and is excluded by none', () => {
  expect(gate.allow('192.0.2.1')).toBe('192.0.2.1');
  expect(gate.allow('2001:DB8:0::00A')).toBe('2001:db8::a');
});

test.each([
  ['outside', '203.0.113.1'],
  ['excluded', '192.0.2.200'],
  ['excluded by another range', '198.51.100.7'],
  ['the broadcast address of our own network', '192.0.2.127'],
  ['multicast', '224.0.0.251'],
  ['an option', '-oN'],
  ['an option behind an address', '192.0.2.1 -oN /tmp/x'],
  ['a name', 'printer.example'],
  ['an address with a zone', 'fe80::1%eth0'],
  ['an IPv4 address in IPv6 clothes', '::ffff:192.0.2.1'],
  ['octal', '0300.0.02.01'],
  ['nothing', ''],
])('stops what is %s', (_what, text) => {
  expect(gate.allow(text)).toBeUndefined();
});

test('stops a thousand hostile targets before anything is started with them', () => {
  const hostile = fc.oneof(
    fc.string(),
    fc
      .constantFrom('--script', ';reboot', '$(id)', '`id`', '|nc', '&&x', '\n192.0.2.1', '/etc/passwd')
      .chain((tail) => fc.constantFrom(`192.0.2.1${tail}`, `${tail}192.0.2.1`, `192.0.2.1 ${tail}`)),
  );
  fc.assert(
    fc.property(hostile, (text) => {
      const allowed = gate.allow(text);

      if (allowed !== undefined) expect(allowed).toMatch(/^[0-9a-f.:]+$/);
      if (/[^0-9A-Fa-f.:]/.test(text)) expect(allowed).toBeUndefined();
    }),
    { numRuns: 1_000 },
  );
});

test('whatever address it is asked about, it never lets one through that no range holds', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      const allowed = gate.allow(address);
      if (allowed !== undefined) expect(gate.ranges.some(({ range }) => contains(range, allowed))).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test("what is nobody's address on the own networks is known, and a line between two has none", () => {
  const ipv4 = (address: string, netmask: string) =>
    ({ address, netmask, family: 'IPv4', mac: '00:00:00:00:00:00', internal: false, cidr: null }) as const;

  expect([
    ...ownBroadcasts({
      lan: [ipv4('192.0.2.77', '255.255.255.192')],
      line: [ipv4('198.51.100.2', '255.255.255.254'), ipv4('203.0.113.9', '255.255.255.255')],
    }),
  ]).toEqual(['192.0.2.64', '192.0.2.127']);
});
