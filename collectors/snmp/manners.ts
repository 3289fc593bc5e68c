/** What an agent stands, as learnt from what it answered. Kept per device between polls. */
import type { AgentHints, Oid } from './agent.ts';
import { LearntOids } from './shared.ts';

/** A PDU of this length fits into one Ethernet frame with every SNMP version's frame around it. */
const UNFRAGMENTED_OCTETS = 1_340;
/** Three fragments: more are lost too easily. */
const MAX_REPLY_OCTETS = 4_096;
const MIN_REPLY_OCTETS = 128;
const MAX_NAMES = 40;
const MAX_REMEMBERED = 2_000;
/** Scalars over which their size is averaged. */
const AVERAGED_OVER = 16;
/** A reply shorter than this share of what fits was cut by another limit. */
const LESS = 0.6;
const clamp = (octets: number) => Math.min(Math.max(Math.floor(octets), MIN_REPLY_OCTETS), MAX_REPLY_OCTETS);
/** Replies are sized by it until the table was read once. */
export const GUESSED_OCTETS = 27;
/** Agents compute all that is asked before they cut it: never ask for more rows at once. */
export const MAX_REPETITIONS = 50;

export interface TableMemory {
  /** Rows of its longest column. */
  readonly rows: number;
  /** Octets of one varbind on the wire, on average. */
  readonly octets: number;
  /** Columns that had no rows, if any. */
  readonly empty: ReadonlySet<Oid> | undefined;
}

export class Manners {
  /** PDU length up to which replies are asked for. */
  replyOctets = UNFRAGMENTED_OCTETS;
  /** Most names in one request. */
  maxNames = MAX_NAMES;
  bulk = true;
  /** Whether it ever answered a GETBULK. */
  bulkWorks = false;
  /** Whether it leaves out what does not fit, so that asking for too much costs nothing. */
  selfLimits = false;
  /** Whether scalars may ride along as non-repeaters. */
  rides = true;
  /** Completed reads. */
  reads = 0;
  /** Keyed by the OID of the table's entry; tables that were walked side by side share what was learnt. */
  readonly tables = new Map<Oid, TableMemory>();
  /** Scalars that a GET found, and those that it did not. */
  readonly present = new LearntOids(MAX_REMEMBERED);
  readonly absent = new LearntOids(MAX_REMEMBERED);
  /** Octets of a scalar's varbind, on average. */
  scalarOctets = GUESSED_OCTETS;
  /** The largest that was answered. */
  #provenNames = 0;
  #provenOctets = 0;
  #explored = false;
  /** Reads in a row in which only a smaller request than before was answered. */
  #shrunkReads = 0;
  #shrank = false;

  advise({ bulk, maxVarbinds }: AgentHints): void {
    if (bulk !== undefined) this.bulk = bulk;
    if (maxVarbinds !== undefined) this.maxNames = Math.min(this.maxNames, maxVarbinds);
  }

  /** Rows to ask for at once, of `rowOctets` each, when `wanted` are expected in all. */
  repetitions(wanted: number, rowOctets: number, taken: number): { readonly rows: number; readonly explores: boolean } {
    const fits = Math.max(1, Math.floor((this.replyOctets - taken) / rowOctets));
    if (wanted <= fits) return { rows: Math.min(wanted, MAX_REPETITIONS), explores: false };
    if (this.selfLimits) return { rows: Math.min(wanted, Math.ceil(fits * 1.3) + 1, MAX_REPETITIONS), explores: false };
    if (!this.#explored && wanted > fits * 2 && this.#provenNames > 0) {
      return { rows: Math.min(fits * 2, MAX_REPETITIONS), explores: fits < MAX_REPETITIONS };
    }
    return { rows: Math.min(fits, MAX_REPETITIONS), explores: false };
  }

  /** Whether something as large as this was answered before. */
  isProven(names: number, octets: number): boolean {
    return names <= this.#provenNames && octets <= Math.max(this.#provenOctets, MIN_REPLY_OCTETS);
  }

  answered(names: number, octets: number): void {
    this.#provenNames = Math.max(this.#provenNames, names);
    this.#provenOctets = Math.max(this.#provenOctets, octets);
  }

  /** A reply came with less than was asked although there was more. */
  cutShort(octets: number): void {
    this.selfLimits = true;
    this.#explored = true;
    const isLimit = octets < this.replyOctets * LESS; // else it was a row too long for what was left
    this.replyOctets = clamp(isLimit ? octets : Math.max(octets, this.replyOctets));
  }

  /** A reply larger than hitherto asked for arrived whole. */
  stood(octets: number): void {
    this.replyOctets = clamp(Math.max(octets, this.replyOctets));
    if (this.replyOctets >= MAX_REPLY_OCTETS) this.#explored = true;
  }

  /** A try for more brought tooBig or silence. */
  overasked(): void {
    this.#explored = true;
    this.selfLimits = false;
  }

  /** tooBig: what the agent says about itself holds for good. */
  tooBig(names: number, octets: number, repetitions: number): void {
    this.overasked();
    if (repetitions > 1) this.replyOctets = clamp(Math.min(octets, this.replyOctets) / 2);
    else this.maxNames = Math.max(1, Math.floor(names / 2));
  }

  /** A smaller request was answered right after a larger one was not: once may be loss, twice in a row is a limit. */
  shrank(names: number, octets: number): void {
    this.#shrank = true;
    if (this.#shrunkReads === 0) return;
    this.replyOctets = clamp(Math.min(this.replyOctets, octets));
    this.maxNames = Math.max(1, Math.min(this.maxNames, names));
    this.#provenOctets = Math.min(this.#provenOctets, octets);
    this.#provenNames = Math.min(this.#provenNames, names);
    this.overasked();
  }

  sawScalar(octets: number): void {
    this.scalarOctets += (octets - this.scalarOctets) / AVERAGED_OVER;
  }

  /** Ends a read. */
  readDone(): void {
    this.reads++;
    this.#shrunkReads = this.#shrank ? this.#shrunkReads + 1 : 0;
    this.#shrank = false;
    this.present.settle();
    this.absent.settle();
  }
}
