/**
 * The walk of one column: takes varbinds as they come and knows when it is over. Agents that repeat an OID, go back, turn
 * in a circle or never end meet a strict order and caps.
 */
import type { Oid, PartialWalk, Varbind } from './agent.ts';
import type { PduView } from './ber.ts';
import { encodedOid, isAfter, namesAfter, type OidSpan } from './oid.ts';
import { TAG } from './tlv.ts';

export const MAX_ROWS = 20_000;
export const MAX_READ_OCTETS = 4_194_304;

/** Memory that one read may fill, shared by its columns. */
export interface Allowance {
  octets: number;
}

export class ColumnWalk {
  readonly column: Oid;
  readonly rows = new Map<string, Varbind>();
  /** Rows that the agent gave, also those whose value could not be read. */
  count = 0;
  /** Octets of what it gave. */
  octets = 0;
  isOver = false;
  /** Whether rows may be asked for by names that are guessed. */
  guesses = true;
  readonly #root: Uint8Array;
  readonly #allowance: Allowance;
  #last: OidSpan;
  #broken: PartialWalk['reason'] | undefined;

  constructor(column: Oid, allowance: Allowance) {
    this.column = column;
    this.#root = encodedOid(column);
    this.#last = { octets: this.#root, from: 0, to: this.#root.length };
    this.#allowance = allowance;
  }

  /** The name to ask for the next row. */
  get next(): Uint8Array {
    const { octets, from, to } = this.#last;
    return octets.subarray(from, to);
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
    return to - from === name.length && name.every((octet, at) => octet === octets[from + at]);
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
    const name = pdu.name(index);
    if (!isAfter(name, this.#last)) {
      this.breakOff('not-increasing');
      return;
    }
    const octets = pdu.size(index);
    if (this.count >= MAX_ROWS || octets > this.#allowance.octets) {
      this.breakOff(this.count >= MAX_ROWS ? 'too-many-rows' : 'too-many-bytes');
      return;
    }
    this.#allowance.octets -= octets;
    this.#last = name;
    this.count++;
    this.octets += octets;
    const value = pdu.value(index);
    if (isValue(value)) this.rows.set(pdu.indexUnder(index, this.#root), value);
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
