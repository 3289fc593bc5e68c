import type { ObjectEntry } from '../object-tree.ts';
import type { OfficeDevice } from './device.ts';
import { chassis, interfaces, macAddress, type Port, system } from './standard.ts';
import { type DeviceLife, type OfficeTime, wave } from './time.ts';
import { counter64, gauge, integer, octets, oid, row, scalars, text } from './values.ts';

const FORTIGATE = '1.3.6.1.4.1.12356.101';
/** The first unit restarts once a day, and the second one takes over. */
const RESTART = { first: 64_800, every: 172_800, lasts: 7_200 } as const;

interface Unit {
  readonly number: 1 | 2;
  readonly name: string;
  readonly serial: string;
  readonly life: DeviceLife;
}

/** Two FortiGates that stand in for one another (FORTINET-FORTIGATE-MIB). */
export function firewallPair(time: OfficeTime): OfficeDevice[] {
  const first: Unit = { number: 1, name: 'fw-1', serial: 'FGT60FDEMO000001', life: time.life(5_184_000, RESTART) };
  const second: Unit = { number: 2, name: 'fw-2', serial: 'FGT60FDEMO000002', life: time.life(5_184_000) };
  const primary = () => (first.life.silent() ? second : first);
  return [first, second].map((unit) => ({
    name: unit.name,
    class: 'firewall' as const,
    sla: 'gateway',
    secure: true as const,
    life: unit.life,
    objects: firewallObjects(unit, [first, second], primary, time),
  }));
}

function firewallObjects(unit: Unit, cluster: readonly Unit[], primary: () => Unit, time: OfficeTime): ObjectEntry[] {
  const { life, number } = unit;
  const active = () => primary() === unit;
  const load = () => (active() ? 8 + 30 * wave(life.uptime(), 180, number) : 2);
  const port = (name: string, alias: string, n: number, receives: number, transmits: number): Port => ({
    name,
    alias,
    speed: 1000,
    receives: number === 1 ? receives : receives / 50,
    transmits: number === 1 ? transmits : transmits / 50,
    mac: macAddress(number, n),
  });
  return [
    ...system({ descr: `Office gateway ${number}`, objectId: `${FORTIGATE}.1.641`, name: unit.name }, life),
    ...interfaces(
      [
        port('wan1', 'Carrier A', 1, 6_500_000, 1_100_000),
        port('wan2', 'Carrier B', 2, 40_000, 22_000),
        port('internal', 'Office', 3, 1_150_000, 6_400_000),
        port('ha1', 'Heartbeat', 4, 12_000, 12_000),
      ],
      life,
    ),
    ...chassis('FGT_60F', unit.serial, 'Fortinet FGT_60F, HW Serial#: none', 'Fortinet'),
    ['1.3.6.1.4.1.12356.100.1.1.1.0', text(unit.serial)],
    ...scalars(`${FORTIGATE}.4.1`, {
      1: text('v7.4.5,build2702,240918 (GA.M)'),
      3: () => gauge(load()),
      4: () => gauge(48 + 6 * wave(life.uptime(), 900, number)),
      5: gauge(2_010_000),
      6: gauge(0),
      7: gauge(0),
      8: () => gauge(active() ? 1_800 + 2_400 * wave(life.uptime(), 240, number) : 31),
      20: () => counter64(life.uptime() * 100),
    }),
    ...row(`${FORTIGATE}.3.2.1.1`, 1, { 1: integer(1), 2: text('root'), 4: () => integer(active() ? 1 : 2) }),
    ...['CPU Temp', 'Board Temp'].flatMap((sensor, n) =>
      row(`${FORTIGATE}.4.3.2.1`, n + 1, {
        1: integer(n + 1),
        2: text(sensor),
        3: () => text((44 - 7 * n + 6 * wave(life.uptime(), 600, n)).toFixed(1)),
        4: integer(0),
      }),
    ),
    ['1.3.6.1.4.1.12356.101.13.1.1.0', integer(3)],
    ...cluster.flatMap((member) =>
      row(`${FORTIGATE}.13.2.1.1`, member.number, {
        1: integer(member.number),
        2: text(member.serial),
        11: text(member.name),
        12: () => integer(member.life.silent() ? 0 : 1),
        16: () => text(primary().serial),
      }),
    ),
    ...['branch-north', 'branch-south', 'home-offices'].flatMap((tunnel, n) =>
      row(`${FORTIGATE}.12.2.2.1`, n + 1, {
        1: integer(n + 1),
        2: text(tunnel),
        // The last one drops for a while each office day.
        20: () => integer(n === 2 && time.office() % 86_400 > 80_000 ? 1 : 2),
      }),
    ),
    [`${FORTIGATE}.12.1.1.0`, gauge(3)],
    ...row(`${FORTIGATE}.12.2.3.1`, 1, { 2: () => gauge(active() ? 6 + 5 * wave(time.office(), 28_800, 1) : 0) }),
    ...row(`${FORTIGATE}.4.6.3.1.2.1`, 1, { 1: text('FortiCare'), 2: text(time.dateIn(211)) }),
    ...row(`${FORTIGATE}.4.6.3.1.2.1`, 2, { 1: text('Unified threat protection'), 2: text(time.dateIn(24)) }),
  ];
}

const HP_SWITCH = '1.3.6.1.4.1.11.2.14.11';

/** A 28-port switch with Power over Ethernet (ArubaOS-Switch). */
export function coreSwitch(time: OfficeTime): OfficeDevice {
  const life = time.life(15_552_000);
  const names: Record<number, string> = {
    1: 'fw-1',
    2: 'fw-2',
    3: 'srv-files',
    4: 'srv-dc',
    5: 'nas-backup',
    6: 'mfp-copyroom',
    7: 'laser-warehouse',
    8: 'label-shipping',
    9: 'ap-hall',
    10: 'ups-rack',
  };
  const ports = Array.from({ length: 28 }, (_, n): Port => {
    const port = n + 1;
    const used = port <= 10 || (port <= 24 && port % 3 !== 0);
    const traffic = used ? 18_000 * (1 + ((port * 37) % 50)) : 0;
    return {
      name: `${port}`,
      alias: names[port] ?? (used && port <= 24 ? `desk-${port}` : ''),
      speed: port > 24 ? 10_000 : 1000,
      receives: traffic,
      transmits: traffic * 1.7,
      mac: macAddress(3, port),
    };
  });
  return {
    name: 'sw-core',
    class: 'switch',
    sla: 'gateway',
    life,
    objects: [
      ...system(
        {
          descr: 'Aruba JL255A 2930F-24G-PoE+-4SFP+ Switch, revision WC.16.11.0020, ROM WC.16.01.0010',
          objectId: '1.3.6.1.4.1.11.2.3.7.11.182.3',
          name: 'sw-core',
        },
        life,
      ),
      ...interfaces(ports, life),
      ...chassis('JL255A', 'DEMO2930F1', 'Aruba JL255A 2930F-24G-PoE+-4SFP+ Switch', 'Aruba'),
      [`${HP_SWITCH}.5.1.9.6.1.0`, () => integer(6 + 9 * wave(life.uptime(), 120, 3))],
      ...row(`${HP_SWITCH}.5.1.1.2.1.1.1`, 1, {
        1: integer(1),
        5: integer(331_444_224),
        6: () => integer(201_000_000 - 9_000_000 * wave(life.uptime(), 700, 1)),
        7: () => integer(130_444_224 + 9_000_000 * wave(life.uptime(), 700, 1)),
      }),
      ...row(`${HP_SWITCH}.1.2.8.1.1`, 0, {
        2: text('Chassis'),
        3: () => text(`${Math.round(27 + 3 * wave(life.uptime(), 900, 2))}C`),
      }),
      ...row(`${HP_SWITCH}.1.2.6.1`, 1, {
        1: integer(1),
        2: oid('1.3.6.1.4.1.11.2.3.7.8.3.2'),
        4: integer(4),
        7: text('Fan Sensor'),
      }),
      ...row(`${HP_SWITCH}.1.2.6.1`, 2, {
        1: integer(2),
        2: oid('1.3.6.1.4.1.11.2.3.7.8.3.1'),
        4: integer(4),
        7: text('Power Supply Sensor'),
      }),
      ...row('1.3.6.1.2.1.105.1.3.1.1', 1, {
        2: gauge(370),
        3: integer(1),
        4: () => gauge(61 + 8 * wave(life.uptime(), 300, 1)),
      }),
    ],
  };
}

const UNIFI = '1.3.6.1.4.1.41112.1.6';

/** An access point that loses its power over Ethernet now and then (UBNT-UniFi-MIB). */
export function accessPoint(time: OfficeTime): OfficeDevice {
  const life = time.life(432_000, { first: 10_800, every: 72_000, lasts: 7_200 });
  const networks = [
    { ssid: 'demo-office', radio: 'ng', most: 7 },
    { ssid: 'demo-office', radio: 'na', most: 24 },
    { ssid: 'demo-guests', radio: 'na', most: 9 },
  ];
  return {
    name: 'ap-hall',
    class: 'ap',
    parent: 'sw-core',
    life,
    objects: [
      ...system(
        {
          descr: 'U6-Pro 6.6.77.15402',
          objectId: '1.3.6.1.4.1.8072.3.2.10',
          name: 'ap-hall',
          location: 'Entrance hall',
        },
        life,
      ),
      ...interfaces(
        [
          { name: 'eth0', speed: 1000, receives: 900_000, transmits: 310_000, mac: macAddress(11, 1) },
          { name: 'wifi0', speed: 600, receives: 41_000, transmits: 120_000, mac: macAddress(11, 2) },
          { name: 'wifi1', speed: 4800, receives: 260_000, transmits: 770_000, mac: macAddress(11, 3) },
        ],
        life,
      ),
      ...scalars('1.3.6.1.4.1.10002.1.1.1.1', {
        1: gauge(935_000),
        2: () => gauge(402_000 + 60_000 * wave(life.uptime(), 400, 1)),
        3: gauge(31_000),
        4: gauge(4_000),
      }),
      ...networks.flatMap(({ ssid, radio, most }, n) =>
        row(`${UNIFI}.1.2.1`, n + 1, {
          1: integer(n + 1),
          2: octets(macAddress(11, 20 + n)),
          6: text(ssid),
          8: () => integer(1 + most * wave(time.office(), 43_200, n)),
          9: text(radio),
        }),
      ),
      ...scalars(`${UNIFI}.3`, { 3: text('U6-Pro'), 6: text('6.6.77.15402') }),
      ...scalars('1.3.6.1.4.1.2021.11', { 11: () => integer(91 - 8 * wave(life.uptime(), 150, 2)) }),
    ],
  };
}
