/** Printer-MIB (RFC 3805) and the printer's part of HOST-RESOURCES-MIB. */
import type { ObjectEntry, ObjectValue } from '../object-tree.ts';
import { STORAGE, storage } from './standard.ts';
import { counter32, gauge, integer, octets, oid, row, text } from './values.ts';

/** prtMarkerSuppliesType. */
export const SUPPLY = { toner: 3, wasteToner: 4, ribbon: 7, drum: 9, fuser: 15 } as const;
/** A supply is used up, a receptacle fills. */
const CLASS = { consumed: 3, filled: 4 } as const;

export interface Supply {
  readonly description: string;
  readonly type: number;
  readonly filled?: boolean;
  /** prtMarkerColorantValue; absent for what has no colour. */
  readonly color?: string;
  /** Percent; negative values are words (RFC 3805: -2 unknown, -3 some remaining). */
  readonly level: () => number;
}

export interface Tray {
  readonly name: string;
  readonly capacity: number;
  readonly level: () => number;
}

export interface PrinterFacts {
  readonly model: string;
  readonly serial: string;
  readonly memory: number;
  /** prtMarkerLifeCount, in impressions. */
  readonly lifeCount: () => number;
  readonly printing: () => boolean;
  readonly supplies: readonly Supply[];
  readonly trays: readonly Tray[];
}

/** Percent at which a printer begins to complain. */
const LOW = 10;
const LOW_TONER = '20';
const NO_TONER = '10';
/** prtAlertCode: markerTonerEmpty, markerTonerAlmostEmpty. */
const CODE = { empty: 1101, almostEmpty: 1104 } as const;

export function printerMib(facts: PrinterFacts): ObjectEntry[] {
  const toners = facts.supplies.filter(({ type }) => type === SUPPLY.toner);
  const lowest = () => Math.min(100, ...toners.map(({ level }) => level()));
  return [
    ...storage([{ descr: 'RAM', kind: STORAGE.ram, unit: 1024, size: facts.memory, used: () => facts.memory * 0.62 }]),
    ...row('1.3.6.1.2.1.25.3.2.1', 1, {
      1: integer(1),
      2: oid('1.3.6.1.2.1.25.3.1.5'),
      3: text(facts.model),
      4: oid('0.0'),
      5: () => integer(lowest() <= LOW ? 3 : 2),
    }),
    ...row('1.3.6.1.2.1.25.3.5.1', 1, {
      1: () => integer(facts.printing() ? 4 : 3),
      2: () => octets(errorState(lowest())),
    }),
    ...row('1.3.6.1.2.1.43.5.1.1', 1, { 16: text(facts.model), 17: text(facts.serial) }),
    ...row('1.3.6.1.2.1.43.10.2.1', '1.1', {
      2: integer(4),
      3: integer(7),
      4: () => counter32(facts.lifeCount()),
      6: integer(toners.length),
    }),
    ...facts.trays.flatMap((tray, n) => trayRow(tray, n + 1)),
    ...facts.supplies.flatMap((supply, n) => supplyRow(supply, n + 1)),
    ...toners.flatMap((supply, n) => tonerAlert(supply, n + 1)),
  ];
}

function trayRow(tray: Tray, index: number): ObjectEntry[] {
  return row('1.3.6.1.2.1.43.8.2.1', `1.${index}`, {
    2: integer(3),
    8: integer(8),
    9: integer(tray.capacity),
    10: () => integer(tray.level()),
    12: text('na_letter'),
    13: text(tray.name),
    18: text(tray.name),
  });
}

function supplyRow(supply: Supply, index: number): ObjectEntry[] {
  return [
    ...row('1.3.6.1.2.1.43.11.1.1', `1.${index}`, {
      2: integer(1),
      3: integer(supply.color === undefined ? 0 : index),
      4: integer(supply.filled ? CLASS.filled : CLASS.consumed),
      5: integer(supply.type),
      6: text(supply.description),
      7: integer(19), // percent
      8: integer(100),
      9: () => integer(supply.level()),
    }),
    ...(supply.color === undefined ? [] : row('1.3.6.1.2.1.43.12.1.1', `1.${index}`, { 4: text(supply.color) })),
  ];
}

/** hrPrinterDetectedErrorState, most significant bit first: bit 2 lowToner, bit 3 noToner. */
function errorState(lowest: number): string {
  if (lowest > LOW) return '00';
  return lowest <= 1 ? NO_TONER : LOW_TONER;
}

/** A line of the alert table, which is there while the toner is low. */
function tonerAlert(supply: Supply, index: number): ObjectEntry[] {
  const whileLow =
    (value: () => ReturnType<typeof integer>): ObjectValue =>
    () =>
      supply.level() <= LOW ? value() : undefined;
  const empty = () => supply.level() <= 1;
  return row('1.3.6.1.2.1.43.18.1.1', `1.${index}`, {
    2: whileLow(() => integer(empty() ? 3 : 4)),
    3: whileLow(() => integer(4)),
    4: whileLow(() => integer(11)),
    5: whileLow(() => integer(index)),
    7: whileLow(() => integer(empty() ? CODE.empty : CODE.almostEmpty)),
    8: whileLow(() => text(`${supply.description} ${empty() ? 'empty' : 'low'}`)),
    9: whileLow(() => gauge(0)),
  });
}
