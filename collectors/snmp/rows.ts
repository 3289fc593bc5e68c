import type { Varbind } from './agent.ts';

/**
 * The rows of one column, by index, in the order in which they were added. A read of a switch brings a thousand values and
 * lives through many requests: held as plain values they cost a fraction of what a map of varbinds does. Rows are mostly
 * looked up in their order, which needs no search.
 */
export class ColumnRows implements ReadonlyMap<string, Varbind> {
  readonly #indexes: string[] = [];
  readonly #types: Varbind['type'][] = [];
  readonly #values: Varbind['value'][] = [];
  /** Where the last row was found. */
  #at = 0;
  #positions: Map<string, number> | undefined;

  /** Adds a row; its index must be another than those of the rows before. */
  add(index: string, { type, value }: Varbind): void {
    this.#indexes.push(index);
    this.#types.push(type);
    this.#values.push(value);
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
    return position === -1 ? undefined : this.#varbind(position);
  }

  keys(): MapIterator<string> {
    return this.#indexes.values();
  }

  *values(): MapIterator<Varbind> {
    for (const position of this.#indexes.keys()) yield this.#varbind(position);
  }

  *entries(): MapIterator<[string, Varbind]> {
    for (const [position, index] of this.#indexes.entries()) yield [index, this.#varbind(position)];
  }

  [Symbol.iterator](): MapIterator<[string, Varbind]> {
    return this.entries();
  }

  forEach(each: (value: Varbind, index: string, rows: ReadonlyMap<string, Varbind>) => void): void {
    for (const [index, varbind] of this.entries()) each(varbind, index, this);
  }

  #varbind(position: number): Varbind {
    return { type: this.#types[position], value: this.#values[position] } as Varbind;
  }

  #position(index: string): number {
    const indexes = this.#indexes;
    if (indexes[this.#at] === index) return this.#at;
    if (indexes[this.#at + 1] === index) {
      this.#at += 1;
      return this.#at;
    }
    if (indexes[0] === index) {
      this.#at = 0;
      return 0;
    }
    this.#positions ??= new Map(indexes.map((each, position) => [each, position]));
    const position = this.#positions.get(index);
    if (position === undefined) return -1;
    this.#at = position;
    return position;
  }
}
