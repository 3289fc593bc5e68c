/** How far a column grows at least: small sites grow once, and little lies idle on large ones. */
const LEAST_GROWTH = 1_024;

/**
 * One property of many things, by the things' own small numbers. An object for each thing costs V8 some hundred bytes and
 * the garbage collector a visit; in columns it costs its numbers. What was never set is 0, so that 0 is a good word for
 * "none" where a column points into another.
 */
export class Column {
  #values: Uint32Array | Float64Array;
  readonly #kind: Uint32ArrayConstructor | Float64ArrayConstructor;

  /** `Uint32Array` for whole numbers from 0 to 2^32 - 1: what is larger wraps. `Float64Array` for all others. */
  constructor(kind: Uint32ArrayConstructor | Float64ArrayConstructor) {
    this.#kind = kind;
    this.#values = new kind(0);
  }

  get(index: number): number {
    return this.#values[index] ?? 0;
  }

  set(index: number, value: number): void {
    if (index >= this.#values.length) this.#growTo(index + 1);
    this.#values[index] = value;
  }

  /** By an eighth: doubling would leave a third of a large column empty. */
  #growTo(length: number): void {
    const grown = new this.#kind(
      Math.max(length, this.#values.length + Math.max(LEAST_GROWTH, this.#values.length >> 3)),
    );
    grown.set(this.#values);
    this.#values = grown;
  }
}
