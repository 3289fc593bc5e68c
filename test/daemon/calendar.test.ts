import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import type { WallTime } from '#collectors/contract.ts';
import { datesIn, instantOf, parsePeriod, periodAround, type Span, startOfDay, timeOfDay } from '#daemon/calendar.ts';
import { noon, wrongMonths, wrongSums, ZONES } from '../support/calendar-checks.ts';

const HOUR = 3_600_000;

const length = ({ from, to }: Span): number => to - from;

test('months of all zones begin and end where another library says', () => {
  expect(wrongMonths(2026, 2)).toEqual([]);
});

test('days sum to their month, months to their quarters and years', () => {
  expect(wrongSums(2026, 1)).toEqual([]);
});

test('days have 23 to 25 hours, or half an hour less of a change on Lord Howe and two hours of it at Troll', () => {
  const lengths = new Set<number>();
  for (const zone of ZONES) {
    for (const month of [3, 4, 9, 10, 11]) {
      const span = periodAround('calendar_month', noon(2026, month), zone);
      const days = datesIn(span, zone).map((date) => startOfDay(date, zone));
      const ends = [...days.slice(1), span.to];
      for (const [index, from] of days.entries()) lengths.add(((ends[index] ?? 0) - from) / HOUR);
      expect(days[0]).toBe(span.from);
    }
  }

  expect([...lengths].toSorted((a, b) => a - b)).toEqual([22, 23, 23.5, 24, 24.5, 25, 26]);
});

test('weeks begin on Monday and are the ones of ISO 8601', () => {
  for (const zone of ['Europe/Berlin', 'America/New_York', 'Pacific/Apia', 'Asia/Kathmandu']) {
    for (let number = 1; number <= 52; number += 1) {
      const span = parsePeriod(`2026-W${String(number).padStart(2, '0')}`, noon(2026, 1), zone);

      expect(span?.from).toBe(DateTime.fromObject({ weekYear: 2026, weekNumber: number }, { zone }).toMillis());
    }
  }
});

describe('clock changes', () => {
  test('a time that is skipped is as much later as the clock jumps', () => {
    expect(new Date(instantOf('2026-03-29T02:30', 'Europe/Berlin')).toISOString()).toBe('2026-03-29T01:30:00.000Z');
    expect(timeOfDay('2026-03-29', 150, 'Europe/Berlin')).toBe(instantOf('2026-03-29T02:30', 'Europe/Berlin'));
  });

  test('a time that comes twice is meant the first time, and an offset says which is meant', () => {
    const twice = parsePeriod('2026-10-25T02:30/2026-10-25T02:30+01:00', noon(2026, 10), 'Europe/Berlin');

    expect(twice && length(twice)).toBe(HOUR);
  });

  test('a day that a zone skipped has no length', () => {
    expect(startOfDay('2011-12-30', 'Pacific/Apia')).toBe(startOfDay('2011-12-31', 'Pacific/Apia'));
  });
});

describe('periods as people write them', () => {
  const now = Date.parse('2026-11-24T07:00:00Z') as WallTime;
  const iso = (text: string) => {
    const span = parsePeriod(text, now, 'Europe/Berlin');
    return span && [new Date(span.from).toISOString(), new Date(span.to).toISOString()];
  };

  test.each([
    ['2026-10', '2026-09-30T22:00:00.000Z', '2026-10-31T23:00:00.000Z'],
    ['this-month', '2026-10-31T23:00:00.000Z', '2026-11-30T23:00:00.000Z'],
    ['last-month', '2026-09-30T22:00:00.000Z', '2026-10-31T23:00:00.000Z'],
    ['2026-Q3', '2026-06-30T22:00:00.000Z', '2026-09-30T22:00:00.000Z'],
    ['2026', '2025-12-31T23:00:00.000Z', '2026-12-31T23:00:00.000Z'],
    ['2026-10-01/2026-10-02', '2026-09-30T22:00:00.000Z', '2026-10-01T22:00:00.000Z'],
    ['2026-10-01T08:00:00Z/2026-10-01T09:00+02:00', undefined, undefined],
    ['2026-10-01T08:00/2026-10-01T09:30', '2026-10-01T06:00:00.000Z', '2026-10-01T07:30:00.000Z'],
  ])('%s', (text, from, to) => {
    expect(iso(text)).toEqual(from === undefined ? undefined : [from, to]);
  });

  test.each([
    '',
    '2026-13',
    '2026-Q5',
    '2026-W54',
    '2026-10-02/2026-10-01',
    'October',
    '2026-10/',
    '2026-10-01/2026-10-02/3',
  ])('%j is none', (text) => {
    expect(parsePeriod(text, now, 'Europe/Berlin')).toBeUndefined();
  });
});
