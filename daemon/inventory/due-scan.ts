/** When a range may and should be scanned. Pure. */
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import { serviceHours } from '#config/service-hours.ts';
import { dateAt, nextDate, timeOfDay, weekdayOf } from '../calendar.ts';
import type { ScanState } from './ledger.ts';

export interface ScanPlan {
  readonly range: string;
  readonly every: Milliseconds;
  /** As service hours are written; absent: at any time. */
  readonly window?: string;
}

/** Whether `at` lies in the window, in the site's time zone. Hours may run past midnight. */
export function inWindow(window: string | undefined, at: WallTime, timezone: string): boolean {
  if (window === undefined) return true;
  const { days } = serviceHours(window);
  if (days === 'always') return true;
  const today = dateAt(at, timezone);
  return [nextDate(today, -1), today].some((date) =>
    (days[weekdayOf(date) - 1] ?? []).some(
      ({ from, to }) => timeOfDay(date, from, timezone) <= at && at < timeOfDay(date, to, timezone),
    ),
  );
}

/**
 * Whether the range is due: never scanned, stopped before its end, or last begun longer ago than its interval. A last
 * scan in the future is one of a clock that was wrong.
 */
export function isDue(
  { range, every, window }: ScanPlan,
  last: ScanState | undefined,
  now: WallTime,
  timezone: string,
): boolean {
  if (!inWindow(window, now, timezone)) return false;
  if (last?.range !== range || last.finished === undefined) return true;
  return now - last.started >= every || last.started > now;
}
