/**
 * Counters of 32 bits, carried on where they turn. A Counter32 begins again at 0 after 2^32 - 1, and also when its device
 * starts anew; only the first is to be carried. Where it cannot be told, the counter is given as it stands: sinks take the
 * fall for a restart and count on from there, which loses a little. A turn that was none would make a spike.
 */
import type { Oid } from '../agent.ts';
import { type Course, continuityOf } from './continuity.ts';
import type { LabelsNumber } from './labels-table.ts';

const TURN = 2 ** 32;
/** The device's clock and its counters are not read at the very same moment. */
const SLACK = 1.1;

/**
 * What the counters of a device stood at. Plain lists of numbers, eight octets per counter, for a site has many; a typed
 * array would cost more than what is in it.
 */
export interface CounterMemory {
  /**
   * By the number of labels: their row, or -1 where they have no counters. Labels name the thing counted also where its
   * index moves.
   */
  rows: number[];
  /** By object, then by row: what its counter was given as, below 2^53; NaN where it was never seen. */
  totals: Map<Oid, number[]>;
  /** By row: the read that saw it last. */
  seen: number[];
  /** Reads so far. */
  reads: number;
}

export function noCounters(): CounterMemory {
  return { rows: [], totals: new Map(), seen: [], reads: 0 };
}

/** The counters of one read. */
export class CarriedCounters {
  readonly #memory: CounterMemory;
  readonly #course: Course;
  readonly #read: number;
  #labels: LabelsNumber | undefined;
  #row = 0;
  #wasSeen = false;
  /** Rows of this read that the one before did not see. */
  readonly #came = new Set<number>();
  #mostPerSecond: () => number | undefined = nothing;

  constructor(memory: CounterMemory, course: Course) {
    this.#memory = memory;
    this.#course = course;
    memory.reads += 1;
    this.#read = memory.reads;
  }

  /**
   * Turns to the series with these labels.
   * @param mostPerSecond the most that it can count in a second; without it no turn is believed. Asked only after a fall.
   */
  turnTo(labels: LabelsNumber, mostPerSecond: () => number | undefined): void {
    this.#mostPerSecond = mostPerSecond;
    // The counters of a row come one after the other.
    if (labels === this.#labels) return;
    this.#labels = labels;
    const { seen } = this.#memory;
    const row = this.#rowOf(labels);
    const last = seen[row] ?? 0;
    this.#row = row;
    // A series that was away in between may have begun anew without its device.
    this.#wasSeen = last !== 0 && last >= this.#read - 1 && !this.#came.has(row);
    if (!this.#wasSeen) this.#came.add(row);
    seen[row] = this.#read;
  }

  #rowOf(labels: LabelsNumber): number {
    const { rows, seen } = this.#memory;
    const known = rows[labels] ?? -1;
    if (known !== -1) return known;
    fill(rows, labels + 1, -1);
    rows[labels] = seen.length;
    return seen.push(0) - 1;
  }

  /** The Counter32 `oid` of the series at hand. */
  counter(oid: Oid, raw: number): number {
    const total = this.#total(oid);
    const last = total % TURN;
    if (Number.isNaN(total) || this.#course.kind === 'restarted') return this.#keep(oid, raw);
    if (raw >= last) return this.#keep(oid, total - last + raw);
    const increase = raw - last + TURN;
    return this.#keep(oid, this.#isPossible(increase) ? total + increase : raw);
  }

  /** The TimeTicks `oid` of the series at hand. */
  ticks(oid: Oid, raw: number): number {
    const total = this.#total(oid);
    const last = total % TURN;
    const continuity = Number.isNaN(total) ? 'restarted' : continuityOf(last, raw, this.#course.reference);
    if (continuity === 'restarted') return this.#keep(oid, raw);
    return this.#keep(oid, total - last + raw + (continuity === 'wrapped' ? TURN : 0));
  }

  #isPossible(increase: number): boolean {
    const { elapsed } = this.#course;
    if (elapsed === undefined || !this.#wasSeen) return false;
    const most = this.#mostPerSecond();
    return most !== undefined && increase <= most * elapsed * SLACK;
  }

  #total(oid: Oid): number {
    return this.#memory.totals.get(oid)?.[this.#row] ?? Number.NaN;
  }

  #keep(oid: Oid, total: number): number {
    // After years at full speed a double is no longer exact: begin anew rather than be wrong.
    const kept = total <= Number.MAX_SAFE_INTEGER ? total : total % TURN;
    let totals = this.#memory.totals.get(oid);
    if (!totals) {
      totals = [];
      this.#memory.totals.set(oid, totals);
    }
    if (this.#row >= totals.length) fill(totals, this.#row + 1, Number.NaN);
    totals[this.#row] = kept;
    return kept;
  }
}

const nothing = () => undefined;

function fill(list: number[], length: number, value: number): void {
  while (list.length < length) list.push(value);
}

/** Forgets the counters of all labels but these, old numbers in the order of the new ones, and the room that they took. */
export function retainCounters(memory: CounterMemory, labels: readonly LabelsNumber[]): void {
  const { rows, totals, seen } = memory;
  const from: number[] = [];
  memory.rows = labels.map((number) => {
    const row = rows[number] ?? -1;
    return row === -1 ? -1 : from.push(row) - 1;
  });
  memory.seen = from.map((row) => seen[row] ?? 0);
  memory.totals = new Map(Array.from(totals, ([oid, old]) => [oid, from.map((row) => old[row] ?? Number.NaN)]));
}
