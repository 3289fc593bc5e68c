import type { Milliseconds } from '#collectors/contract.ts';
import type { Dialect, Verdict } from './dialect.ts';
import type { Claim, Settlement } from './output-spool.ts';
import type { QuarantinedRecord } from './quarantine.ts';
import { joined } from './records.ts';

/** Why a claim could not be sent to its end. */
export type Interruption = Extract<Verdict, { kind: 'held' | 'unavailable' }>;

export interface Sent {
  /** Undefined when no point's fate is known: the claim is as it was. */
  readonly settlement?: Settlement;
  readonly interruption?: Interruption;
}

/** One request and what its answer means. Never throws but the signal's reason. */
export type Exchange = (part: Part) => Promise<{ readonly status: number; readonly verdict: Verdict }>;

export interface Part {
  readonly raw: Uint8Array;
  readonly records: readonly Uint8Array[];
  /** `raw` compressed, where it is at hand. */
  readonly gzip?: Uint8Array | undefined;
}

/** Requests spent on finding bad records in one claim. What is not told apart by then is quarantined together. */
const MOST_REQUESTS = 400;

/**
 * Sends a claim, in halves where the receiver refuses it: one bad record of 5,000 costs at most 26 more requests, and no
 * other record waits behind it. What an interruption leaves undecided stays in the spool, in order.
 */
export async function sendClaim(claim: Claim, dialect: Dialect, limits: SizeLimit, exchange: Exchange): Promise<Sent> {
  const records = dialect.format.split(claim.raw);
  const sending = new Sending(limits, exchange);
  const interruption = await sending.send({ raw: claim.raw, records, gzip: claim.gzip });
  const settlement = sending.settlement(claim.points, records.length);
  return { ...(settlement && { settlement }), ...(interruption && { interruption }) };
}

class Sending {
  readonly #limits: SizeLimit;
  readonly #exchange: Exchange;
  readonly #quarantined: QuarantinedRecord[] = [];
  readonly #dropped: { reason: 'beyond_retention' | 'out_of_order'; points: number }[] = [];
  readonly #undecided: Uint8Array[] = [];
  #written = 0;
  #requests = 0;

  constructor(limits: SizeLimit, exchange: Exchange) {
    this.#limits = limits;
    this.#exchange = exchange;
  }

  async send(part: Part): Promise<Interruption | undefined> {
    const { records } = part;
    if (records.length === 0) return undefined;
    if (records.length > this.#limits.records) return await this.#halve(part);
    this.#requests += 1;
    const { status, verdict } = await this.#exchange(part);
    switch (verdict.kind) {
      case 'written':
        this.#written += records.length;
        this.#limits.succeeded();
        return undefined;
      case 'thinned': {
        const points = Math.min(verdict.points, records.length);
        this.#dropped.push({ reason: verdict.reason, points });
        this.#written += records.length - points;
        return undefined;
      }
      case 'named':
        return await this.#withoutNamed(part, verdict, status);
      case 'refused':
        if (records.length > 1 && this.#requests < MOST_REQUESTS) return await this.#halve(part);
        // What could not be told apart may hold good ones: that is kept.
        if (verdict.unwanted && records.length === 1)
          this.#dropped.push({ reason: verdict.unwanted, points: records.length });
        else this.#quarantine(records, status, verdict.message);
        return undefined;
      case 'too-large':
        this.#limits.refusedAt(records.length);
        if (records.length > 1) return await this.#halve(part);
        this.#quarantine(records, status, verdict.message);
        return undefined;
      case 'uncompressed':
        // The exchange goes on without compression; that it happens again would be a fault of the receiver.
        if (this.#requests < MOST_REQUESTS) return await this.send(part);
        this.#undecided.push(...records);
        return { kind: 'held', message: verdict.message, hint: 'check what stands between siteward and the receiver' };
      case 'held':
      case 'unavailable':
        this.#undecided.push(...records);
        return verdict;
      default:
        return verdict satisfies never;
    }
  }

  settlement(points: number, records: number): Settlement | undefined {
    if (this.#undecided.length === records) return undefined;
    // A batch whose count is not that of its records would otherwise leave points that are nowhere.
    const written = this.#written + points - records;
    const settlement = { written, quarantined: this.#quarantined, dropped: this.#dropped };
    if (this.#undecided.length === 0) return settlement;
    return { ...settlement, remaining: { raw: joined(this.#undecided), points: this.#undecided.length } };
  }

  async #halve({ records }: Part): Promise<Interruption | undefined> {
    const middle = Math.ceil(records.length / 2);
    const interruption = await this.send(partOf(records.slice(0, middle)));
    const second = records.slice(middle);
    if (!interruption) return await this.send(partOf(second));
    this.#undecided.push(...second);
    return interruption;
  }

  async #withoutNamed(
    { records }: Part,
    verdict: Extract<Verdict, { kind: 'named' }>,
    status: number,
  ): Promise<Interruption | undefined> {
    for (const [index, message] of verdict.records) {
      this.#quarantine(records.slice(index, index + 1), status, message);
    }
    const others = records.filter((_, index) => !verdict.records.has(index));
    if (verdict.others === 'unwritten') return await this.send(partOf(others));
    this.#written += others.length;
    return undefined;
  }

  #quarantine(records: readonly Uint8Array[], status: number, message: string): void {
    this.#quarantined.push({ raw: joined(records), points: records.length, status, message });
  }
}

function partOf(records: readonly Uint8Array[]): Part {
  return { raw: joined(records), records };
}

/** How many records go into one request: fewer where the receiver or the line does not stand more. */
export class SizeLimit {
  readonly #most: number;
  #ceiling: number;
  #records: number;

  constructor(most: number) {
    this.#most = most;
    this.#ceiling = most;
    this.#records = most;
  }

  get records(): number {
    return this.#records;
  }

  succeeded(): void {
    this.#records = Math.min(this.#ceiling, this.#records * 2);
  }

  /** Too large for the receiver, now and ever. */
  refusedAt(records: number): void {
    this.#ceiling = Math.max(1, Math.min(this.#ceiling, Math.floor(records / 2)));
    this.#records = Math.min(this.#records, this.#ceiling);
  }

  /** Too much for the line in the time that an exchange may take. */
  timedOut(): void {
    this.#records = Math.max(LEAST_RECORDS, Math.floor(Math.min(this.#records, this.#most) / 2));
  }
}

const LEAST_RECORDS = 50;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
/** A person has to do something first; nobody is helped by asking more often. */
const HELD_WAIT_MS = 60_000;

/**
 * How long to wait after the `attempt`th failure in a row, counted from 1. Spread by `random` (0 to 1), so that a hundred
 * sites do not come back in the same second.
 */
export function waitAfter(interruption: Interruption, attempt: number, random: number): Milliseconds {
  const spread = 0.5 + random / 2;
  if (interruption.kind === 'held') return (HELD_WAIT_MS * spread) as Milliseconds;
  const backOff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt - 1, 10)) * spread;
  return Math.max(backOff, interruption.retryAfter ?? 0) as Milliseconds;
}
