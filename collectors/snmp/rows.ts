import type { Varbind } from './agent.ts';

/** Up to so many rows are searched one after the other, which needs no memory. */
const FEW = 64;

/**
 * The rows of one column, by index, in the order in which they were added. A read of a switch brings a thousand values and
 * lives through many requests: lists cost a fraction of what a map does. Rows are mostly looked up in their order, which
 * needs no search.
 */
export class ColumnRows implements ReadonlyMap<string, Varbind> {
  readonly #indexes: string[] = [];
  readonly #varbinds: Varbind[] = [];
  /** Where the last row was found. */
  #at = 0;
  #positions: Map<string, number> | undefined;

  /** Adds a row; its index must be another than those of the rows before. */
  add(index: string, varbind: Varbind): void {
    this.#indexes.push(index);
    this.#varbinds.push(varbind);
    this.#positions = undefined;
  }

  /** All indexes. */
  get indexes(): readonly string[] {
    return this.#indexes;
  }

  get size(): number {
    return this.#indexes.length;
  }

  has(index: string): boolean {
    return this.#position(index) !== -1;
  }

  get(index: string): Varbind | undefined {
    const position = this.#position(index);
    return position === -1 ? undefined : this.#varbinds[position];
  }

  keys(): MapIterator<string> {
    return this.#indexes.values();
  }

  values(): MapIterator<Varbind> {
    return this.#varbinds.values();
  }

  *entries(): MapIterator<[string, Varbind]> {
    for (const [position, index] of this.#indexes.entries()) yield [index, this.#varbinds[position] as Varbind];
  }

  [Symbol.iterator](): MapIterator<[string, Varbind]> {
    return this.entries();
  }

  forEach(each: (value: Varbind, index: string, rows: ReadonlyMap<string, Varbind>) => void): void {
    for (const [index, varbind] of this.entries()) each(varbind, index, this);
  }

  #position(index: string): number {
    const indexes = this.#indexes;
    if (indexes[this.#at] === index) return this.#at;
    if (indexes[this.#at + 1] === index) {
      this.#at += 1;
      return this.#at;
    }
    const position = indexes.length <= FEW ? indexes.indexOf(index) : this.#searched(index);
    if (position !== -1) this.#at = position;
    return position;
  }

  #searched(index: string): number {
    this.#positions ??= new Map(this.#indexes.map((each, position) => [each, position]));
    return this.#positions.get(index) ?? -1;
  }
}
