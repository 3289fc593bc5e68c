import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  inverted,
  isReceptacle,
  supplyColor,
  supplyDescription,
  supplyLevel,
  supplyState,
  supplyType,
  trayLevel,
} from '#collectors/snmp/profile/supplies.ts';

const PERCENT = 19;
const IMPRESSIONS = 7;

describe('supply levels', () => {
  test('a level is a share of its capacity, whatever the unit', () => {
    expect(supplyLevel(3_000, 12_000, IMPRESSIONS)).toEqual({ kind: 'known', ratio: 0.25 });
    expect(supplyLevel(0, 100, undefined)).toEqual({ kind: 'known', ratio: 0 });
  });

  test('negative levels are words and never amounts', () => {
    expect(supplyLevel(-1, 100, PERCENT)).toEqual({ kind: 'unlimited' });
    expect(supplyLevel(-2, -2, PERCENT)).toEqual({ kind: 'unknown' });
    expect(supplyLevel(-3, 100, PERCENT)).toEqual({ kind: 'some-remaining' });
    expect(supplyLevel(-100, 100, PERCENT)).toEqual({ kind: 'almost-empty' });
    expect(supplyLevel(-7, 100, PERCENT)).toEqual({ kind: 'unknown' });
  });

  test('a percentage needs no capacity, an amount does', () => {
    expect(supplyLevel(55, -2, PERCENT)).toEqual({ kind: 'known', ratio: 0.55 });
    expect(supplyLevel(55, -2, undefined)).toEqual({ kind: 'unknown' });
    expect(supplyLevel(55, undefined, IMPRESSIONS)).toEqual({ kind: 'unknown' });
    expect(supplyLevel(155, -1, PERCENT)).toEqual({ kind: 'unknown' });
  });

  test('a level above its capacity is incoherent and unknown', () => {
    expect(supplyLevel(143_065, 100, PERCENT)).toEqual({ kind: 'unknown' });
  });

  test('whatever the numbers are, a known ratio is between 0 and 1', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.option(fc.integer(), { nil: undefined }),
        fc.option(fc.nat(40), { nil: undefined }),
        (level, max, unit) => {
          const found = supplyLevel(level, max, unit);
          expect(found.kind !== 'known' || (found.ratio >= 0 && found.ratio <= 1)).toBe(true);
        },
      ),
    );
  });

  test('a receptacle that reports what is in it is turned round', () => {
    expect(inverted({ kind: 'known', ratio: 0.25 })).toEqual({ kind: 'known', ratio: 0.75 });
    expect(inverted({ kind: 'some-remaining' })).toEqual({ kind: 'some-remaining' });
  });

  test('a state follows from the level', () => {
    expect(supplyState({ kind: 'known', ratio: 0 })).toBe('empty');
    expect(supplyState({ kind: 'known', ratio: 0.1 })).toBe('low');
    expect(supplyState({ kind: 'known', ratio: 0.11 })).toBe('ok');
    expect(supplyState({ kind: 'some-remaining' })).toBe('ok');
    expect(supplyState({ kind: 'almost-empty' })).toBe('low');
    expect(supplyState({ kind: 'unlimited' })).toBe('ok');
    expect(supplyState({ kind: 'unknown' })).toBe('unknown');
  });
});

describe('kinds of supply', () => {
  test.each([
    [3, 'anything', undefined, 'toner'],
    [21, 'Black Cartridge', 3, 'toner'],
    [9, 'Drum', 3, 'drum'],
    [3, 'Waste Toner Box', undefined, 'waste_toner'],
    [3, 'Toner bottle', 4, 'waste_toner'],
    [6, 'Ink', 3, 'ink'],
    [32, 'Staples', undefined, 'staples'],
    [8, 'Maintenance Box', 4, 'waste_ink'],
  ])('type %d of %s with class %s is %s', (type, description, supplyClass, expected) => {
    expect(supplyType(type, description, supplyClass)).toBe(expected);
  });

  test.each([
    ['Resttonerbehälter', 'waste_toner'],
    ['廃トナー', 'waste_toner'],
    ['Bac de récupération', 'waste_toner'],
    ['Trommel Schwarz', 'drum'],
    ['Fixiereinheit', 'fuser'],
    ['Transfer Belt', 'transfer'],
    ['Heftklammern', 'staples'],
    ['Tinte Cyan', 'ink'],
    ['Maintenance Kit', 'maintenance_kit'],
    ['Something', 'other'],
  ])('where the agent gives no type, %s is %s', (description, expected) => {
    expect(supplyType(1, description, undefined)).toBe(expected);
    expect(supplyType(undefined, description, undefined)).toBe(expected);
  });

  test('a word of the profile stands for itself', () => {
    expect(supplyType('belt', 'x')).toBe('belt');
  });

  test('waste and class 4 are receptacles', () => {
    expect(isReceptacle('waste_toner', undefined)).toBe(true);
    expect(isReceptacle('other', 4)).toBe(true);
    expect(isReceptacle('toner', 3)).toBe(false);
  });
});

describe('colors of supplies', () => {
  test.each([
    ['black', '', 'toner', 'black'],
    ['Photo Black', '', 'ink', 'photo black'],
    [undefined, 'Toner Cyan', 'toner', 'cyan'],
    [undefined, 'Toner schwarz', 'toner', 'black'],
    [undefined, 'Cartouche jaune', 'toner', 'yellow'],
    [undefined, 'Toner Cartridge (K)', 'toner', 'black'],
    [undefined, 'TK-5240CS', 'toner', 'cyan'],
    [undefined, 'TN-423BK', 'toner', 'black'],
    [undefined, 'Light Magenta Ink', 'ink', 'light magenta'],
    [undefined, 'Tri-color Ink', 'ink', 'color'],
    ['other', 'Toner', 'toner', ''],
    [undefined, 'Black or Cyan', 'toner', ''],
    ['black', 'Waste Toner', 'waste_toner', ''],
    [undefined, 'Fuser', 'fuser', ''],
  ])('%s and %s (%s) is %s', (colorant, description, type, expected) => {
    expect(supplyColor(colorant, description, type)).toBe(expected);
  });
});

describe('names of supplies', () => {
  test('the serial of a cartridge is no part of its name', () => {
    expect(supplyDescription('Black Toner;SN1234ABCD5678')).toBe('Black Toner');
    expect(supplyDescription('Cyan Cartridge, S/N: CRUM-19052112345')).toBe('Cyan Cartridge');
    expect(supplyDescription('Drum Unit Serial Number: AB12345')).toBe('Drum Unit');
    expect(supplyDescription('Snow white toner')).toBe('Snow white toner');
  });
});

describe('trays', () => {
  test('a tray is filled, holds something, or is not known', () => {
    expect(trayLevel(100, 500, 8)).toEqual({ kind: 'known', ratio: 0.2 });
    expect(trayLevel(-3, 500, 8)).toEqual({ kind: 'some' });
    expect(trayLevel(-2, 500, 8)).toEqual({ kind: 'unknown' });
    expect(trayLevel(600, 500, 8)).toEqual({ kind: 'unknown' });
  });
});
