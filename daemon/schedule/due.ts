import type { Milliseconds, Monotonic } from '#collectors/contract.ts';

export interface Due {
  readonly at: Monotonic;
  /** Cycles that were skipped because the one before took, or started, too late. */
  readonly missed: number;
}

/**
 * When a lane is due next. Counts from the schedule, not from `now`, so that lateness never adds up; what was missed is
 * counted and never caught up in a burst.
 */
export function nextDue(previous: Monotonic, interval: Milliseconds, now: Monotonic): Due {
  const missed = Math.max(0, Math.ceil((now - previous) / interval) - 1);
  return { at: (previous + (missed + 1) * interval) as Monotonic, missed };
}

/** Longest interval to which the SNMP cycle of a silent device is stretched. */
export const LONGEST_BACKOFF = 600_000 as Milliseconds;

/**
 * The interval of a device that was silent `failures` times in a row: doubled each time, so that a dead device costs a
 * bounded share of the appliance. One failure changes nothing: packets get lost.
 */
export function backedOff(interval: Milliseconds, failures: number): Milliseconds {
  const stretched = interval * 2 ** Math.min(20, Math.max(0, failures - 1));
  return Math.max(interval, Math.min(LONGEST_BACKOFF, stretched)) as Milliseconds;
}

/**
 * How long after the start a lane begins: at random within its interval, but for a small fleet within a second or two,
 * so that the first readings are there when the technician looks.
 * @param random from 0 to 1
 */
export function startDelay(interval: Milliseconds, lanes: number, random: number): Milliseconds {
  const spread = Math.min(interval, Math.max(500, lanes * 5));
  return (random * spread) as Milliseconds;
}

/** Least part of the interval between a lane's first cycle and its second. */
const LEAST_GAP = 0.1;
/**
 * Lanes that share a start, on average. A process that wakes up for each of hundreds of devices finds its caches cold
 * each time; a few at once cost a fifth less, and a few packets at once hurt nobody.
 */
const LANES_TOGETHER = 4;
/** However few lanes there are. */
const LEAST_STARTS = 16;

/** When the lanes of a schedule may start. */
export interface Grid {
  /** A moment that is a start for every interval. */
  readonly origin: Monotonic;
  readonly lanes: number;
}

/**
 * When the second cycle is due. First cycles come together so that somebody sees them soon; from the second on they are
 * spread over the whole interval, a few at a time, so that neither the network nor the heap meets the whole fleet at once.
 * @param random from 0 to 1
 */
export function secondDue(
  first: Monotonic,
  interval: Milliseconds,
  random: number,
  { origin, lanes }: Grid,
): Monotonic {
  const starts = Math.max(LEAST_STARTS, Math.round(lanes / LANES_TOGETHER));
  const step = interval / starts;
  const latest = first - origin + interval;
  const wanted = latest - random * (interval * (1 - LEAST_GAP) - step);
  return (origin + Math.floor(wanted / step + ROUNDING) * step) as Monotonic;
}

/** What a quotient that should be whole may lack of it. */
const ROUNDING = 1e-6;
