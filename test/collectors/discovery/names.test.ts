import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { ptrQuery, ptrRecords, reverseName } from '#collectors/discovery/dns-message.ts';
import { type AllowedAddress, Gate } from '#collectors/discovery/gate.ts';
import { nameHints } from '#collectors/discovery/names.ts';
import { parseRange } from '#config/ranges.ts';
import { systemClock } from '#daemon/clock.ts';
import { forever } from '../../support/snmp.ts';

function name(text: string): Buffer {
  const labels = text
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

/** A response with these PTR records, and the query's id. */
function response(id: number, records: readonly (readonly [string, string])[]): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x8400, 2);
  header.writeUInt16BE(records.length, 6);
  const bodies = records.map(([from, to]) => {
    const fixed = Buffer.alloc(10);
    fixed.writeUInt16BE(12, 0);
    fixed.writeUInt16BE(1, 2);
    fixed.writeUInt16BE(name(to).length, 8);
    return Buffer.concat([name(from), fixed, name(to)]);
  });
  return Buffer.concat([header, ...bodies]);
}

test('reads what it asked for and nothing of another query', () => {
  const message = response(7, [['9.2.0.192.in-addr.arpa', 'copier.local']]);

  expect(ptrRecords(message, 7)).toEqual([{ name: '9.2.0.192.in-addr.arpa', target: 'copier.local' }]);
  expect(ptrRecords(message, 8)).toBeUndefined();
  expect(ptrRecords(ptrQuery(7, ['x.local']), 7)).toBeUndefined();
});

test('a pointer that turns in a circle ends the name, not the process', () => {
  const circle = Buffer.concat([response(7, []), Buffer.from([0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 0, 0, 2, 0xc0, 12])]);
  circle.writeUInt16BE(1, 6);

  expect(ptrRecords(circle, 7)).toEqual([]);
});

test('any octets are read in bounded time, as names or as nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (octets) => {
      const message = Buffer.from(octets);
      if (message.length > 3) message.writeUInt16BE(7, 0);
      for (const record of ptrRecords(message, 7) ?? []) expect(record.target.length).toBeLessThan(5_000);
    }),
    { numRuns: 3_000 },
  );
});

test('takes names from the device that was asked, as hints, and no more than it can show', async () => {
  const address = '127.18.0.5' as AllowedAddress;
  const device = createSocket('udp4');
  const stranger = createSocket('udp4');
  onTestFinished(() => {
    device.close();
    stranger.close();
  });
  device.bind(0, address);
  stranger.bind(0, '127.18.0.6');
  await Promise.all([once(device, 'listening'), once(stranger, 'listening')]);
  device.on('message', (query, source) => {
    const id = query.readUInt16BE(0);
    const reverse = reverseName(address);
    stranger.send(response(id, [[reverse, 'liar.local']]), source.port, source.address);
    device.send(response(id, [[reverse, '<script>.local']]), source.port, source.address);
    device.send(
      response(id, [
        [reverse, 'copier-2f.local'],
        ['_ipp._tcp.local', 'Copier 2nd floor._ipp._tcp.local'],
        ['9.9.9.9.in-addr.arpa', 'somebody-else.local'],
      ]),
      source.port,
      source.address,
    );
    for (let n = 0; n < 40; n++)
      device.send(
        response(
          id,
          Array.from({ length: 60 }, (_, m) => [reverse, `flood-${n}-${m}.local`]),
        ),
        source.port,
        source.address,
      );
  });
  const gate = new Gate([{ range: parseRange('127.18.0.0/24'), exclude: [] }]);

  const { hints, packets } = await nameHints(
    [address],
    { clock: systemClock, gate, packetsPerSecond: 100, nameServers: ['192.0.2.53'], mdnsPort: device.address().port },
    forever,
  );

  expect(packets).toBe(1);
  expect(hints.get(address)?.slice(0, 2)).toEqual([
    { from: 'mdns', name: 'copier-2f.local' },
    { from: 'dns-sd', name: 'Copier 2nd floor' },
  ]);
  expect(hints.get(address)).toHaveLength(8);
  expect(JSON.stringify([...hints])).not.toMatch(/liar|script|somebody/);
});
