/** The standard MIBs that most devices have: SNMPv2-MIB, IF-MIB, HOST-RESOURCES-MIB, ENTITY-MIB. */
import type { Oid } from '#collectors/snmp/agent.ts';
import type { ObjectEntry } from '../object-tree.ts';
import { type DeviceLife, flow } from './time.ts';
import { counter32, counter64, gauge, integer, octets, oid, row, scalars, text, ticks } from './values.ts';

export interface SystemFacts {
  readonly descr: string;
  readonly objectId: Oid;
  readonly name: string;
  readonly location?: string;
}

/** SNMPv2-MIB system group (RFC 3418), and snmpEngineID with its boots and time (RFC 3411). */
export function system(facts: SystemFacts, life: DeviceLife): ObjectEntry[] {
  return [
    ...scalars('1.3.6.1.2.1.1', {
      1: text(facts.descr),
      2: oid(facts.objectId),
      3: () => ticks(life.uptime()),
      4: text('it@demo.example'),
      5: text(facts.name),
      6: text(facts.location ?? 'Server room'),
      7: integer(76),
    }),
    ...scalars('1.3.6.1.6.3.10.2.1', {
      1: octets(`80001f8804${Buffer.from(facts.name).toString('hex')}`),
      2: () => integer(12 + life.restarts()),
      3: () => integer(life.uptime()),
    }),
  ];
}

export interface Port {
  readonly name: string;
  readonly alias?: string;
  /** Mbit/s. */
  readonly speed: number;
  /** Bytes per second that come in; 0 is a port without a cable. */
  readonly receives: number;
  readonly transmits: number;
  readonly mac: string;
}

/** IF-MIB ifTable and ifXTable (RFC 2863). */
export function interfaces(ports: readonly Port[], life: DeviceLife): ObjectEntry[] {
  return [['1.3.6.1.2.1.2.1.0', integer(ports.length)], ...ports.flatMap((port, n) => interfaceRow(port, n + 1, life))];
}

const BYTES_PER_PACKET = 640;

function interfaceRow(port: Port, index: number, life: DeviceLife): ObjectEntry[] {
  const received = () => flow(port.receives, life.uptime(), index);
  const sent = () => flow(port.transmits, life.uptime(), index + 2);
  const status = integer(port.receives > 0 ? 1 : 2);
  return [
    ...row('1.3.6.1.2.1.2.2.1', index, {
      1: integer(index),
      2: text(port.name),
      3: integer(6),
      4: integer(1500),
      5: gauge(Math.min(port.speed * 1_000_000, 0xffff_ffff)),
      6: octets(port.mac),
      7: integer(1),
      8: status,
      10: () => counter32(received()),
      11: () => counter32(received() / BYTES_PER_PACKET),
      13: () => counter32(life.uptime() / 3600),
      14: () => counter32(index === 3 ? life.uptime() / 900 : 0),
      16: () => counter32(sent()),
      17: () => counter32(sent() / BYTES_PER_PACKET),
      19: counter32(0),
      20: counter32(0),
    }),
    ...row('1.3.6.1.2.1.31.1.1.1', index, {
      1: text(port.name),
      6: () => counter64(received()),
      7: () => counter64(received() / BYTES_PER_PACKET),
      8: () => counter64(received() / BYTES_PER_PACKET / 50),
      9: () => counter64(received() / BYTES_PER_PACKET / 80),
      10: () => counter64(sent()),
      11: () => counter64(sent() / BYTES_PER_PACKET),
      12: counter64(0),
      13: counter64(0),
      15: gauge(port.speed),
      18: text(port.alias ?? ''),
    }),
  ];
}

/** Kinds of hrStorageType (RFC 2790). */
export const STORAGE = { ram: 2, virtual: 3, disk: 4 } as const;

export interface Volume {
  readonly descr: string;
  readonly kind: number;
  /** Bytes of a unit; sizes are counted in units of 31 bits. */
  readonly unit: number;
  readonly size: number;
  /** Bytes in use. */
  readonly used: () => number;
}

/** HOST-RESOURCES-MIB hrStorageTable (RFC 2790). */
export function storage(volumes: readonly Volume[]): ObjectEntry[] {
  return volumes.flatMap((volume, n) =>
    row('1.3.6.1.2.1.25.2.3.1', n + 1, {
      1: integer(n + 1),
      2: oid(`1.3.6.1.2.1.25.2.1.${volume.kind}`),
      3: text(volume.descr),
      4: integer(volume.unit),
      5: integer(volume.size / volume.unit),
      6: () => integer(volume.used() / volume.unit),
    }),
  );
}

/** HOST-RESOURCES-MIB hrProcessorTable; loads in percent. */
export function processors(loads: readonly (() => number)[], first = 196_608): ObjectEntry[] {
  return loads.flatMap((load, n) => [
    ...row('1.3.6.1.2.1.25.3.2.1', first + n, {
      1: integer(first + n),
      2: oid('1.3.6.1.2.1.25.3.1.3'),
      3: text('CPU'),
    }),
    ...row('1.3.6.1.2.1.25.3.3.1', first + n, { 2: () => integer(load()) }),
  ]);
}

/** ENTITY-MIB entPhysicalTable (RFC 6933), its chassis only. */
export function chassis(model: string, serial: string, descr: string, maker: string): ObjectEntry[] {
  return row('1.3.6.1.2.1.47.1.1.1.1', 1, {
    2: text(descr),
    4: integer(0),
    5: integer(3),
    7: text('Chassis'),
    11: text(serial),
    12: text(maker),
    13: text(model),
  });
}

/** A locally administered address: nobody's hardware. */
export function macAddress(device: number, port: number): string {
  return `02:d3:00:00:${device.toString(16).padStart(2, '0')}:${port.toString(16).padStart(2, '0')}`;
}

/** What the host of `MB`, `GB` and `TB` sizes wants to hear. */
export const GIB = 1_073_741_824;
