import { Column } from './column.ts';

/** Values that come faster are left out: the availability rounds ask several times a minute. */
const LEAST_SPACING = 30;
/** A rate over a longer gap says nothing about any part of it. */
const LONGEST_RATE_GAP = 900;

/** What of the values that come in is kept, by the series' slot. Times are seconds since 1970. */
export class Intake {
  readonly #heardAt = new Column(Uint32Array);
  /** The counter's last value, for the rate of the next; NaN before the first. */
  readonly #counted = new Column(Float64Array);
  readonly #countedAt = new Column(Uint32Array);

  /** Before a slot's first value: it may have been another series'. */
  begin(slot: number): void {
    this.#heardAt.set(slot, 0);
    this.#countedAt.set(slot, 0);
    this.forgetCounter(slot);
  }

  /** When the last value came that was not left out; 0 before the first. */
  heardAt(slot: number): number {
    return this.#heardAt.get(slot);
  }

  /** The sample to keep, of counters the rate per second; undefined where the value makes none. */
  take(slot: number, at: number, value: number | bigint): number | undefined {
    const spacing = at - this.#heardAt.get(slot);
    if (spacing >= 0 && spacing < LEAST_SPACING) return undefined;
    this.#heardAt.set(slot, at);
    // As a double: exact to a byte up to nine petabytes, and a chart shows no more beyond.
    return typeof value === 'bigint' ? this.#rate(slot, at, Number(value)) : value;
  }

  /** What the counter counts from now on has nothing to do with what it said before. */
  forgetCounter(slot: number): void {
    this.#counted.set(slot, Number.NaN);
  }

  /** The rate since the last value; undefined for the first one, after a reset, and over a gap. */
  #rate(slot: number, at: number, value: number): number | undefined {
    const counted = this.#counted.get(slot);
    const seconds = at - this.#countedAt.get(slot);
    this.#counted.set(slot, value);
    this.#countedAt.set(slot, at);
    if (Number.isNaN(counted) || value < counted) return undefined;
    return seconds > 0 && seconds <= LONGEST_RATE_GAP ? (value - counted) / seconds : undefined;
  }
}
