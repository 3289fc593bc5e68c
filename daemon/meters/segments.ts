/**
 * One counter of one printer, read by read: what of it is billed. A fall, a jump that no printer makes, or another
 * source starts a new segment; what is billed is the sum over segments. Pure: the same reads and decisions give the same
 * curve, however often the daemon was killed in between.
 */
import type { Milliseconds, WallTime } from '#collectors/contract.ts';
import type { Meter, ReadRef } from './read.ts';
import { guessFall, isSmallFall, mostPages } from './segment-rules.ts';

export type SegmentReason = 'first' | 'reset' | 'board-swap' | 'wrap' | 'jump' | 'source-change' | 'split';

/** One life of a counter. Σ (end or last − start) over the segments is what is billed. */
export interface Segment {
  /** From 1. */
  readonly number: number;
  readonly reason: SegmentReason;
  /** Value from which it is billed. */
  readonly start: number;
  readonly since: WallTime;
  readonly read: ReadRef;
}

export type EventKind =
  | 'reset'
  | 'board-swap'
  | 'wrap'
  | 'jump'
  | 'source-change'
  | 'split'
  | 'small-fall'
  | 'garbled'
  | 'warm-up';

/** Something about a counter that a person may want to know, or has to decide. */
export interface MeterEvent {
  readonly kind: EventKind;
  readonly meter: Meter;
  readonly at: WallTime;
  readonly read: ReadRef;
  readonly from: number;
  readonly to: number;
  /** Pages that it added to the bill. */
  readonly billed: number;
  /** Pages that are held back until someone decides. */
  readonly withheld: number;
  readonly evidence: string;
  readonly status: 'guessed' | 'confirmed-by-reads' | 'confirmed' | 'joined' | 'rejected' | 'undone';
  readonly decidedBy?: { readonly author: string; readonly reason: string };
}

/** What a person said about a read at which something happened. */
export interface Decision {
  readonly action: 'confirm' | 'join' | 'split' | 'reject';
  /** Why the counter changed, where the guess was wrong. */
  readonly as?: 'reset' | 'board-swap' | 'wrap';
  /** Value at which the new counter began. */
  readonly start?: number;
  readonly author: string;
  readonly reason: string;
}

export interface CounterValue {
  readonly pages: number;
  readonly oid: string;
  readonly unit: string;
}

export interface CounterRead extends CounterValue {
  readonly at: WallTime;
  readonly ref: ReadRef;
  /** A person's reading of the panel: taken as it is. */
  readonly manual?: true;
  /** Read where this bill does not count: it moves the counter on and adds nothing. */
  readonly elsewhere?: true;
}

/** A read that stands on the bill. */
export interface Point {
  readonly at: WallTime;
  /** Pages billed until then, over all segments. */
  readonly cumulative: number;
  /** What the counter showed. */
  readonly counter: number;
  readonly ref: ReadRef;
  readonly manual?: true;
}

interface OtherSource {
  readonly oid: string;
  readonly unit: string;
  readonly first: number;
  readonly last: number;
  readonly seen: number;
  readonly read: ReadRef;
  readonly at: WallTime;
}

/** A step that the next reads may take back. */
interface Doubt {
  readonly before: CounterState;
  readonly event: MeterEvent;
  readonly seen: number;
  readonly highest: number;
  readonly mayBeBilled: boolean;
  /** How many points there were. */
  readonly points: number;
}

/**
 * Everything that the next read is judged by. Plain data. Kept with a closed period only while it is `settled`: what is in
 * doubt is read anew from before the doubt.
 */
export interface CounterState {
  readonly cumulative: number;
  /** Highest value of the segment. */
  readonly level: number;
  /** The value read last. */
  readonly counter: number;
  readonly at: WallTime;
  readonly firstAt: WallTime;
  readonly read: ReadRef;
  readonly oid: string;
  readonly unit: string;
  readonly segment: Segment;
  readonly other?: OtherSource;
  readonly doubt?: Doubt;
}

export interface CounterRules {
  readonly meter: Meter;
  /** Pages a minute. */
  readonly rated: number;
  decision(read: ReadRef, meter: Meter): Decision | undefined;
}

/** Reads on a new level that make it believed. */
const BELIEVED_AFTER = 3;
/** A jump up to so many times the rated speed may be a rated speed that is set too low; beyond, only a person decides. */
const TIMES_RATED = 10;
const DAY = 86_400_000;

export class Counter {
  readonly points: Point[] = [];
  readonly events: MeterEvent[] = [];
  readonly segments: Segment[] = [];
  readonly #rules: CounterRules;
  #state: CounterState | undefined;

  constructor(rules: CounterRules, state?: CounterState) {
    this.#rules = rules;
    this.#state = state;
    if (!state) return;
    this.segments.push(state.segment);
    this.points.push({ at: state.at, cumulative: state.cumulative, counter: state.counter, ref: state.read });
  }

  get state(): CounterState | undefined {
    return this.#state;
  }

  /** Nothing that later reads could change. */
  get settled(): boolean {
    return this.#state?.doubt === undefined && this.#state?.other === undefined;
  }

  /** Lets go of all but the last point, where nothing hangs on the others. For who only wants to know the sum. */
  trim(): void {
    if (!this.settled) return;
    this.points.splice(0, this.points.length - 1);
    this.events.length = 0;
    this.segments.splice(0, this.segments.length - 1);
  }

  take(read: CounterRead): void {
    const state = this.#state;
    if (!state) {
      this.#first(read);
      return;
    }
    const decision = this.#rules.decision(read.ref, this.#rules.meter);
    if (decision?.action === 'reject') {
      this.#note('garbled', read, state, 0, 0, 'a person rejected the read', 'rejected', decision);
      return;
    }
    if (!read.manual && (read.oid !== state.oid || read.unit !== state.unit)) {
      this.#otherSource(read, state, decision);
      return;
    }
    const known = this.#own(state);
    if (read.pages === 0 && known.level > 0) {
      this.#note('warm-up', read, known, 0, 0, 'it read 0 after it had counted', 'guessed');
      return;
    }
    if (decision?.action === 'split') {
      this.#begin(read, known, {
        kind: 'split',
        reason: decision.as ?? 'split',
        end: known.level,
        start: decision.start ?? read.pages,
        status: 'confirmed',
        evidence: 'a person split here',
        decision,
      });
      return;
    }
    if (this.#takesBack(read, known)) {
      this.take(read);
      return;
    }
    if (read.pages >= known.level) this.#rise(read, known, decision);
    else this.#fall(read, known, decision);
  }

  #first(read: CounterRead): void {
    const segment: Segment = { number: 1, reason: 'first', start: read.pages, since: read.at, read: read.ref };
    this.segments.push(segment);
    this.#state = {
      cumulative: 0,
      level: read.pages,
      counter: read.pages,
      at: read.at,
      firstAt: read.at,
      read: read.ref,
      oid: read.oid,
      unit: read.unit,
      segment,
    };
    this.#point(read, 0);
  }

  /** The source is the locked one again: what another one said is forgotten. */
  #own(state: CounterState): CounterState {
    if (!state.other) return state;
    const { other: _, ...rest } = state;
    return rest;
  }

  #rise(read: CounterRead, state: CounterState, decision: Decision | undefined): void {
    const pages = read.pages - state.level;
    const most = mostPages(this.#rules.rated, elapsed(state, read));
    const accepted = read.manual || decision !== undefined || pages <= most;
    if (accepted) {
      if (decision) this.#note('jump', read, state, pages, 0, overSpeed(pages, most), 'confirmed', decision);
      this.#advance(read, state, pages);
      return;
    }
    this.#begin(read, state, {
      kind: 'jump',
      reason: 'jump',
      end: state.level,
      start: read.pages,
      status: 'guessed',
      evidence: overSpeed(pages, most),
      withheld: pages,
      mayBeBilled: pages <= most * TIMES_RATED,
    });
  }

  #fall(read: CounterRead, state: CounterState, decision: Decision | undefined): void {
    if (decision?.action === 'join') {
      // The counter never was another one: nothing is billed again until it is past where it had been.
      this.#note('small-fall', read, state, 0, 0, 'a person joined what fell', 'joined', decision);
      this.#advance(read, state, 0);
      return;
    }
    if (!decision && isSmallFall(state.level, read.pages)) {
      this.#note('small-fall', read, state, 0, 0, `it went back by ${state.level - read.pages}`, 'guessed');
      this.#advance(read, state, 0);
      return;
    }
    const days = (state.at - state.firstAt) / DAY;
    const pace = { rated: this.#rules.rated, counted: state.cumulative, days };
    const guess = guessFall(state.level, read.pages, elapsed(state, read), pace);
    const kind = decision?.as ?? guess.reason;
    const sure = decision ? { start: decision.start ?? (kind === 'board-swap' ? read.pages : 0) } : guess;
    this.#begin(read, state, {
      kind,
      reason: kind,
      end: kind === 'wrap' ? guess.end : state.level,
      start: Math.min(sure.start, read.pages),
      status: decision ? 'confirmed' : 'guessed',
      evidence: guess.evidence,
      ...(decision && { decision }),
    });
  }

  #advance(read: CounterRead, state: CounterState, pages: number): void {
    const cumulative = state.cumulative + (read.elsewhere ? 0 : pages);
    const doubt = state.doubt && this.#confirmed(state.doubt, read);
    const added = state.doubt && !doubt && state.doubt.mayBeBilled ? state.doubt.event.withheld : 0;
    // Field by field, for this is done for nearly every read of every meter.
    const { firstAt, oid, unit, segment, other } = state;
    const next: CounterState = {
      cumulative: cumulative + added,
      level: Math.max(state.level, read.pages),
      counter: read.pages,
      at: read.at,
      firstAt,
      read: read.ref,
      oid,
      unit,
      segment,
    };
    this.#state = other || doubt ? { ...next, ...(other && { other }), ...(doubt && { doubt }) } : next;
    this.#point(read, cumulative + added);
  }

  /** One more read on the new level. Enough of them make it believed, and undefined is returned. */
  #confirmed(doubt: Doubt, read: CounterRead): Doubt | undefined {
    const seen = doubt.seen + 1;
    if (seen < BELIEVED_AFTER) return { ...doubt, seen, highest: Math.max(doubt.highest, read.pages) };
    if (doubt.mayBeBilled && doubt.event.withheld > 0) {
      // The pages were printed when the jump was seen, not now.
      for (let index = doubt.points; index < this.points.length; index += 1) {
        const point = this.points[index];
        if (point) this.points[index] = { ...point, cumulative: point.cumulative + doubt.event.withheld };
      }
      this.#replaceEvent(doubt.event, {
        ...doubt.event,
        billed: doubt.event.withheld,
        withheld: 0,
        status: 'confirmed-by-reads',
      });
    } else this.#replaceEvent(doubt.event, { ...doubt.event, status: 'confirmed-by-reads' });
    return undefined;
  }

  #begin(
    read: CounterRead,
    state: CounterState,
    step: {
      readonly kind: EventKind;
      readonly reason: SegmentReason;
      readonly end: number;
      readonly start: number;
      readonly status: MeterEvent['status'];
      readonly evidence: string;
      readonly withheld?: number;
      readonly mayBeBilled?: boolean;
      readonly decision?: Decision;
    },
  ): void {
    const pages = step.end - state.level + (read.pages - step.start);
    const billed = read.elsewhere ? 0 : pages;
    const cumulative = state.cumulative + billed;
    const event = this.#note(
      step.kind,
      read,
      state,
      billed,
      read.elsewhere ? 0 : (step.withheld ?? 0),
      step.evidence,
      step.status,
      step.decision,
    );
    const segment: Segment = {
      number: state.segment.number + 1,
      reason: step.reason,
      start: step.start,
      since: read.at,
      read: read.ref,
    };
    this.segments.push(segment);
    const doubted = step.status === 'guessed' && !read.manual;
    const { doubt: earlier, ...before } = state;
    this.#state = {
      ...before,
      cumulative,
      level: read.pages,
      counter: read.pages,
      at: read.at,
      read: read.ref,
      segment,
      ...(doubted && {
        doubt: {
          before: earlier ? earlier.before : before,
          event,
          seen: 1,
          highest: read.pages,
          mayBeBilled: step.mayBeBilled ?? false,
          points: earlier ? earlier.points : this.points.length,
        },
      }),
    };
    this.#point(read, cumulative);
  }

  /** The counter is where it was before the step: what was read in between was garbled. */
  #takesBack(read: CounterRead, state: CounterState): boolean {
    const { doubt } = state;
    if (!doubt) return false;
    const { before } = doubt;
    const onOldLevel =
      read.pages >= before.level &&
      read.pages - before.level <= mostPages(this.#rules.rated, elapsed(before, read)) &&
      (doubt.event.kind === 'jump' ? read.pages < doubt.event.to : read.pages > doubt.highest);
    if (!onOldLevel) return false;
    this.points.length = Math.min(doubt.points, this.points.length);
    while ((this.segments.at(-1)?.number ?? 0) > before.segment.number) this.segments.pop();
    for (const event of this.events.filter((each) => each.status === 'guessed' && !isOlder(each, doubt.event))) {
      this.#replaceEvent(event, { ...event, kind: 'garbled', billed: 0, withheld: 0, status: 'undone' });
    }
    this.#state = before;
    return true;
  }

  #otherSource(read: CounterRead, state: CounterState, decision: Decision | undefined): void {
    const before = state.other;
    const again =
      before && before.oid === read.oid && before.unit === read.unit && read.pages >= before.last ? before : undefined;
    const other: OtherSource = {
      oid: read.oid,
      unit: read.unit,
      first: again?.first ?? read.pages,
      last: read.pages,
      seen: (again?.seen ?? 0) + 1,
      read: again?.read ?? read.ref,
      at: again?.at ?? read.at,
    };
    if (!decision && other.seen < BELIEVED_AFTER) {
      this.#state = { ...state, other };
      return;
    }
    const { other: _, doubt: __, ...rest } = state;
    const locked = { ...rest, oid: read.oid, unit: read.unit };
    const joins = decision?.action === 'join' && other.first >= state.level;
    this.#begin(read, locked, {
      kind: 'source-change',
      reason: 'source-change',
      end: state.level,
      start: joins ? state.level : (decision?.start ?? other.first),
      status: decision ? 'confirmed' : 'confirmed-by-reads',
      evidence: `it is read from ${read.oid} in ${read.unit} and no more from ${state.oid} in ${state.unit}`,
      ...(decision && { decision }),
    });
  }

  #note(
    kind: EventKind,
    read: CounterRead,
    state: CounterState,
    billed: number,
    withheld: number,
    evidence: string,
    status: MeterEvent['status'],
    decision?: Decision,
  ): MeterEvent {
    const event: MeterEvent = {
      kind,
      meter: this.#rules.meter,
      at: read.at,
      read: read.ref,
      from: state.level,
      to: read.pages,
      billed,
      withheld,
      evidence,
      status,
      ...(decision && { decidedBy: { author: decision.author, reason: decision.reason } }),
    };
    this.events.push(event);
    return event;
  }

  #replaceEvent(old: MeterEvent, by: MeterEvent): void {
    const index = this.events.findIndex((each) => each === old || sameEvent(each, old));
    if (index >= 0) this.events[index] = by;
    else this.events.push(by);
  }

  /** Points stay in order of time: one that a clock had put into the future gives way to what is read later. */
  #point(read: CounterRead, cumulative: number): void {
    for (let last = this.points.at(-1); last && last.at > read.at; last = this.points.at(-1)) this.points.pop();
    const point: Point = { at: read.at, cumulative, counter: read.pages, ref: read.ref };
    this.points.push(read.manual ? { ...point, manual: true } : point);
  }
}

function sameEvent(a: MeterEvent, b: MeterEvent): boolean {
  return a.kind === b.kind && a.read.device === b.read.device && a.read.number === b.read.number;
}

function isOlder(event: MeterEvent, than: MeterEvent): boolean {
  return event.at < than.at;
}

function overSpeed(pages: number, most: number): string {
  return `it rose by ${pages}, and ${most} is the most that the printer can print in that time`;
}

/** A clock that went back says nothing about how long it was: a day is allowed for. */
function elapsed(state: CounterState, read: CounterRead): Milliseconds {
  return (read.at >= state.at ? read.at - state.at : DAY) as Milliseconds;
}
