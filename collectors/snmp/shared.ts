/** What is learnt of one device is mostly what was learnt of the one before: then both keep the same object. */
import { isDeepStrictEqual } from 'node:util';
import type { Oid } from './agent.ts';

/** So many different ones are looked through. A site has fewer kinds of devices than that. */
const MOST_RECENT = 128;
/** Lists and sets of more are no device's but its own: a hostile one must not fill the memory with them. */
const LARGEST = 512;

/**
 * Gives equal values as one object, which nobody may change. Only those that came last are known, so that nothing is kept
 * for long of devices that are gone, and devices of which no two are alike cost little.
 */
export class Shared<T> {
  /** The latest first. */
  readonly #recent: T[] = [];
  readonly #isSame: (a: T, b: T) => boolean;
  readonly #sizeOf: (value: T) => number;

  constructor(isSame: (a: T, b: T) => boolean = isDeepStrictEqual, sizeOf: (value: T) => number = () => 0) {
    this.#isSame = isSame;
    this.#sizeOf = sizeOf;
  }

  of(value: T): T {
    if (this.#sizeOf(value) > LARGEST) return value;
    const recent = this.#recent;
    const position = recent.findIndex((each) => each === value || this.#isSame(each, value));
    const [found = value] = position === -1 ? [] : recent.splice(position, 1);
    recent.unshift(found);
    if (recent.length > MOST_RECENT) recent.pop();
    return found;
  }
}

/** Sets of OIDs. */
export const sharedOids = new Shared<ReadonlySet<Oid>>(isSameSet, ({ size }) => size);

/** Row indexes: those of a table's columns are mostly the same, also from device to device. */
export const sharedIndexes = new Shared<readonly string[]>(isSameList, ({ length }) => length);

function isSameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  if (a.size !== b.size) return false;
  for (const value of a) if (!b.has(value)) return false;
  return true;
}

export function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((value, position) => value === b[position]);
}

/**
 * OIDs that are learnt one by one. Once they are settled, those of equal devices are one set, until a device learns
 * something else and gets one of its own.
 */
export class LearntOids {
  readonly #most: number;
  #oids: ReadonlySet<Oid> = new Set();
  #own: Set<Oid> | undefined;

  /** @param most more are not kept */
  constructor(most: number) {
    this.#most = most;
  }

  has(oid: Oid): boolean {
    return this.#oids.has(oid);
  }

  add(oid: Oid): void {
    if (this.#oids.has(oid)) return;
    const own = this.#changed();
    if (own.size >= this.#most) own.clear();
    own.add(oid);
  }

  delete(oid: Oid): void {
    if (this.#oids.has(oid)) this.#changed().delete(oid);
  }

  settle(): void {
    if (!this.#own) return;
    this.#oids = sharedOids.of(this.#own);
    this.#own = undefined;
  }

  #changed(): Set<Oid> {
    if (!this.#own) {
      this.#own = new Set(this.#oids);
      this.#oids = this.#own;
    }
    return this.#own;
  }
}
