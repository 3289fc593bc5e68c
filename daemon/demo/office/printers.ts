import type { OfficeDevice } from './device.ts';
import { printerMib, SUPPLY } from './printer-mib.ts';
import { type PageKind, PrintQueue, remaining } from './printing.ts';
import { interfaces, macAddress, system } from './standard.ts';
import type { OfficeTime } from './time.ts';
import { counter32, octets, row, scalars, text } from './values.ts';

const FLOOR = 'Second floor, copy room';

/** A colour multifunction printer with the maker's own counters (KYOCERA-Private-MIB), whose black toner runs low. */
export function colorMfp(time: OfficeTime): OfficeDevice {
  const life = time.life(1_209_600);
  const queue = new PrintQueue(time, {
    seed: 11,
    every: 900,
    largestJob: 12,
    mix: { print_mono: 55, print_color: 24, copy_mono: 13, copy_color: 5, fax: 3 },
  });
  const before: Record<PageKind, number> = {
    print_mono: 48_120,
    print_color: 21_377,
    copy_mono: 9_054,
    copy_color: 2_610,
    fax: 388,
  };
  const count = (...kinds: PageKind[]) => kinds.reduce((sum, kind) => sum + before[kind] + queue.pages(kind), 0);
  const all = () => count('print_mono', 'print_color', 'copy_mono', 'copy_color', 'fax');
  const counter =
    (...kinds: PageKind[]) =>
    () =>
      counter32(count(...kinds));
  const largeBefore = 1_204;
  return {
    name: 'mfp-copyroom',
    class: 'printer',
    parent: 'sw-core',
    life,
    objects: [
      ...system(
        {
          descr: 'KYOCERA Document Solutions Printing System',
          objectId: '1.3.6.1.4.1.1347.41',
          name: 'mfp-copyroom',
          location: FLOOR,
        },
        life,
      ),
      ...interfaces([{ name: 'eth0', speed: 1000, receives: 9_000, transmits: 2_400, mac: macAddress(6, 1) }], life),
      ...printerMib({
        model: 'TASKalfa 3554ci',
        serial: 'DEMO3554K1',
        memory: 4_194_304 * 1024,
        // The engine's work, somewhat more than what was printed.
        lifeCount: () => all() * 1.015,
        printing: () => queue.isPrinting(),
        trays: [
          { name: 'Cassette 1', capacity: 500, level: () => 500 - (queue.pages() % 480) },
          { name: 'Cassette 2', capacity: 500, level: () => 350 },
          { name: 'MP Tray', capacity: 150, level: () => 0 },
        ],
        supplies: [
          {
            description: 'TK-8375C',
            type: SUPPLY.toner,
            color: 'cyan',
            level: () => remaining(64, queue.pages(), 9_000),
          },
          {
            description: 'TK-8375M',
            type: SUPPLY.toner,
            color: 'magenta',
            level: () => remaining(58, queue.pages(), 9_000),
          },
          {
            description: 'TK-8375Y',
            type: SUPPLY.toner,
            color: 'yellow',
            level: () => remaining(71, queue.pages(), 9_000),
          },
          {
            description: 'TK-8375K',
            type: SUPPLY.toner,
            color: 'black',
            level: () => remaining(11, queue.pages(), 2_000),
          },
          { description: 'Waste Toner Box', type: SUPPLY.wasteToner, filled: true, level: () => -3 },
        ],
      }),
      ['1.3.6.1.4.1.1347.43.5.1.1.1.1', text('TASKalfa 3554ci')],
      ['1.3.6.1.4.1.1347.43.5.1.1.28.1', text('DEMO3554K1')],
      ['1.3.6.1.4.1.1347.43.5.4.1.5.1.1', text('2XD_S000.002.512')],
      ['1.3.6.1.4.1.1347.43.10.1.1.12.1.1', () => counter32(all())],
      ['1.3.6.1.4.1.1347.42.3.1.1.1.1.1', counter('print_mono', 'print_color')],
      ['1.3.6.1.4.1.1347.42.3.1.1.1.1.2', counter('copy_mono', 'copy_color')],
      ['1.3.6.1.4.1.1347.42.3.1.1.1.1.4', counter('fax')],
      ['1.3.6.1.4.1.1347.42.3.1.2.1.1.1.1', counter('print_mono')],
      ['1.3.6.1.4.1.1347.42.3.1.2.1.1.1.3', counter('print_color')],
      ['1.3.6.1.4.1.1347.42.3.1.2.1.1.2.1', counter('copy_mono')],
      ['1.3.6.1.4.1.1347.42.3.1.2.1.1.2.3', counter('copy_color')],
      ['1.3.6.1.4.1.1347.42.3.1.2.1.1.4.1', counter('fax')],
      ['1.3.6.1.4.1.1347.42.3.1.3.1.1.2', counter('copy_mono', 'copy_color')],
      ['1.3.6.1.4.1.1347.42.3.1.4.1.1.1', () => counter32(15_002 + queue.pages('copy_mono') * 2)],
      ...row('1.3.6.1.4.1.1347.42.2.1.1.1', '1.1', {
        2: text('A4'),
        6: () => counter32(all() - largeBefore),
        7: () => counter32(count('print_mono', 'copy_mono', 'fax') - 940),
        8: () => counter32(count('print_color', 'copy_color') - 264),
        13: () => counter32((all() - largeBefore) * 0.41),
      }),
      ...row('1.3.6.1.4.1.1347.42.2.1.1.1', '1.2', {
        2: text('A3'),
        6: counter32(largeBefore),
        7: counter32(940),
        8: counter32(264),
        13: counter32(212),
      }),
    ],
  };
}

/** A mono laser with HP-LASERJET-COMMON-MIB. PML texts begin with the two octets of their symbol set. */
export function monoLaser(time: OfficeTime): OfficeDevice {
  const life = time.life(604_800);
  const queue = new PrintQueue(time, { seed: 23, every: 1_500, largestJob: 8, mix: { print_mono: 1 } });
  const all = () => 132_468 + queue.pages();
  const pml = (value: string) => octets(`0115${Buffer.from(value).toString('hex')}`);
  return {
    name: 'laser-warehouse',
    class: 'printer',
    parent: 'sw-core',
    life,
    objects: [
      ...system(
        {
          descr: 'HP ETHERNET MULTI-ENVIRONMENT,ROM none,JETDIRECT,JD153,EEPROM JDI00000000,CIDATE 01/02/2024',
          objectId: '1.3.6.1.4.1.11.2.3.9.1',
          name: 'laser-warehouse',
          location: 'Warehouse',
        },
        life,
      ),
      ...interfaces([{ name: 'eth0', speed: 1000, receives: 3_100, transmits: 900, mac: macAddress(7, 1) }], life),
      ...printerMib({
        model: 'HP LaserJet Enterprise M507',
        serial: 'DEMOM50701',
        memory: 524_288 * 1024,
        lifeCount: all,
        printing: () => queue.isPrinting(),
        trays: [{ name: 'Tray 2', capacity: 550, level: () => 550 - (queue.pages() % 500) }],
        supplies: [
          {
            description: 'Black Cartridge HP W9008MC',
            type: SUPPLY.toner,
            color: 'black',
            level: () => remaining(46, queue.pages(), 4_000),
          },
          { description: 'Maintenance Kit', type: SUPPLY.fuser, level: () => remaining(83, queue.pages(), 60_000) },
        ],
      }),
      ...scalars('1.3.6.1.4.1.11.2.3.9.4.2.1', {
        '1.3.2': pml('HP LaserJet Enterprise M507'),
        '1.3.3': pml('DEMOM50701'),
        '1.3.5': pml('20240102'),
        '4.1.2.5': () => counter32(all()),
        '4.1.2.6': () => counter32(all()),
        '4.1.2.22': () => counter32(38_214 + queue.pages() * 0.3),
      }),
      ['1.3.6.1.4.1.11.2.3.9.1.1.7.0', text('MFG:HP;MDL:HP LaserJet Enterprise M507;CLS:PRINTER;SN:DEMOM50701;')],
    ],
  };
}

/** A label printer, which is switched off now and then. Labels are no pages: it has no meter. */
export function labelPrinter(time: OfficeTime): OfficeDevice {
  const life = time.life(259_200, { first: 25_200, every: 86_400, lasts: 7_200 });
  return {
    name: 'label-shipping',
    class: 'printer',
    parent: 'sw-core',
    life,
    objects: [
      ...system(
        {
          descr: 'ZTC ZD621-203dpi ZPL',
          objectId: '1.3.6.1.4.1.10642.1.1',
          name: 'label-shipping',
          location: 'Shipping',
        },
        life,
      ),
      ...interfaces([{ name: 'eth0', speed: 100, receives: 700, transmits: 400, mac: macAddress(8, 1) }], life),
      ...printerMib({
        model: 'ZTC ZD621-203dpi ZPL',
        serial: 'D3M000000001',
        memory: 262_144 * 1024,
        lifeCount: () => 812_004 + Math.floor(time.office() / 240),
        printing: () => time.office() % 240 < 60,
        trays: [{ name: 'Roll', capacity: -2, level: () => -3 }],
        supplies: [{ description: 'Ribbon', type: SUPPLY.ribbon, level: () => -3 }],
      }),
      ...scalars('1.3.6.1.4.1.10642.1', { 1: text('ZD621'), 2: text('V93.21.17Z'), 9: text('D3M000000001') }),
    ],
  };
}
