import type { WallTime } from '#collectors/contract.ts';
import { publicHolidays } from '#config/holidays.ts';
import type { SlaSettings } from '#config/schema.ts';
import { serviceHours } from '#config/service-hours.ts';
import { dateAt, datesIn, nextDate, type Span, startOfDay, timeOfDay, weekdayOf } from '../calendar.ts';
import { intersect, subtract, union } from './spans.ts';

/** A day on which nothing is promised. */
export interface Holiday {
  readonly span: Span;
  readonly name: string;
}

/** When an SLA holds within a span. */
export interface ServiceTime {
  /** Service hours, holidays taken out. */
  readonly agreed: readonly Span[];
  /** Holidays that took service hours away. */
  readonly holidays: readonly Holiday[];
}

/** Lays service hours and holidays of an SLA over a span, in the SLA's time zone. Days may have 23, 24 or 25 hours. */
export function serviceTime(
  sla: Pick<SlaSettings, 'service_hours' | 'holidays'>,
  within: Span,
  timezone: string,
): ServiceTime {
  const hours = hoursIn(sla.service_hours, within, timezone);
  const holidays = holidaysIn(sla.holidays, within, timezone).filter(({ span }) => intersect(hours, [span]).length > 0);
  return { agreed: subtract(hours, union(holidays.map(({ span }) => span))), holidays };
}

function hoursIn(text: string, within: Span, timezone: string): Span[] {
  const { days } = serviceHours(text);
  if (within.to <= within.from) return [];
  if (days === 'always') return [within];
  // Hours past midnight of the day before reach into the span.
  const dates = [nextDate(dateAt(within.from, timezone), -1), ...datesIn(within, timezone)];
  const spans = dates.flatMap((date) =>
    (days[weekdayOf(date) - 1] ?? []).map(({ from, to }) => ({
      from: timeOfDay(date, from, timezone),
      to: timeOfDay(date, to, timezone),
    })),
  );
  return intersect(union(spans), [within]);
}

function holidaysIn(settings: SlaSettings['holidays'], within: Span, timezone: string): Holiday[] {
  if (!settings) return [];
  const names = new Map<string, string>();
  const { country, region, dates } = settings;
  if (country !== undefined) {
    const years = new Set(datesIn(within, timezone).map((date) => Number(date.slice(0, 4))));
    for (const year of years) for (const { date, name } of publicHolidays(country, region, year)) names.set(date, name);
  }
  for (const date of dates) names.set(date, names.get(date) ?? 'agreed holiday');
  return [...names]
    .map(([date, name]) => ({
      name,
      span: { from: startOfDay(date, timezone), to: startOfDay(nextDate(date), timezone) },
    }))
    .filter(({ span }) => span.from < within.to && span.to > within.from)
    .toSorted((a, b) => a.span.from - b.span.from);
}

/** Whether an SLA's service hours hold at a time. */
export function inService(
  sla: Pick<SlaSettings, 'service_hours' | 'holidays'>,
  at: WallTime,
  timezone: string,
): boolean {
  return serviceTime(sla, { from: at, to: (at + 1) as WallTime }, timezone).agreed.length > 0;
}
