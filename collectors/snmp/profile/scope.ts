/** What was read from a device, as the values of a profile see it. */
import type { Oid, ReadResult, Varbind } from '../agent.ts';
import { IndexedRows } from '../rows.ts';
import { type Cell, cellOf, rawText } from './cell.ts';
import type { CarriedCounters } from './counters.ts';
import type { SeriesMemory } from './memory.ts';

/** A table as far as a profile names its columns. */
export interface TableShape {
  readonly name: string;
  readonly columns: ReadonlyMap<string, Oid>;
  /** OIDs of the columns that are read at inventory only. */
  readonly slow: ReadonlySet<Oid>;
}

/** One object that a value was made from. */
export interface Trace {
  readonly oid: Oid;
  readonly raw: string;
}

/** A value that was there but could not be used, for `problems`. */
export interface Refusal {
  readonly oid: Oid;
  readonly raw: string;
}

const NO_ROWS: ReadonlyMap<string, Varbind> = new Map();

/**
 * Gives values of scalars and of the row at hand. One scope serves one device and one read; `index` moves along the
 * rows while a table is worked through.
 */
export class Scope {
  readonly scalars: Map<Oid, Varbind>;
  readonly columns: Map<Oid, ReadonlyMap<string, Varbind>>;
  /** Index of the row at hand. */
  index: string | undefined;
  /** Where set, every object that a value is made from is noted here. */
  trace: Trace[] | undefined;
  /** Rows of slow columns that were used: what has to be remembered of them. */
  used: Map<Oid, Map<string, Varbind>> | undefined;
  /** Columns that were read in part only, and scalars that got no answer. */
  readonly broken = new Set<Oid>();
  /**
   * Set when a value was missed that the device may well have. What is made then from something else in its place (a
   * fallback, another name) is to be thrown away: it would be another figure under the same name.
   */
  uncertain = false;
  /** Where set, counters of 32 bits go on where they turn. */
  counters: CarriedCounters | undefined;
  /** Labels of earlier reads. */
  names: SeriesMemory['names'] | undefined;
  /** Names that several rows bore in earlier reads. */
  doubles: SeriesMemory['doubles'] | undefined;
  readonly #rows = new Map<TableShape, readonly string[]>();

  constructor(scalars: Map<Oid, Varbind>, options: { readonly remember: boolean }) {
    this.scalars = scalars;
    this.columns = new Map();
    this.used = options.remember ? new Map() : undefined;
  }

  add(result: ReadResult): void {
    for (const [oid, varbind] of result.scalars) this.scalars.set(oid, varbind);
    for (const [column, rows] of result.columns) this.columns.set(column, rows);
    for (const { column } of result.partial) this.broken.add(column);
    this.#rows.clear();
  }

  scalar(oid: Oid): Cell | undefined {
    const varbind = this.scalars.get(oid);
    if (!varbind) return this.#missed(oid);
    if (this.trace) this.trace.push({ oid, raw: rawText(varbind) });
    return cellOf(varbind);
  }

  /** The value of a column in the row at hand, or in the row `index`. */
  cell(column: Oid, index: string | undefined = this.index, slow = false): Cell | undefined {
    const varbind = this.#varbind(column, index, slow);
    return varbind && cellOf(varbind);
  }

  #varbind(column: Oid, index: string | undefined, slow: boolean): Varbind | undefined {
    if (index === undefined) return undefined;
    const varbind = this.columns.get(column)?.get(index);
    if (!varbind) return this.#missed(column);
    if (this.trace) this.trace.push({ oid: `${column}.${index}`, raw: rawText(varbind) });
    if (slow && this.used) {
      let rows = this.used.get(column);
      if (!rows) {
        rows = new Map();
        this.used.set(column, rows);
      }
      rows.set(index, varbind);
    }
    return varbind;
  }

  /** Like {@link scalar}, for a value that only grows: where its 32 bits end it goes on. */
  carriedScalar(oid: Oid): Cell | undefined {
    return this.#carried(oid, this.scalars.get(oid), this.scalar(oid));
  }

  /** Like {@link cell} of the row at hand, for a value that only grows: where its 32 bits end it goes on. */
  carriedCell(column: Oid, slow: boolean): Cell | undefined {
    const varbind = this.#varbind(column, this.index, slow);
    return varbind && this.#carried(column, varbind, cellOf(varbind));
  }

  #carried(oid: Oid, varbind: Varbind | undefined, cell: Cell | undefined): Cell | undefined {
    if (!this.counters || cell === undefined) return cell;
    if (varbind?.type === 'counter32') return this.counters.counter(oid, varbind.value);
    if (varbind?.type === 'timeticks') return this.counters.ticks(oid, varbind.value);
    return cell;
  }

  #missed(oid: Oid): undefined {
    if (this.broken.has(oid)) this.uncertain = true;
    return undefined;
  }

  has(column: Oid, index: string): boolean {
    return this.columns.get(column)?.has(index) === true;
  }

  /**
   * Indexes of a table's rows, in the agent's order: those of its fast columns, for the remembered slow ones may be out of
   * date; where the device has no fast column, those of the slow ones.
   */
  rows(table: TableShape): readonly string[] {
    const known = this.#rows.get(table);
    if (known) return known;
    const all = [...table.columns.values()];
    const fast = this.rowsOf(all.filter((oid) => !table.slow.has(oid)));
    const indexes = fast.length > 0 ? fast : this.rowsOf(all);
    this.#rows.set(table, indexes);
    return indexes;
  }

  /** Indexes of the rows of these columns, in the agent's order. */
  rowsOf(columns: Iterable<Oid>): readonly string[] {
    const found: ReadonlyMap<string, Varbind>[] = [];
    for (const oid of columns) found.push(this.columns.get(oid) ?? NO_ROWS);
    return union(found);
  }
}

function union(columns: readonly ReadonlyMap<string, Varbind>[]): readonly string[] {
  let longest = NO_ROWS;
  for (const column of columns) if (column.size > longest.size) longest = column;
  const indexes = indexesOf(longest);
  let more: Set<string> | undefined;
  for (const column of columns) {
    const others = indexesOf(column);
    for (let position = 0; position < others.length; position += 1) {
      const index = others[position] ?? '';
      if (index === indexes[position] || longest.has(index)) continue;
      more ??= new Set();
      more.add(index);
    }
  }
  return more ? [...indexes, ...more] : indexes;
}

function indexesOf(column: ReadonlyMap<string, Varbind>): readonly string[] {
  return column instanceof IndexedRows ? column.indexes : [...column.keys()];
}
