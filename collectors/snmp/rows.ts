import type { Varbind } from './agent.ts';

/** Up to so many rows are searched one after the other, which needs no memory. */
const FEW = 64;

/**
 * Rows of a table by their index, in the order in which they came. Lists cost a fraction of what a map does, and rows are
 * mostly looked up in their order, which needs no search.
 */
export class IndexedRows {
  /** All indexes. */
  readonly indexes: readonly string[];
  /** Where the last row was found. */
  #at = 0;
  #positions: Map<string, number> | undefined;

  constructor(indexes: readonly string[]) {
    this.indexes = indexes;
  }

  /** Where the row is in the list; -1 where there is none. */
  positionOf(index: string): number {
    const { indexes } = this;
    const at = this.#at;
    if (indexes[at] === index) return at;
    if (indexes[at + 1] === index) {
      this.#at = at + 1;
      return at + 1;
    }
    const position = indexes.length <= FEW ? indexes.indexOf(index) : this.#searched(index);
    if (position !== -1) this.#at = position;
    return position;
  }

  #searched(index: string): number {
    if (this.#positions?.size !== this.indexes.length)
      this.#positions = new Map(this.indexes.map((each, position) => [each, position]));
    return this.#positions.get(index) ?? -1;
  }
}

/** The rows of one column. A read of a switch brings a thousand values and lives through many requests. */
export class ColumnRows extends IndexedRows implements ReadonlyMap<string, Varbind> {
  declare readonly indexes: string[];
  readonly #varbinds: Varbind[] = [];

  constructor() {
    super([]);
  }

  /** Adds a row; its index must be another than those of the rows before. */
  add(index: string, varbind: Varbind): void {
    this.indexes.push(index);
    this.#varbinds.push(varbind);
  }

  get size(): number {
    return this.indexes.length;
  }

  has(index: string): boolean {
    return this.positionOf(index) !== -1;
  }

  get(index: string): Varbind | undefined {
    const position = this.positionOf(index);
    return position === -1 ? undefined : this.#varbinds[position];
  }

  keys(): MapIterator<string> {
    return this.indexes.values();
  }

  values(): MapIterator<Varbind> {
    return this.#varbinds.values();
  }

  *entries(): MapIterator<[string, Varbind]> {
    for (const [position, index] of this.indexes.entries()) yield [index, this.#varbinds[position] as Varbind];
  }

  [Symbol.iterator](): MapIterator<[string, Varbind]> {
    return this.entries();
  }

  forEach(each: (value: Varbind, index: string, rows: ReadonlyMap<string, Varbind>) => void): void {
    for (const [index, varbind] of this.entries()) each(varbind, index, this);
  }
}
