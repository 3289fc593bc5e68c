/**
 * Why points were thrown away. `age`, `size`: the caps of the output. `disk_full`: the free-space floor, or the disk
 * itself. `queue_full`: more came at once than memory may hold. `beyond_retention`, `out_of_order`: the receiver keeps no
 * points of that time. `damaged`: the disk gave other bytes back. `quarantine_full`, `operator`: out of the quarantine.
 */
export const DROP_REASONS = [
  'age',
  'size',
  'disk_full',
  'queue_full',
  'beyond_retention',
  'out_of_order',
  'damaged',
  'quarantine_full',
  'operator',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** `rejected` counts what went into the quarantine; the others are the terms of produced = written + pending + … */
export type TallyOutcome = 'produced' | 'written' | 'rejected' | 'dropped';

export interface Tally {
  readonly outcome: TallyOutcome;
  /** A `DropReason`, or `''`. */
  readonly reason: DropReason | '';
  readonly points: number;
}

export type Dropped = Readonly<Record<DropReason, number>>;

/** What has become of every point that was ever handed to an output. Kept over restarts. */
export interface SpoolCounts {
  readonly produced: number;
  readonly written: number;
  /** On disk, waiting. */
  readonly pending: number;
  /** Set aside because the receiver refused them. */
  readonly quarantined: number;
  readonly dropped: Dropped;
  /** Ever put into the quarantine or thrown away at the receiver's word. */
  readonly rejected: number;
}

/** Zero when every point is accounted for. */
export function unaccounted({ produced, written, pending, quarantined, dropped }: SpoolCounts): number {
  return produced - written - pending - quarantined - total(dropped);
}

export function total(dropped: Dropped): number {
  return DROP_REASONS.reduce((sum, reason) => sum + dropped[reason], 0);
}

/** Running sums of what `tally` holds by day. */
export class Tallies {
  readonly #sums = new Map<string, number>();

  add({ outcome, reason, points }: Tally): void {
    const key = `${outcome} ${reason}`;
    this.#sums.set(key, (this.#sums.get(key) ?? 0) + points);
  }

  clear(): void {
    this.#sums.clear();
  }

  of(outcome: Exclude<TallyOutcome, 'dropped'>): number {
    return this.#sums.get(`${outcome} `) ?? 0;
  }

  dropped(): Dropped {
    const entries = DROP_REASONS.map((reason) => [reason, this.#sums.get(`dropped ${reason}`) ?? 0]);
    return Object.fromEntries(entries) as Record<DropReason, number>;
  }
}
