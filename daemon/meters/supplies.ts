/** Toner, drums and their like: when each was replaced, and how long what is left will last. Pure. */
import type { WallTime } from '#collectors/contract.ts';

export interface SupplyLevel {
  readonly at: WallTime;
  /** Per cent of a full one. */
  readonly level: number;
}

export interface DaysLeft {
  readonly days: number;
  /** Between these it lies, by how coarse the printer's levels are and how evenly it prints. */
  readonly low: number;
  readonly high: number;
}

const DAY = 86_400_000;
/** Levels are looked at so far back: kept each by itself. */
export const LEVEL_DAYS = 60;
/** A supply that has risen by more has been replaced. Less may be a shaken cartridge or another estimate. */
const REPLACED_RISE = 20;
/** Replaced with more than this left: someone threw toner away. */
const EARLY_LEFT = 15;
const USE_DAYS = 42;
const LEAST_DAYS = 3;
const LEAST_STEPS = 3;
const MOST_DAYS = 730;

export const wasReplaced = (before: number, now: number): boolean => now - before > REPLACED_RISE;
export const wasEarly = (left: number): boolean => left > EARLY_LEFT;

/** Levels since the supply was put in. */
export function sinceReplaced(levels: readonly SupplyLevel[]): readonly SupplyLevel[] {
  const index = levels.findLastIndex(({ level }, place) => {
    const before = levels[place - 1];
    return before !== undefined && wasReplaced(before.level, level);
  });
  return index < 0 ? levels : levels.slice(index);
}

/**
 * Days until it is empty, by the use of the last six weeks. Undefined while too few steps were seen: many printers report
 * in tenths, and two of them are no pace.
 */
export function daysLeft(levels: readonly SupplyLevel[], now: WallTime): DaysLeft | undefined {
  const recent = sinceReplaced(levels).filter(({ at }) => at >= now - USE_DAYS * DAY);
  const first = recent[0];
  const last = recent.at(-1);
  const steps = recent.filter(({ level }, index) => level < (recent[index - 1]?.level ?? level));
  if (!first || !last || steps.length < LEAST_STEPS) return undefined;
  const days = (now - first.at) / DAY;
  const used = first.level - last.level;
  if (days < LEAST_DAYS || used <= 0) return undefined;
  const resolution = used / steps.length;
  // Each end is known to half a step only, and use comes in jobs: the root of their number is how far it strays.
  const stray = resolution / 2 + resolution * Math.sqrt(steps.length);
  const at = (pace: number) => Math.min(MOST_DAYS, Math.round((last.level / pace) * days));
  return {
    days: at(used),
    low: at(used + stray),
    high: used - stray > 0 ? at(used - stray) : MOST_DAYS,
  };
}
