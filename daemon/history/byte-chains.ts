import { Column } from './column.ts';

/** Bytes in a block. Half of one lies idle per chain, and each costs four more to point to the next. */
const BLOCK = 64;
const BLOCKS_PER_PAGE = 1_024;
const NONE = 0;

/**
 * Bytes that grow at the end: one chain of blocks per slot. A buffer of its own for each would cost some 250 bytes beside
 * what is in it, and its slack. Blocks of chains that were cleared are used again. Pages of blocks are never given back:
 * this stays as large as it once had to be.
 */
export class ByteChains {
  readonly #first = new Column(Uint32Array);
  /** The block that is being filled, or full. */
  readonly #last = new Column(Uint32Array);
  readonly #length = new Column(Uint32Array);
  /** By block, not by slot: the one after it in its chain, or in the list of free ones. Blocks are counted from 1. */
  readonly #next = new Column(Uint32Array);
  readonly #pages: Uint8Array[] = [];
  #free = NONE;
  #blocks = 0;

  /** Bytes in the chain; 0 where there is none. */
  length(slot: number): number {
    return this.#length.get(slot);
  }

  /** Puts the first `count` of `bytes` at the end. */
  append(slot: number, bytes: Uint8Array, count: number): void {
    let length = this.#length.get(slot);
    let block = this.#last.get(slot);
    for (let index = 0; index < count; index += 1) {
      const place = length % BLOCK;
      if (place === 0) block = this.#lengthen(slot, length === 0 ? NONE : block);
      const page = this.#pages[pageOf(block)];
      if (page) page[placeOf(block) + place] = bytes[index] ?? 0;
      length += 1;
    }
    this.#length.set(slot, length);
  }

  /** A copy of the chain, as long as it is. */
  bytes(slot: number): Uint8Array {
    const copy = new Uint8Array(this.#length.get(slot));
    let block = this.#first.get(slot);
    for (let start = 0; start < copy.length; start += BLOCK) {
      const page = this.#pages[pageOf(block)];
      const from = placeOf(block);
      const end = Math.min(BLOCK, copy.length - start);
      // Not by `set` of a part: a view costs more than sixty-four bytes do.
      for (let index = 0; index < end; index += 1) copy[start + index] = page?.[from + index] ?? 0;
      block = this.#next.get(block);
    }
    return copy;
  }

  /** Empties the chain. Its blocks serve others from now on. */
  clear(slot: number): void {
    if (this.#length.get(slot) === 0) return;
    this.#next.set(this.#last.get(slot), this.#free);
    this.#free = this.#first.get(slot);
    this.#length.set(slot, 0);
  }

  /** Bytes that are held in blocks, used or free. */
  get size(): number {
    return this.#pages.length * BLOCKS_PER_PAGE * BLOCK;
  }

  #lengthen(slot: number, last: number): number {
    const block = this.#takeBlock();
    if (last === NONE) this.#first.set(slot, block);
    else this.#next.set(last, block);
    this.#last.set(slot, block);
    return block;
  }

  #takeBlock(): number {
    const block = this.#free;
    if (block !== NONE) {
      this.#free = this.#next.get(block);
      return block;
    }
    if (this.#blocks === this.#pages.length * BLOCKS_PER_PAGE)
      this.#pages.push(new Uint8Array(BLOCKS_PER_PAGE * BLOCK));
    this.#blocks += 1;
    return this.#blocks;
  }
}

function pageOf(block: number): number {
  return Math.floor((block - 1) / BLOCKS_PER_PAGE);
}

/** Where in its page a block begins. */
function placeOf(block: number): number {
  return ((block - 1) % BLOCKS_PER_PAGE) * BLOCK;
}
