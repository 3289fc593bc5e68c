/**
 * The walk of one column: takes varbinds as they come and knows when it is over. Agents that repeat an OID, go back, turn
 * in a circle or never end meet a strict order and caps.
 */
import type { Oid, PartialWalk, Varbind } from './agent.ts';
import type { PduView } from './ber.ts';
import { encodedOid, type IndexTexts, isAfter, namesAfter, type OidSpan } from './oid.ts';
import { ColumnRows } from './rows.ts';
import { TAG } from './tlv.ts';

export const MAX_ROWS = 20_000;
export const MAX_READ_OCTETS = 4_194_304;

/** What the columns of one read share. */
export interface SharedByColumns {
  /** Memory that the read may still fill. */
  octets: number;
  readonly indexes: IndexTexts;
}

/** The name at hand. */
const name: OidSpan = { octets: new Uint8Array(0), from: 0, to: 0 };

export class ColumnWalk {
  readonly column: Oid;
  readonly rows = new ColumnRows();
  /** Rows that the agent gave, also those whose value could not be read. */
  count = 0;
  /** Octets of what it gave. */
  octets = 0;
  isOver = false;
  /** Whether rows may be asked for by names that are guessed. */
  guesses = true;
  readonly #root: Uint8Array;
  readonly #shared: SharedByColumns;
  readonly #last: OidSpan;
  #broken: PartialWalk['reason'] | undefined;

  constructor(column: Oid, shared: SharedByColumns) {
    this.column = column;
    this.#root = encodedOid(column);
    this.#last = { octets: this.#root, from: 0, to: this.#root.length };
    this.#shared = shared;
  }

  /** The name to ask for the next row, until that row is taken. */
  get next(): Readonly<OidSpan> {
    return this.#last;
  }

  /**
   * The names of the rows after the next, if indexes go up by one as they mostly do. None before the first row is known.
   */
  guessed(rows: number): readonly Uint8Array[] {
    return this.count > 0 && this.guesses ? namesAfter(this.#last, rows) : [];
  }

  /** Whether the last row has this name, so that what the agent gives after it is the next. */
  isAt(name: Uint8Array): boolean {
    const { octets, from, to } = this.#last;
    if (to - from !== name.length) return false;
    for (let at = 0; at < name.length; at += 1) if (name[at] !== octets[from + at]) return false;
    return true;
  }

  /** Why it broke off, if it did. */
  get broken(): PartialWalk | undefined {
    return this.#broken && { column: this.column, reason: this.#broken };
  }

  /** Takes the varbind at `index` as what follows the last row. What comes after the end is not looked at. */
  take(pdu: PduView, index: number): void {
    if (this.isOver) return;
    if (isException(pdu.tag(index)) || !pdu.isUnder(index, this.#root)) {
      this.end();
      return;
    }
    pdu.nameInto(name, index);
    if (!isAfter(name, this.#last, this.#root.length)) {
      this.breakOff('not-increasing');
      return;
    }
    const octets = pdu.size(index);
    if (this.count >= MAX_ROWS || octets > this.#shared.octets) {
      this.breakOff(this.count >= MAX_ROWS ? 'too-many-rows' : 'too-many-bytes');
      return;
    }
    this.#shared.octets -= octets;
    pdu.nameInto(this.#last, index);
    this.count++;
    this.octets += octets;
    const value = pdu.value(index);
    if (isValue(value)) this.rows.add(this.#shared.indexes.of(name, this.#root.length), value);
  }

  /** The agent has no more rows. */
  end(): void {
    this.isOver = true;
  }

  breakOff(reason: PartialWalk['reason']): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#broken = reason;
  }
}

function isException(tag: number): boolean {
  return tag === TAG.noSuchObject || tag === TAG.noSuchInstance || tag === TAG.endOfMibView;
}

/** Whether it is a value: no exception, no NULL, and its octets fit its type. */
export function isValue(value: ReturnType<PduView['value']>): value is Varbind {
  return 'value' in value;
}
