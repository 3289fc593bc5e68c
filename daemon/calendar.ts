/** Civil time: months, days of 23 and 25 hours, local times as instants. The only file that knows `temporal-polyfill`. */
import { Temporal } from 'temporal-polyfill';
import type { WallTime } from '#collectors/contract.ts';

/** From `from`, included, to `to`, not included. */
export interface Span {
  readonly from: WallTime;
  readonly to: WallTime;
}

/** A calendar date as `2026-10-25`. */
export type LocalDate = string;

export type PeriodKind = 'calendar_month' | 'calendar_week' | 'calendar_quarter' | 'calendar_year';

/** 1 is Monday, 7 is Sunday (ISO 8601). */
export type Weekday = 1 | 2 | 3 | 4 | 5 | 6 | 7;

/**
 * The instant at which a local date begins. Where midnight is skipped by a clock change, the first instant after it.
 */
export function startOfDay(date: LocalDate, timezone: string): WallTime {
  return wall(Temporal.PlainDate.from(date).toZonedDateTime(timezone));
}

/**
 * The instant of `2026-12-05T22:00` in a time zone. A time that a clock change skips is taken as much later as the clock
 * jumps, one that it repeats is taken the first time (RFC 5545, as `compatible` of Temporal).
 */
export function instantOf(local: string, timezone: string): WallTime {
  return wall(Temporal.PlainDateTime.from(local).toZonedDateTime(timezone));
}

/** As `instantOf`, `minutes` after the midnight of a date on the clock on the wall; 1440 is the next midnight. */
export function timeOfDay(date: LocalDate, minutes: number, timezone: string): WallTime {
  const day = Temporal.PlainDate.from(date).add({ days: Math.floor(minutes / 1440) });
  const rest = minutes % 1440;
  if (rest === 0) return wall(day.toZonedDateTime(timezone));
  return wall(
    day
      .toPlainDateTime(Temporal.PlainTime.from({ hour: Math.floor(rest / 60), minute: rest % 60 }))
      .toZonedDateTime(timezone),
  );
}

/** The date on the calendar of a time zone. */
export function dateAt(at: WallTime, timezone: string): LocalDate {
  return zoned(at, timezone).toPlainDate().toString();
}

/** Every date that has a part in the span, in order. A date that a zone skipped has none. */
export function datesIn({ from, to }: Span, timezone: string): LocalDate[] {
  const dates: LocalDate[] = [];
  if (to <= from) return dates;
  const last = zoned((to - 1) as WallTime, timezone).toPlainDate();
  let date = zoned(from, timezone).toPlainDate();
  for (; Temporal.PlainDate.compare(date, last) <= 0; date = date.add({ days: 1 })) dates.push(date.toString());
  return dates;
}

export function weekdayOf(date: LocalDate): Weekday {
  return Temporal.PlainDate.from(date).dayOfWeek as Weekday;
}

export function nextDate(date: LocalDate, days = 1): LocalDate {
  return Temporal.PlainDate.from(date).add({ days }).toString();
}

/** The period of a kind that `at` lies in, or one `back` before it. Weeks begin on Monday. */
export function periodAround(kind: PeriodKind, at: WallTime, timezone: string, back = 0): Span {
  const first = firstDateOf(kind, zoned(at, timezone).toPlainDate());
  const length = LENGTHS[kind];
  const begin = back === 0 ? first : Temporal.PlainDate.from(first).subtract(times(length, back));
  return spanOfDates(begin, begin.add(length), timezone);
}

/**
 * The span of a period as people write it: `2026-10`, `2026-W45`, `2026-Q4`, `2026`, `this-month`, `last-month`, or
 * `FROM/TO` in ISO 8601, where a date is a midnight of the time zone and a time without offset is one of its clock.
 * @returns undefined when it is none of these, or ends before it begins
 */
export function parsePeriod(text: string, now: WallTime, timezone: string): Span | undefined {
  try {
    const span = periodOf(text, now, timezone);
    return span && span.to > span.from ? span : undefined;
  } catch {
    return undefined;
  }
}

/** Starts of something that repeats, from `start` on: the same local time on each day, week or month, `count` being 0, 1, … */
export function repeated(
  local: string,
  every: 'daily' | 'weekly' | 'monthly',
  count: number,
  timezone: string,
): WallTime {
  // Always counted from the first one: the 31st of a month is the 28th of February, and then the 31st again.
  const step = every === 'daily' ? { days: count } : every === 'weekly' ? { weeks: count } : { months: count };
  return wall(Temporal.PlainDateTime.from(local).add(step).toZonedDateTime(timezone));
}

/** Local date and time to the minute, `2026-10-25 02:30`, or to the second where that is not a whole minute. */
export function localTime(at: WallTime, timezone: string): string {
  const time = zoned(at, timezone);
  const text = time.toPlainDateTime().round({ smallestUnit: 'second', roundingMode: 'floor' }).toString();
  return text.replace('T', ' ').replace(/^(.{16}):00$/, '$1');
}

/** ISO 8601 to the millisecond, with the offset of the time zone at that time. */
export function isoInstant(at: WallTime, timezone: string): string {
  return zoned(at, timezone).toString({ timeZoneName: 'never', smallestUnit: 'millisecond' });
}

const LENGTHS: Readonly<Record<PeriodKind, Temporal.DurationLike>> = {
  calendar_week: { weeks: 1 },
  calendar_month: { months: 1 },
  calendar_quarter: { months: 3 },
  calendar_year: { years: 1 },
};

function times(length: Temporal.DurationLike, factor: number): Temporal.DurationLike {
  return Object.fromEntries(Object.entries(length).map(([unit, value]) => [unit, Number(value) * factor]));
}

function firstDateOf(kind: PeriodKind, date: Temporal.PlainDate): Temporal.PlainDate {
  switch (kind) {
    case 'calendar_week':
      return date.subtract({ days: date.dayOfWeek - 1 });
    case 'calendar_month':
      return date.with({ day: 1 });
    case 'calendar_quarter':
      return date.with({ month: date.month - ((date.month - 1) % 3), day: 1 });
    case 'calendar_year':
      return date.with({ month: 1, day: 1 });
    default:
      return kind satisfies never;
  }
}

function periodOf(text: string, now: WallTime, timezone: string): Span | undefined {
  if (text === 'this-month') return periodAround('calendar_month', now, timezone);
  if (text === 'last-month') return periodAround('calendar_month', now, timezone, 1);
  const month = /^\d{4}-\d{2}$/.test(text) ? Temporal.PlainYearMonth.from(text).toPlainDate({ day: 1 }) : undefined;
  if (month) return spanOfDates(month, month.add({ months: 1 }), timezone);
  const [, year = '', part, number] = /^(\d{4})(?:-([QW])(\d{1,2}))?$/.exec(text) ?? [];
  if (year !== '' && part === undefined) {
    const first = Temporal.PlainDate.from(`${year}-01-01`);
    return spanOfDates(first, first.add({ years: 1 }), timezone);
  }
  if (part === 'Q') {
    if (!/^[1-4]$/.test(number ?? '')) return undefined;
    const first = Temporal.PlainDate.from({ year: Number(year), month: 3 * Number(number) - 2, day: 1 });
    return spanOfDates(first, first.add({ months: 3 }), timezone);
  }
  if (part === 'W') return week(Number(year), Number(number), timezone);
  const [from, to, ...rest] = text.split('/');
  if (from === undefined || to === undefined || rest.length > 0) return undefined;
  return { from: isoTime(from, timezone), to: isoTime(to, timezone) };
}

/** ISO 8601: week 1 is the one with the fourth of January in it. */
function week(year: number, number: number, timezone: string): Span | undefined {
  const fourth = Temporal.PlainDate.from({ year, month: 1, day: 4 });
  const monday = firstDateOf('calendar_week', fourth).add({ weeks: number - 1 });
  if (number < 1 || monday.yearOfWeek !== year) return undefined;
  return spanOfDates(monday, monday.add({ weeks: 1 }), timezone);
}

function isoTime(text: string, timezone: string): WallTime {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return startOfDay(text, timezone);
  if (/(Z|[+-]\d{2}:?\d{2})$/.test(text)) return Temporal.Instant.from(text).epochMilliseconds as WallTime;
  return instantOf(text, timezone);
}

function spanOfDates(first: Temporal.PlainDate, next: Temporal.PlainDate, timezone: string): Span {
  return { from: wall(first.toZonedDateTime(timezone)), to: wall(next.toZonedDateTime(timezone)) };
}

function zoned(at: WallTime, timezone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone);
}

function wall(time: Temporal.ZonedDateTime): WallTime {
  return time.epochMilliseconds as WallTime;
}
