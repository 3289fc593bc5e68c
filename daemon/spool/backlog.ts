import type { WallTime } from '#collectors/contract.ts';

/** What is known of a batch without reading it. */
export interface Batch {
  readonly id: number;
  readonly important: boolean;
  readonly points: number;
  /** Of the compressed body. */
  readonly bytes: number;
  readonly rawBytes: number;
  /** CRC-32 of the compressed body. */
  readonly crc: number;
  readonly firstAt: WallTime;
  readonly lastAt: WallTime;
}

/** A row and its index entries, beside the body. */
export const BATCH_OVERHEAD_BYTES = 100;

export function spaceOf(batch: Batch): number {
  return batch.bytes + BATCH_OVERHEAD_BYTES;
}

export interface ClaimLimits {
  readonly points: number;
  readonly rawBytes: number;
}

/**
 * The batches that wait, in order of their ids, and which of them are claimed: being sent or merged, and so not to be
 * taken by anyone else. Pure memory: what it says is true when disk says the same.
 */
export class Backlog {
  /** Apart, for routine ones are thrown away first. Each in order of ids. */
  #routine: Batch[] = [];
  #important: Batch[] = [];
  readonly #claimed = new Set<number>();
  /** Claimed to be merged, and not sent: when room is needed these go as if nobody had them. */
  readonly #merging = new Set<number>();
  #points = 0;
  #bytes = 0;

  get points(): number {
    return this.#points;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#routine.length + this.#important.length;
  }

  get oldestAt(): WallTime | undefined {
    const times = [this.#routine[0], this.#important[0]].flatMap((batch) => (batch ? [batch.firstAt] : []));
    return times.length === 0 ? undefined : (Math.min(...times) as WallTime);
  }

  /** Takes the place of everything; claims of batches that are there no more lapse. */
  reset(batches: readonly Batch[]): void {
    this.#routine = [];
    this.#important = [];
    this.#points = 0;
    this.#bytes = 0;
    for (const batch of batches) this.add(batch);
    const ids = new Set(batches.map(({ id }) => id));
    for (const id of this.#claimed) if (!ids.has(id)) this.#unclaim(id);
  }

  /** Whether it still waits, as this very batch. */
  has(batch: Batch): boolean {
    const list = batch.important ? this.#important : this.#routine;
    return list[place(list, batch.id)]?.crc === batch.crc && list[place(list, batch.id)]?.id === batch.id;
  }

  add(batch: Batch): void {
    const list = batch.important ? this.#important : this.#routine;
    const last = list.at(-1);
    if (!last || last.id < batch.id) list.push(batch);
    else list.splice(place(list, batch.id), 0, batch);
    this.#points += batch.points;
    this.#bytes += spaceOf(batch);
  }

  remove(batches: readonly Batch[]): void {
    for (const batch of batches) {
      const list = batch.important ? this.#important : this.#routine;
      const at = place(list, batch.id);
      if (list[at]?.id !== batch.id) continue;
      list.splice(at, 1);
      this.#unclaim(batch.id);
      this.#points -= batch.points;
      this.#bytes -= spaceOf(batch);
    }
  }

  /**
   * As many of the oldest or newest unclaimed batches as the limits allow, but at least one where there is one; in order
   * of their ids either way.
   */
  claim(end: 'oldest' | 'newest', limits: ClaimLimits): readonly Batch[] {
    const taken: Batch[] = [];
    let points = 0;
    let rawBytes = 0;
    for (const batch of this.#inOrder(end)) {
      if (this.#claimed.has(batch.id)) continue;
      points += batch.points;
      rawBytes += batch.rawBytes;
      if (taken.length > 0 && (points > limits.points || rawBytes > limits.rawBytes)) break;
      taken.push(batch);
      if (taken.length >= MOST_CLAIMED) break;
    }
    return this.#take(taken.sort((a, b) => a.id - b.id));
  }

  /**
   * A run of neighbours that are worth merging into one, all routine or all important: a small batch compresses badly
   * and costs a row.
   */
  claimMergeable(limits: ClaimLimits): readonly Batch[] {
    for (const list of [this.#routine, this.#important]) {
      let run: Batch[] = [];
      let points = 0;
      let rawBytes = 0;
      for (const batch of list) {
        const small = batch.points < limits.points / 2 && batch.rawBytes < limits.rawBytes / 2;
        if (!small || this.#claimed.has(batch.id)) {
          run = [];
          points = 0;
          rawBytes = 0;
          continue;
        }
        run.push(batch);
        points += batch.points;
        rawBytes += batch.rawBytes;
        if (points >= limits.points || rawBytes >= limits.rawBytes || run.length >= MOST_MERGED) {
          for (const { id } of run) this.#merging.add(id);
          return this.#take(run);
        }
      }
    }
    return [];
  }

  release(batches: readonly Batch[]): void {
    for (const { id } of batches) this.#unclaim(id);
  }

  get hasUnclaimed(): boolean {
    return this.#claimed.size < this.length;
  }

  /** Batches that nobody sends whose newest point is older than `before`. */
  olderThan(before: WallTime): readonly Batch[] {
    const old: Batch[] = [];
    for (const list of [this.#routine, this.#important]) {
      for (const batch of list) {
        if (batch.lastAt >= before) break;
        if (!this.#isSent(batch)) old.push(batch);
      }
    }
    return old;
  }

  /** The oldest batches of a kind that nobody sends and that free at least `bytes`, or all that there are. */
  victims(kind: 'routine' | 'important', bytes: number, except: readonly Batch[]): readonly Batch[] {
    const spared = new Set(except.map(({ id }) => id));
    const victims: Batch[] = [];
    let freed = 0;
    for (const batch of kind === 'routine' ? this.#routine : this.#important) {
      if (freed >= bytes) break;
      if (this.#isSent(batch) || spared.has(batch.id)) continue;
      victims.push(batch);
      freed += spaceOf(batch);
    }
    return victims;
  }

  #isSent({ id }: Batch): boolean {
    return this.#claimed.has(id) && !this.#merging.has(id);
  }

  #unclaim(id: number): void {
    this.#claimed.delete(id);
    this.#merging.delete(id);
  }

  #take(batches: readonly Batch[]): readonly Batch[] {
    for (const { id } of batches) this.#claimed.add(id);
    return batches;
  }

  *#inOrder(end: 'oldest' | 'newest'): Generator<Batch> {
    const step = end === 'oldest' ? 1 : -1;
    let routine = end === 'oldest' ? 0 : this.#routine.length - 1;
    let important = end === 'oldest' ? 0 : this.#important.length - 1;
    while (true) {
      const a = this.#routine[routine];
      const b = this.#important[important];
      if (a && (!b || (a.id - b.id) * step < 0)) {
        routine += step;
        yield a;
      } else if (b) {
        important += step;
        yield b;
      } else {
        return;
      }
    }
  }
}

const MOST_CLAIMED = 500;
const MOST_MERGED = 500;

/** Where `id` is or belongs in a list in order of ids. */
function place(list: readonly Batch[], id: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle]?.id ?? 0) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
