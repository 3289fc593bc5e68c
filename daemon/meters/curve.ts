/** What a counter stood at when a period was cut, and how well that is known. Pure. */
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import { datesIn, nextDate, startOfDay, weekdayOf } from '../calendar.ts';
import type { Point } from './segments.ts';

/**
 * - `actual`: read within the contract's tolerance of the cut
 * - `interpolated`: on the straight line between a read before and a read after it
 * - `estimated`: from the printer's own weekly pattern, for nothing was read since; trued up in the next period
 * - `manual`: read from the panel by a person
 */
export type ValueClass = 'actual' | 'interpolated' | 'estimated' | 'manual';

/** One of the two reads that a value rests on. */
export interface BoundingRead {
  readonly device: string;
  readonly number: number;
  readonly at: WallTime;
  readonly counter: number;
}

export interface CutValue {
  readonly at: WallTime;
  readonly class: ValueClass;
  /** Pages billed until then, over all segments. */
  readonly cumulative: number;
  /** What the panel showed, or would have. */
  readonly counter: number;
  /** The reads that it rests on, the earlier first. */
  readonly reads: readonly BoundingRead[];
  /** The printer was read for the first time after this instant. */
  readonly began?: true;
}

export interface CutRules {
  readonly tolerance: Milliseconds;
  readonly timezone: string;
}

const DAY = 86_400_000;
/** How far back the weekly pattern looks, and the least that makes a pattern rather than a mean. */
export const PATTERN_DAYS = 56;
const LEAST_PATTERN_DAYS = 14;
/** A printer that was silent for longer is estimated no further: it may be gone. */
const MOST_ESTIMATED_DAYS = 62;

/** The value of a curve at `cut`; undefined when it has no point at all. */
export function valueAt(points: readonly Point[], cut: WallTime, rules: CutRules): CutValue | undefined {
  const after = firstAfter(points, cut);
  const before = points[after - 1];
  const next = points[after];
  if (before && cut - before.at <= rules.tolerance) return onRead(before, cut);
  if (!before) return next && { ...onRead(next, cut), began: true };
  if (next && next.at - cut <= rules.tolerance) return onRead(next, cut);
  if (next) return between(before, next, cut);
  const pages = estimate(points, before, cut, rules.timezone);
  return {
    at: cut,
    class: 'estimated',
    cumulative: before.cumulative + pages,
    counter: before.counter + pages,
    reads: [bounding(before)],
  };
}

const bounding = ({ at, counter, ref }: Point): BoundingRead => ({ ...ref, at, counter });

function onRead(point: Point, cut: WallTime): CutValue {
  return {
    at: cut,
    class: point.manual ? 'manual' : 'actual',
    cumulative: point.cumulative,
    counter: point.counter,
    reads: [bounding(point)],
  };
}

/** Whole pages, rounded down: the rest is counted at the next cut. */
function between(before: Point, next: Point, cut: WallTime): CutValue {
  const pages = share(next.cumulative - before.cumulative, cut - before.at, next.at - before.at);
  return {
    at: cut,
    class: 'interpolated',
    cumulative: before.cumulative + pages,
    counter: before.counter + pages,
    reads: [bounding(before), bounding(next)],
  };
}

/** `pages * part / whole` rounded down, without leaving whole numbers. */
function share(pages: number, part: number, whole: number): number {
  return Number((BigInt(pages) * BigInt(Math.round(part))) / BigInt(Math.max(1, Math.round(whole))));
}

function firstAfter(points: readonly Point[], cut: WallTime): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.at ?? 0) <= cut) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Pages from the last read until `cut`: for each day of the week what the printer printed on such days in the eight weeks
 * before, in proportion to the hours of the day that are missing.
 */
export function estimate(points: readonly Point[], last: Point, cut: WallTime, timezone: string): number {
  const first = points.find(({ at }) => at >= last.at - PATTERN_DAYS * DAY) ?? last;
  const until = Math.min(cut, last.at + MOST_ESTIMATED_DAYS * DAY) as WallTime;
  const history = last.at - first.at;
  if (history < DAY || until <= last.at) return 0;
  const mean = (last.cumulative - first.cumulative) / history;
  if (history < LEAST_PATTERN_DAYS * DAY) return Math.floor(mean * (until - last.at));
  const pages = new Array<number>(8).fill(0);
  const time = new Array<number>(8).fill(0);
  for (const day of daysBetween(first.at, last.at, timezone)) {
    pages[day.weekday] = (pages[day.weekday] ?? 0) + cumulativeAt(points, day.to) - cumulativeAt(points, day.from);
    time[day.weekday] = (time[day.weekday] ?? 0) + day.to - day.from;
  }
  let sum = 0;
  for (const day of daysBetween(last.at, until, timezone)) {
    const known = time[day.weekday] ?? 0;
    const rate = known > 0 ? (pages[day.weekday] ?? 0) / known : mean;
    sum += rate * (day.to - day.from);
  }
  // A sum of shares may lie a hair below the whole page that it is.
  return Math.floor(sum + 1e-6);
}

interface PartOfDay {
  readonly weekday: number;
  readonly from: WallTime;
  readonly to: WallTime;
}

function daysBetween(from: WallTime, to: WallTime, timezone: string): PartOfDay[] {
  return datesIn({ from, to }, timezone).map((date) => ({
    weekday: weekdayOf(date),
    from: Math.max(from, startOfDay(date, timezone)) as WallTime,
    to: Math.min(to, startOfDay(nextDate(date), timezone)) as WallTime,
  }));
}

function cumulativeAt(points: readonly Point[], at: WallTime): number {
  const index = firstAfter(points, at);
  const before = points[index - 1];
  const next = points[index];
  if (!before) return next?.cumulative ?? 0;
  if (!next || before.at === at) return before.cumulative;
  return before.cumulative + ((next.cumulative - before.cumulative) * (at - before.at)) / (next.at - before.at);
}
