/**
 * What a step from one value of a counter to the next means. Pure rules, in figures that stand in docs/meters.md: change
 * both together.
 */
import type { Milliseconds } from '#collectors/contract.ts';
import { type Read, type Source, slotPlaces } from './read.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

/** Counters are often raised when a job ends: so much time of printing may lie before the first of two reads. */
const JOB_MINUTES = 10;
/** A counter over `SMALL_FALL_ABOVE` may go back by so many pages (Xerox: 4) without being another counter. */
const SMALL_FALL_PAGES = 10;
const SMALL_FALL_ABOVE = 100;
/** Where counters are known to start anew: HP's six digits, 31 and 32 bits. */
const WRAPS = [2 ** 32, 2 ** 31, 1_000_000] as const;
/** A reset printer that has no history yet may have printed so many pages since. */
const RESET_PAGES = 500;
const RESET_TIMES_PACE = 3;
const HISTORY_DAYS = 7;

export interface Pace {
  /** Pages a minute that the printer can reach at most. */
  readonly rated: number;
  /** Pages that were counted since `days` days. */
  readonly counted: number;
  readonly days: number;
}

/** The most pages that can come out in `elapsed`. */
export function mostPages(rated: number, elapsed: Milliseconds): number {
  return Math.floor(rated * (Math.max(0, elapsed) / MINUTE + JOB_MINUTES));
}

/** The least rated speed at which `pages` can come out in `elapsed` milliseconds. */
export function leastRated(pages: number, elapsed: number): number {
  return Math.ceil(pages / (elapsed / MINUTE + JOB_MINUTES));
}

export function isSmallFall(from: number, to: number): boolean {
  return to < from && from - to <= SMALL_FALL_PAGES && to >= SMALL_FALL_ABOVE;
}

export interface FallGuess {
  readonly reason: 'wrap' | 'reset' | 'board-swap';
  /** Value at which the counter before the fall ended: its last value, or where it wrapped. */
  readonly end: number;
  /** Value at which the counter after the fall began: nothing below it is billed. */
  readonly start: number;
  readonly evidence: string;
}

/**
 * Why a counter fell. A reset begins at 0 and is billed from there only where so many pages fit to what this printer
 * usually does; otherwise the new counter begins at its first read, for pages that no read has shown are not billed.
 */
export function guessFall(from: number, to: number, elapsed: Milliseconds, pace: Pace): FallGuess {
  const most = mostPages(pace.rated, elapsed);
  for (const wrap of WRAPS) {
    if (from < wrap && wrap - from + to <= most) {
      const evidence = `${wrap - from} pages before and ${to} after ${wrap}, where such counters begin anew`;
      return { reason: 'wrap', end: wrap, start: 0, evidence };
    }
  }
  const usual =
    pace.days >= HISTORY_DAYS ? Math.ceil((RESET_TIMES_PACE * pace.counted * (elapsed / DAY)) / pace.days) : 0;
  if (to <= from / 2 && to <= most && to <= Math.max(RESET_PAGES, usual)) {
    return {
      reason: 'reset',
      end: from,
      start: 0,
      evidence: `it fell by ${from - to} to ${to}, which this printer can have printed since the read before`,
    };
  }
  return {
    reason: 'board-swap',
    end: from,
    start: to,
    evidence: `it fell by ${from - to} to ${to}, more than this printer prints in the time between`,
  };
}

/**
 * The least rated speed at which nothing between good reads of one source is out of the ordinary; undefined where more has
 * to be looked at.
 */
export function fastestOf(reads: readonly Read[], source: Source): number | undefined {
  let before: Read | undefined;
  let fastest = 0;
  const places = [...slotPlaces(source).values()];
  for (const read of reads) {
    if (read.step === 'implausible' || !read.clockTrusted) return undefined;
    if (read.step !== 'ok') continue;
    if (before) {
      if (read.source !== before.source || read.at <= before.at) return undefined;
      for (const place of places) {
        const pages = (read.slots[place] ?? 0) - (before.slots[place] ?? 0);
        if (pages < 0) return undefined;
        fastest = Math.max(fastest, leastRated(pages, read.at - before.at));
      }
    }
    before = read;
  }
  return fastest;
}
