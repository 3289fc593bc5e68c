/** Our calendar against luxon's, for as many years as a test has time for. */
import { DateTime, Settings } from 'luxon';
import type { WallTime } from '#collectors/contract.ts';
import { periodAround, type Span } from '#daemon/calendar.ts';

Settings.throwOnInvalid = true;
export const ZONES = Intl.supportedValuesOf('timeZone');

export const noon = (year: number, month: number): WallTime => Date.UTC(year, month - 1, 15, 12) as WallTime;

/** Months whose edges are not where luxon has them. */
export function wrongMonths(firstYear: number, years: number): string[] {
  const wrong: string[] = [];
  for (const zone of ZONES) {
    for (let month = 0; month < years * 12; month += 1) {
      const [year, number] = [firstYear + Math.floor(month / 12), (month % 12) + 1];
      const { from, to } = periodAround('calendar_month', noon(year, number), zone);
      const first = DateTime.fromObject({ year, month: number, day: 1 }, { zone });
      const edges = [dayStart(first), dayStart(first.plus({ months: 1 }))];
      if (from !== edges[0] || to !== edges[1])
        wrong.push(`${zone} ${year}-${number}: ${from}/${to}, not ${edges.join('/')}`);
    }
  }
  return wrong;
}

/** A midnight that comes twice, as in Havana: luxon names the second one, and the day begins with the first. */
function dayStart(date: DateTime): number {
  const start = date.startOf('day');
  const earlier = start.minus({ hours: 1 });
  return (earlier.day === start.day ? earlier : start).toMillis();
}

/** Years whose months or quarters do not touch or do not sum to them. */
export function wrongSums(firstYear: number, years: number): string[] {
  const wrong: string[] = [];
  for (const zone of ZONES) {
    for (let year = firstYear; year < firstYear + years; year += 1) {
      const whole = periodAround('calendar_year', noon(year, 6), zone);
      const months = Array.from({ length: 12 }, (_, index) =>
        periodAround('calendar_month', noon(year, index + 1), zone),
      );
      const quarters = [2, 5, 8, 11].map((month) => periodAround('calendar_quarter', noon(year, month), zone));
      for (const parts of [months, quarters]) {
        const touch = parts.every(({ to }, index) => to === (parts[index + 1]?.from ?? whole.to));
        if (!touch || parts[0]?.from !== whole.from || sum(parts) !== whole.to - whole.from)
          wrong.push(`${zone} ${year}`);
      }
    }
  }
  return wrong;
}

function sum(spans: readonly Span[]): number {
  return spans.reduce((all, { from, to }) => all + (to - from), 0);
}
