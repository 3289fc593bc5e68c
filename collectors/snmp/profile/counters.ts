/**
 * Counters of 32 bits, carried on where they turn. A Counter32 begins again at 0 after 2^32 - 1, and also when its device
 * starts anew; only the first is to be carried. Where it cannot be told, the counter is given as it stands: sinks take the
 * fall for a restart and count on from there, which loses a little. A turn that was none would make a spike.
 */
import type { Labels } from '#collectors/contract.ts';
import type { Oid } from '../agent.ts';
import { type Course, continuityOf } from './continuity.ts';

const TURN = 2 ** 32;
/** The device's clock and its counters are not read at the very same moment. */
const SLACK = 1.1;

/** What the counters of a device stood at. Plain data; eight octets per counter, for a site has many. */
export interface CounterMemory {
  /** Series that have counters: the row of each set of labels, which names the thing counted also where its index moves. */
  rows: Map<Labels, number>;
  /** By object, then by row: what its counter was given as, below 2^53; NaN where it was never seen. */
  totals: Map<Oid, Float64Array>;
  /** By row: the read that saw it last. */
  seen: Uint32Array;
  /** Reads so far. */
  reads: number;
}

export function noCounters(): CounterMemory {
  return { rows: new Map(), totals: new Map(), seen: new Uint32Array(0), reads: 0 };
}

/** The counters of one read. */
export class CarriedCounters {
  readonly #memory: CounterMemory;
  readonly #course: Course;
  readonly #read: number;
  #labels: Labels | undefined;
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
  turnTo(labels: Labels, mostPerSecond: () => number | undefined): void {
    this.#mostPerSecond = mostPerSecond;
    // The counters of a row come one after the other.
    if (labels === this.#labels) return;
    this.#labels = labels;
    const { rows, seen } = this.#memory;
    let row = rows.get(labels);
    if (row === undefined) {
      row = rows.size;
      rows.set(labels, row);
    }
    if (row >= seen.length) this.#memory.seen = grown(seen, new Uint32Array(room(rows.size)));
    const last = this.#memory.seen[row] ?? 0;
    this.#row = row;
    // A series that was away in between may have begun anew without its device.
    this.#wasSeen = last !== 0 && last >= this.#read - 1 && !this.#came.has(row);
    if (!this.#wasSeen) this.#came.add(row);
    this.#memory.seen[row] = this.#read;
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
    if (!totals || this.#row >= totals.length) {
      const length = room(this.#memory.rows.size);
      totals = grown(totals ?? new Float64Array(0), new Float64Array(length).fill(Number.NaN));
      this.#memory.totals.set(oid, totals);
    }
    totals[this.#row] = kept;
    return kept;
  }
}

const nothing = () => undefined;

/** Room for so many rows and a few more, so that a table that grows row by row is not copied each time. */
function room(rows: number): number {
  return rows + (rows >> 2) + 1;
}

function grown<T extends Uint32Array | Float64Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

/** Forgets the series that are not among `labels`, and the room that they took. */
export function retainCounters(memory: CounterMemory, labels: Iterable<Labels>): void {
  const rows = new Map<Labels, number>();
  const from: number[] = [];
  for (const each of labels) {
    const row = memory.rows.get(each);
    if (row === undefined) continue;
    rows.set(each, from.length);
    from.push(row);
  }
  const { totals, seen } = memory;
  memory.rows = rows;
  memory.seen = Uint32Array.from(from, (row) => seen[row] ?? 0);
  memory.totals = new Map(
    [...totals].map(([oid, old]) => [oid, Float64Array.from(from, (row) => old[row] ?? Number.NaN)]),
  );
}
