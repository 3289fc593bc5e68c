/** Columns that outlive a read, in as little memory as they take. */
import type { Oid, Varbind } from '../agent.ts';
import { IndexedRows } from '../rows.ts';
import { sharedIndexes } from '../shared.ts';

type Rows = ReadonlyMap<string, Varbind>;

/** Octets of many values, one behind the other; each is known by its number. */
interface Pieces {
  readonly octets: Uint8Array<ArrayBuffer>;
  /** Where each begins; the last entry is where the last one ends. */
  readonly starts: readonly number[];
}

/**
 * A column that an inventory remembered. Octets are but a number of a piece until they are looked at, for most of them are
 * names of rows, which are looked at once.
 */
export class KeptColumn extends IndexedRows implements ReadonlyMap<string, Varbind> {
  readonly #values: readonly (Varbind | number)[];
  readonly #pieces: Pieces;

  constructor(indexes: readonly string[], values: readonly (Varbind | number)[], pieces: Pieces) {
    super(indexes);
    this.#values = values;
    this.#pieces = pieces;
  }

  get size(): number {
    return this.indexes.length;
  }

  has(index: string): boolean {
    return this.positionOf(index) !== -1;
  }

  get(index: string): Varbind | undefined {
    return this.#varbind(this.positionOf(index));
  }

  keys(): MapIterator<string> {
    return this.indexes.values();
  }

  *values(): MapIterator<Varbind> {
    for (const [, varbind] of this) yield varbind;
  }

  *entries(): MapIterator<[string, Varbind]> {
    for (const [position, index] of this.indexes.entries()) yield [index, this.#varbind(position) as Varbind];
  }

  [Symbol.iterator](): MapIterator<[string, Varbind]> {
    return this.entries();
  }

  forEach(each: (value: Varbind, index: string, rows: Rows) => void): void {
    for (const [index, varbind] of this) each(varbind, index, this);
  }

  #varbind(position: number): Varbind | undefined {
    const value = this.#values[position];
    if (typeof value !== 'number') return value;
    const { octets, starts } = this.#pieces;
    const start = starts[value] ?? 0;
    return { type: 'octet-string', value: new Uint8Array(octets.buffer, start, (starts[value + 1] ?? start) - start) };
  }
}

/**
 * The same rows without the datagrams they came in, whose octets theirs are a window on: all octets go into one buffer, and
 * what several rows say is kept once.
 */
export function keptColumns(used: Iterable<readonly [Oid, Rows]>): Map<Oid, KeptColumn> {
  const buffers: Uint8Array[] = [];
  const starts = [0];
  const numbers = new Map<string, number>();
  const keep = (varbind: Varbind): Varbind | number => {
    if (varbind.type !== 'octet-string') return keptValue(varbind);
    const { value } = varbind;
    const text = Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
    let number = numbers.get(text);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(text, number);
      buffers.push(value);
      starts.push((starts[number] ?? 0) + value.length);
    }
    return number;
  };
  const columns = Array.from(used, ([oid, rows]) => {
    const values = Array.from(rows.values(), keep);
    return { oid, indexes: sharedIndexes.of([...rows.keys()]), values };
  });
  const pieces: Pieces = { octets: joined(buffers, starts.at(-1) ?? 0), starts: [...starts] };
  return new Map(columns.map(({ oid, indexes, values }) => [oid, new KeptColumn(indexes, values, pieces)]));
}

function joined(buffers: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(length);
  let at = 0;
  for (const buffer of buffers) {
    octets.set(buffer, at);
    at += buffer.length;
  }
  return octets;
}

/** A value of its own, without the datagram that it came in. */
export function keptValue(varbind: Varbind): Varbind {
  if (!(varbind.value instanceof Uint8Array)) return varbind;
  return { type: varbind.type, value: new Uint8Array(varbind.value) } as Varbind;
}
