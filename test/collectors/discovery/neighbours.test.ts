import { expect, test } from 'vitest';
import { neighboursOf } from '#collectors/discovery/neighbours.ts';
import type { Varbind } from '#collectors/snmp/agent.ts';

const text = (value: string): Varbind => ({ type: 'octet-string', value: new TextEncoder().encode(value) });
const octets = (...value: number[]): Varbind => ({ type: 'octet-string', value: Uint8Array.from(value) });
const number = (value: number): Varbind => ({ type: 'integer', value });
const MAC = octets(0x00, 0x26, 0x73, 0x01, 0x02, 0x03);

function tables(columns: Record<string, Record<string, Varbind>>) {
  return neighboursOf({
    columns: new Map(Object.entries(columns).map(([oid, rows]) => [oid, new Map(Object.entries(rows))])),
  });
}

test('ARP caches of both kinds, each pair once', () => {
  const { arp } = tables({
    '1.3.6.1.2.1.4.22.1.2': {
      '3.192.0.2.7': MAC,
      '3.192.0.2.8': octets(0, 0, 0, 0, 0, 0),
      '3.192.0.2.9': octets(1, 2),
    },
    '1.3.6.1.2.1.4.35.1.4': {
      '3.1.4.192.0.2.7': MAC,
      [`3.2.16.32.1.13.184.${Array.from({ length: 11 }, () => 0).join('.')}.10`]: MAC,
      '3.2.16.1.2.3': MAC,
      '3.9.1.1': MAC,
    },
  });

  expect(arp).toEqual([
    { address: '192.0.2.7', mac: '00:26:73:01:02:03' },
    { address: '2001:db8::a', mac: '00:26:73:01:02:03' },
  ]);
});

test('bridge tables, with the names of ports', () => {
  const { bridge } = tables({
    '1.3.6.1.2.1.17.4.3.1.2': { '0.38.115.1.2.3': number(5), '0.38.115.1.2.4': number(0) },
    '1.3.6.1.2.1.17.7.1.2.2.1.2': { '10.0.38.115.1.2.5': number(6) },
    '1.3.6.1.2.1.17.1.4.1.2': { 5: number(1005) },
    '1.3.6.1.2.1.31.1.1.1.1': { 1005: text('ge-0/0/5') },
  });

  expect(bridge).toEqual([
    { mac: '00:26:73:01:02:03', port: 'ge-0/0/5' },
    { mac: '00:26:73:01:02:05', port: 'port 6' },
  ]);
});

test('neighbours by LLDP and CDP', () => {
  const { links } = tables({
    '1.0.8802.1.1.2.1.4.1.1.4': { '0.2.1': number(4), '0.3.1': number(7) },
    '1.0.8802.1.1.2.1.4.1.1.5': { '0.2.1': MAC, '0.3.1': text('local-id') },
    '1.0.8802.1.1.2.1.4.1.1.9': { '0.2.1': text('sw-2'), '0.3.1': text('') },
    '1.0.8802.1.1.2.1.4.2.1.3': { '0.2.1.1.4.192.0.2.2': number(2), '0.9.9.1.200.1': number(2) },
    '1.0.8802.1.1.2.1.3.7.1.3': { 2: text('1/0/24') },
    '1.3.6.1.4.1.9.9.23.1.2.1.1.6': { '7.1': text('ap-1') },
    '1.3.6.1.4.1.9.9.23.1.2.1.1.4': { '7.1': octets(192, 0, 2, 9) },
  });

  expect(links).toEqual([
    { port: '1/0/24', sysName: 'sw-2', mac: '00:26:73:01:02:03', address: '192.0.2.2' },
    { port: 'port 7', sysName: 'ap-1', address: '192.0.2.9' },
  ]);
});

test('ten thousand rows and a name without end are cut', () => {
  const rows = Object.fromEntries(
    Array.from({ length: 30_000 }, (_, n) => [
      `1.10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`,
      octets(0, 1, 2, n >> 16, (n >> 8) & 255, n & 255),
    ]),
  );
  const { arp, links } = tables({
    '1.3.6.1.2.1.4.22.1.2': rows,
    '1.3.6.1.4.1.9.9.23.1.2.1.1.6': { '7.1': text('x'.repeat(100_000)), '7.2': text('\u001b[31m<script>\u0000') },
  });

  expect(arp).toHaveLength(10_000);
  expect(links.map(({ sysName }) => sysName?.length)).toEqual([255, 12]);
});
