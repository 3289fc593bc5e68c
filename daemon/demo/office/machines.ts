import type { OfficeDevice } from './device.ts';
import { GIB, interfaces, macAddress, processors, STORAGE, storage, system } from './standard.ts';
import { type OfficeTime, wave } from './time.ts';
import { gauge, integer, row, scalars, text, ticks } from './values.ts';

/** Share of a disk that fills from `from` to `to` within two office days, until someone tidies up. */
function filling(time: OfficeTime, from: number, to: number): number {
  return from + (to - from) * ((time.office() % 172_800) / 172_800);
}

/** A Linux file server with net-snmp, whose project disk fills up. */
export function fileServer(time: OfficeTime): OfficeDevice {
  const life = time.life(3_888_000);
  const load = () => 12 + 46 * wave(life.uptime(), 200, 1);
  const memory = 32 * GIB;
  const used = () => 9 * GIB + 3 * GIB * wave(life.uptime(), 500, 1);
  const cached = 14 * GIB;
  const kib = (bytes: number) => bytes / 1024;
  return {
    name: 'srv-files',
    class: 'server',
    parent: 'sw-core',
    sla: 'servers',
    life,
    objects: [
      ...system(
        {
          descr: 'Linux srv-files 6.1.0-28-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 x86_64',
          objectId: '1.3.6.1.4.1.8072.3.2.10',
          name: 'srv-files',
        },
        life,
      ),
      ['1.3.6.1.2.1.25.1.1.0', () => ticks(life.uptime())],
      ...interfaces(
        [
          { name: 'lo', speed: 10, receives: 21_000, transmits: 21_000, mac: '' },
          {
            name: 'eno1',
            alias: 'office',
            speed: 1000,
            receives: 2_200_000,
            transmits: 7_900_000,
            mac: macAddress(4, 1),
          },
        ],
        life,
      ),
      ...storage([
        { descr: 'Physical memory', kind: STORAGE.ram, unit: 1024, size: memory, used: () => used() + cached },
        { descr: 'Memory buffers', kind: 1, unit: 1024, size: memory, used: () => GIB / 2 },
        { descr: 'Cached memory', kind: 1, unit: 1024, size: cached, used: () => cached - GIB / 2 },
        { descr: 'Swap space', kind: STORAGE.virtual, unit: 1024, size: 8 * GIB, used: () => GIB / 4 },
        { descr: '/', kind: STORAGE.disk, unit: 4096, size: 60 * GIB, used: () => 22 * GIB },
        {
          descr: '/srv/projects',
          kind: STORAGE.disk,
          unit: 4096,
          size: 1_800 * GIB,
          used: () => 1_800 * GIB * filling(time, 0.83, 0.985),
        },
        { descr: '/srv/archive', kind: STORAGE.disk, unit: 4096, size: 3_600 * GIB, used: () => 1_904 * GIB },
      ]),
      ...processors([load, () => load() * 0.7, () => load() * 0.9, () => load() * 0.4]),
      ...[load, () => load() * 0.8, () => 30].flatMap((each, n) =>
        row('1.3.6.1.4.1.2021.10.1', n + 1, {
          1: integer(n + 1),
          2: text(`Load-${[1, 5, 15][n]}`),
          3: () => text((each() / 25).toFixed(2)),
          5: () => integer(each() * 4),
        }),
      ),
      ...scalars('1.3.6.1.4.1.2021.4', {
        3: integer(kib(8 * GIB)),
        4: integer(kib(7.75 * GIB)),
        5: integer(kib(memory)),
        6: () => integer(kib(memory - used() - cached)),
        13: integer(kib(GIB / 8)),
        14: integer(kib(GIB / 2)),
        15: integer(kib(cached - GIB / 2)),
      }),
      ['1.3.6.1.4.1.2021.11.11.0', () => integer(100 - load() * 0.75)],
      ...row('1.3.6.1.4.1.2021.13.16.2.1', 1, {
        1: integer(1),
        2: text('CPU'),
        3: () => gauge(41_000 + 900 * load() ** 0.5),
      }),
    ],
  };
}

/** A Windows domain controller with its own SNMP service. */
export function domainController(time: OfficeTime): OfficeDevice {
  const life = time.life(1_814_400);
  const load = () => 5 + 30 * wave(life.uptime(), 260, 4);
  return {
    name: 'srv-dc',
    class: 'server',
    parent: 'sw-core',
    sla: 'servers',
    life,
    objects: [
      ...system(
        {
          descr:
            'Hardware: Intel64 Family 6 Model 106 Stepping 6 AT/AT COMPATIBLE - Software: Windows Version 6.3 (Build 20348 Multiprocessor Free)',
          objectId: '1.3.6.1.4.1.311.1.1.3.1.3',
          name: 'srv-dc',
        },
        life,
      ),
      ['1.3.6.1.2.1.25.1.1.0', () => ticks(life.uptime())],
      ...interfaces(
        [
          {
            name: 'Ethernet',
            alias: 'Ethernet',
            speed: 1000,
            receives: 310_000,
            transmits: 420_000,
            mac: macAddress(5, 1),
          },
        ],
        life,
      ),
      ...storage([
        {
          descr: 'C:\\ Label:System  Serial Number 1a2b3c4d',
          kind: STORAGE.disk,
          unit: 4096,
          size: 119 * GIB,
          used: () => 71 * GIB,
        },
        {
          descr: 'D:\\ Label:Profiles  Serial Number 5e6f7081',
          kind: STORAGE.disk,
          unit: 4096,
          size: 400 * GIB,
          used: () => 288 * GIB,
        },
        { descr: 'Virtual Memory', kind: STORAGE.virtual, unit: 65_536, size: 19 * GIB, used: () => 9.5 * GIB },
        {
          descr: 'Physical Memory',
          kind: STORAGE.ram,
          unit: 65_536,
          size: 16 * GIB,
          used: () => 7 * GIB + 2 * GIB * wave(life.uptime(), 400, 2),
        },
      ]),
      ...processors([load, () => load() * 0.6], 2),
    ],
  };
}

/** A network storage box with four disks (SYNOLOGY-SYSTEM-MIB, -DISK-MIB, -RAID-MIB). */
export function backupStorage(time: OfficeTime): OfficeDevice {
  const life = time.life(7_776_000);
  const size = 15.2 * 1024 * GIB;
  return {
    name: 'nas-backup',
    class: 'nas',
    parent: 'sw-core',
    sla: 'servers',
    life,
    objects: [
      ...system(
        {
          descr: 'Linux nas-backup 4.4.302+ #69057 SMP x86_64',
          objectId: '1.3.6.1.4.1.8072.3.2.10',
          name: 'nas-backup',
        },
        life,
      ),
      ['1.3.6.1.2.1.25.1.1.0', () => ticks(life.uptime())],
      ...interfaces(
        [{ name: 'eth0', speed: 1000, receives: 3_400_000, transmits: 160_000, mac: macAddress(9, 1) }],
        life,
      ),
      ...storage([
        { descr: 'Physical memory', kind: STORAGE.ram, unit: 1024, size: 4 * GIB, used: () => 3.1 * GIB },
        { descr: 'Cached memory', kind: 1, unit: 1024, size: 2 * GIB, used: () => 2 * GIB },
      ]),
      ...processors([() => 9 + 20 * wave(life.uptime(), 340, 1), () => 6 + 22 * wave(life.uptime(), 340, 2)]),
      ...scalars('1.3.6.1.4.1.6574.1', {
        1: integer(1),
        2: () => integer(39 + 4 * wave(life.uptime(), 800, 1)),
        3: integer(1),
        '4.1': integer(1),
        '4.2': integer(1),
        '5.1': text('DS923+'),
        '5.2': text('DEMO923P0001'),
        '5.3': text('DSM 7.2-69057'),
      }),
      ...[1, 2, 3, 4].flatMap((disk) =>
        row('1.3.6.1.4.1.6574.2.1.1', disk - 1, {
          1: integer(disk - 1),
          2: text(`Drive ${disk}`),
          3: text('HAT3310-8T'),
          5: integer(1),
          6: () => integer(33 + disk + 3 * wave(life.uptime(), 800, disk)),
          13: integer(disk === 3 ? 2 : 1), // one of them warns that it ages
        }),
      ),
      ...row('1.3.6.1.4.1.6574.3.1.1', 0, {
        1: integer(0),
        2: text('Volume 1'),
        3: integer(1),
        4: () => ({ type: 'counter64', value: BigInt(Math.round(size * (1 - filling(time, 0.6, 0.74)))) }),
        5: { type: 'counter64', value: BigInt(Math.round(size)) },
      }),
      ...row('1.3.6.1.4.1.6574.3.1.1', 1, {
        1: integer(1),
        2: text('Storage Pool 1'),
        3: integer(1),
        4: gauge(0),
        5: { type: 'counter64', value: BigInt(Math.round(size)) },
      }),
    ],
  };
}

const UPS = '1.3.6.1.4.1.318.1.1.1';
/** The mains fail for three office hours, twice in three office days. */
const MAINS = { every: 129_600, from: 54_000, lasts: 10_800 } as const;

/** A UPS with a network card (PowerNet-MIB), which sees the mains fail now and then. */
export function rackUps(time: OfficeTime): OfficeDevice {
  const life = time.life(10_368_000);
  const into = () => (time.office() % MAINS.every) - MAINS.from;
  const onBattery = () => into() >= 0 && into() < MAINS.lasts;
  /** Percent: three quarters of it are left when the mains come back, and it charges as fast. */
  const charge = () => {
    const seconds = into();
    if (seconds < 0 || seconds >= 2 * MAINS.lasts) return 100;
    return 100 - 25 * (onBattery() ? seconds / MAINS.lasts : 2 - seconds / MAINS.lasts);
  };
  const load = () => 31 + 6 * wave(life.uptime(), 300, 2);
  return {
    name: 'ups-rack',
    class: 'ups',
    parent: 'sw-core',
    life,
    objects: [
      ...system(
        {
          descr:
            'APC Web/SNMP Management Card (MB:v4.3.0 PF:v2.5.2.1 PN:apc_hw21_aos_2.5.2.1.bin AF1:v2.5.2.1 AN1:apc_hw21_su_2.5.2.1.bin MN:AP9641 HR:05 SN: DEMO00000001 MD:01/02/2024)',
          objectId: '1.3.6.1.4.1.318.1.3.27',
          name: 'ups-rack',
        },
        life,
      ),
      ...interfaces([{ name: 'eth0', speed: 1000, receives: 800, transmits: 500, mac: macAddress(10, 1) }], life),
      ...scalars(UPS, {
        '1.1.1': text('Smart-UPS 1500'),
        '1.2.1': text('UPS 15.0 (ID1015)'),
        '1.2.3': text('DEMO1500U001'),
        '2.2.1': () => gauge(charge()),
        '2.2.2': () => gauge(28),
        '2.2.3': () => ticks((2_900 * charge()) / 100),
        '2.2.4': integer(1),
        '2.3.1': () => gauge(charge() * 10),
        '2.3.2': () => gauge(278 + (onBattery() ? 30 : 0)),
        '2.3.4': () => gauge(onBattery() ? 251 : 273),
        '3.3.1': () => gauge(onBattery() ? 0 : 2_290 + 30 * wave(life.uptime(), 100, 1)),
        '3.3.4': () => gauge(onBattery() ? 0 : 500),
        '4.1.1': () => integer(onBattery() ? 3 : 2),
        '4.3.1': () => gauge(2_300),
        '4.3.2': () => gauge(500),
        '4.3.3': () => gauge(load() * 10),
        '4.3.4': () => gauge(load() * 0.65),
        '8.1': integer(1),
      }),
    ],
  };
}
