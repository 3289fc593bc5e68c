import type { Clock, Milliseconds, Monotonic, WallTime } from '#collectors/contract.ts';

/** A stretch of time in which siteward itself did not run: stopped, starved of the processor, or its loop blocked. */
export interface Stall {
  readonly from: WallTime;
  readonly to: WallTime;
  /** By the monotonic clock, to tell which rounds it touched. */
  readonly endedAt: Monotonic;
}

/** The wall clock was set. */
export interface ClockStep {
  /** What it showed before. */
  readonly from: WallTime;
  /** What it shows now. */
  readonly to: WallTime;
}

export interface VigilEvents {
  stalled(stall: Stall): void;
  stepped(step: ClockStep): void;
  /** At regular intervals while all is well. */
  beat(at: WallTime, mono: Monotonic): void;
}

const TICK = 1_000 as Milliseconds;
/** A loop that was away for longer may have taken replies for timeouts. */
const STALL = 5_000;
/** Smaller differences between the clocks are drift, which a time service corrects in passing. */
const STEP = 1_000;
/** A clock before this was never set: no battery, no time service yet. */
export const FIRST_PLAUSIBLE = Date.UTC(2024, 0, 1);

/**
 * Watches siteward itself: that its loop runs, and that the wall clock goes as the monotonic one does. Gives the time
 * that stands in the ledger, which never runs backwards between two steps.
 */
export class Vigil {
  readonly #clock: Clock;
  readonly #events: VigilEvents;
  /** How often the ledger is told that siteward lives: an interval ends within this of a crash. */
  beatEvery: Milliseconds;
  #timer: NodeJS.Timeout | undefined;
  #lastMono: Monotonic;
  #lastWall: WallTime;
  #lastBeat: Monotonic;
  #disturbedAt: Monotonic | undefined;

  constructor(clock: Clock, events: VigilEvents, beatEvery: Milliseconds) {
    this.#clock = clock;
    this.#events = events;
    this.beatEvery = beatEvery;
    this.#lastMono = clock.monotonicNow();
    this.#lastWall = clock.wallNow();
    this.#lastBeat = this.#lastMono;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.look(), TICK);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The time for the ledger. Small backward corrections hold it still until the clock has caught up. */
  now(): WallTime {
    this.look();
    return this.#lastWall;
  }

  /** Whether a stall or a step came after `started`: what was measured meanwhile proves nothing. */
  disturbedSince(started: Monotonic): boolean {
    this.look();
    return this.#disturbedAt !== undefined && this.#disturbedAt >= started;
  }

  /** Compares both clocks. Called by a timer, and by everyone who is about to rely on them. */
  look(): void {
    const mono = this.#clock.monotonicNow();
    const wall = this.#clock.wallNow();
    const passed = mono - this.#lastMono;
    const before = this.#lastWall;
    const expected = (before + passed) as WallTime;
    const stalled = passed > STALL;
    const stepped = Math.abs(wall - expected) > STEP;
    this.#lastMono = mono;
    this.#lastWall = stepped ? wall : (Math.max(wall, before) as WallTime);
    if (stalled || stepped) this.#disturbedAt = mono;
    // A stall ends before the clock is found set: it is told in the time that was then.
    if (stalled) this.#events.stalled({ from: before, to: stepped ? expected : this.#lastWall, endedAt: mono });
    if (stepped) this.#events.stepped({ from: stalled ? expected : before, to: wall });
    if (mono - this.#lastBeat >= this.beatEvery || stepped || stalled) {
      this.#lastBeat = mono;
      this.#events.beat(this.#lastWall, mono);
    }
  }
}
