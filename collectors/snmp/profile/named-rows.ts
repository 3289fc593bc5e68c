/** What the rows of a table are called, remembered together with what their names were made from. */
import type { Varbind } from '../agent.ts';
import { IndexedRows } from '../rows.ts';
import { sharedIndexes } from '../shared.ts';
import { KeptColumn } from './kept-columns.ts';
import type { LabelsNumber } from './labels-table.ts';

type Column = ReadonlyMap<string, Varbind> | undefined;

/** A value of a column. Octets are a text of as many signs: they are a window on a whole datagram. */
type Said = string | number | bigint | undefined;

/**
 * What a column said when the rows were named: the column itself where it is remembered anyway, and as long as it is, its
 * rows say the same; else what it said row by row.
 */
type Input = KeptColumn | readonly Said[];

export interface NamedRow {
  readonly index: string;
  /** Before it was made unique. */
  readonly name: string;
  readonly labels: LabelsNumber;
}

/** The rows of a table that one set of labels was made for. */
export class NamedRows extends IndexedRows {
  /** Of each row, before it was made unique. */
  readonly names: readonly string[];
  readonly labels: readonly LabelsNumber[];
  readonly #inputs: readonly Input[];

  constructor(rows: Pick<NamedRows, 'indexes' | 'names' | 'labels'>, inputs: readonly Input[]) {
    super(rows.indexes);
    this.names = rows.names;
    this.labels = rows.labels;
    this.#inputs = inputs;
  }

  /**
   * The rows that are made from the same as before; this very object where all are.
   * @param columns that they are made from
   * @param broken which of them were read in part: what is missing there is not known to be gone
   */
  still(columns: readonly Column[], broken: readonly boolean[]): NamedRows {
    let changed: Set<number> | undefined;
    for (const [position, before] of this.#inputs.entries()) {
      const column = columns[position];
      const isBroken = broken[position] === true;
      if (before instanceof KeptColumn) {
        if (before !== column || isBroken) return NO_NAMES;
      } else {
        for (let row = 0; row < this.indexes.length; row += 1) {
          const value = column?.get(this.indexes[row] ?? '')?.value;
          if (!isSame(before[row], value) || (isBroken && value === undefined)) {
            changed ??= new Set();
            changed.add(row);
          }
        }
      }
    }
    return changed ? this.#without(changed) : this;
  }

  /** With these rows, in place of those of the same index. */
  with(rows: readonly NamedRow[], columns: readonly Column[]): NamedRows {
    const indexes = rows.map(({ index }) => index);
    const replaced = new Set(indexes.map((index) => this.positionOf(index)));
    const others = this.#without(replaced);
    const said = (column: Column) => rows.map(({ index, name }) => saidBy(column?.get(index)?.value, name));
    return new NamedRows(
      {
        indexes: sharedIndexes.of([...others.indexes, ...indexes]),
        names: [...others.names, ...rows.map(({ name }) => name)],
        labels: [...others.labels, ...rows.map(({ labels }) => labels)],
      },
      columns.map((column, position) => {
        if (column instanceof KeptColumn) return column;
        const before = others.#inputs[position] ?? [];
        return before instanceof KeptColumn ? said(column) : [...before, ...said(column)];
      }),
    );
  }

  #without(rows: ReadonlySet<number>): NamedRows {
    const left = <T>(list: readonly T[]) => list.filter((_, row) => !rows.has(row));
    return new NamedRows(
      { indexes: left(this.indexes), names: left(this.names), labels: left(this.labels) },
      this.#inputs.map((input) => (input instanceof KeptColumn ? input : left(input))),
    );
  }
}

export const NO_NAMES = new NamedRows({ indexes: [], names: [], labels: [] }, []);

/** @param name mostly made from this value alone, and then the same text: it need not be kept twice */
function saidBy(value: Varbind['value'] | undefined, name: string): Said {
  if (!(value instanceof Uint8Array)) return value;
  const text = Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
  return text === name ? name : text;
}

function isSame(said: Said, value: Varbind['value'] | undefined): boolean {
  if (!(value instanceof Uint8Array)) return said === value;
  if (typeof said !== 'string' || said.length !== value.length) return false;
  for (let i = 0; i < value.length; i += 1) if (said.charCodeAt(i) !== value[i]) return false;
  return true;
}
