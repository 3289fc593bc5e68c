/**
 * The words of the meters: a read is what one question to one printer brought, kept as evidence and never changed. A
 * source says what its numbers are: which printer, which objects, which unit, which profile.
 *
 * Pages are whole `number`s here. No printer counts past ten thousand million, which a double holds exactly; whatever is
 * larger is refused where readings come in. Money is never a number: see `money.ts`.
 */
import { createHash } from 'node:crypto';
import type { WallTime } from '#collectors/contract.ts';
import { METERS, type Meter } from '#config/words.ts';

export { METERS, type Meter } from '#config/words.ts';

export function isMeter(text: string): text is Meter {
  return (METERS as readonly string[]).includes(text);
}

/** Read to compare with, and not for the bill: that it is missing keeps no period open and estimates nothing. */
export const isEvidenceOnly = (meter: Meter): boolean => meter === 'engine';

/**
 * How far a read came, or where it failed. The order is part of what is stored.
 * - `silent`: no answer · `refused`: an answer that gives nothing, such as a wrong credential · `could-not-tell`: the
 *   fault was ours · `no-counter`: it answered and had no page counter · `unusable`: a counter that is none (-1, text)
 * - `warm-up`: all counters 0 on a printer that had counted before
 * - `implausible`: counters that this printer cannot have reached; asked again at once, with who it is
 */
export const STEPS = [
  'ok',
  'silent',
  'refused',
  'could-not-tell',
  'no-counter',
  'unusable',
  'warm-up',
  'implausible',
] as const;
export type Step = (typeof STEPS)[number];

/** What one meter of a source is read from. */
export interface MeterSource {
  readonly meter: Meter;
  /** One OID, or those that the value is made of, joined by `+`. */
  readonly oid: string;
  /** `impressions`, `sheets`, … */
  readonly unit: string;
  /** How many numbers the agent sent for it: with more than one, the value is followed by its parts. */
  readonly parts: number;
}

/** Everything about a read that stays the same from hour to hour. An entry of the ledger; reads name its number. */
export interface Source {
  /** The device's name when it was read. */
  readonly device: string;
  /** Who it is: see `printer.ts`. Meters and bills follow this, not the address. */
  readonly printer: string;
  readonly serial?: string;
  readonly vendor?: string;
  readonly model?: string;
  readonly version?: string;
  readonly engineId?: string;
  readonly profile: string;
  /** Hash of the profile's content, with everything that it extends. */
  readonly profileVersion: string;
  readonly meters: readonly MeterSource[];
}

export interface Read {
  /** Its place in the chain of its device, from 1. */
  readonly number: number;
  readonly at: WallTime;
  readonly clockTrusted: boolean;
  readonly step: Step;
  /** Number of the ledger entry with its source; 0 while nothing is known of the device. */
  readonly source: number;
  /** For each meter of the source its value, and where it is made of several numbers, those. */
  readonly slots: readonly number[];
  /** What the agent sent where that is not digits, or what was wrong. */
  readonly note?: string;
}

/** Names one read for ever. */
export interface ReadRef {
  readonly device: string;
  readonly number: number;
}

export const refText = ({ device, number }: ReadRef): string => `${device}#${number}`;

/** Places of the meters' values in `slots`. */
export function slotPlaces(source: Source): ReadonlyMap<Meter, number> {
  const places = new Map<Meter, number>();
  let place = 0;
  for (const { meter, parts } of source.meters) {
    places.set(meter, place);
    place += parts > 1 ? 1 + parts : 1;
  }
  return places;
}

/** What the agent sent for a meter, as text. */
export function rawText(read: Read, source: Source, meter: Meter): string | undefined {
  const place = slotPlaces(source).get(meter);
  const about = source.meters.find((each) => each.meter === meter);
  if (place === undefined || !about || read.slots[place] === undefined) return undefined;
  if (about.parts <= 1) return String(read.slots[place]);
  return read.slots.slice(place + 1, place + 1 + about.parts).join('+');
}

/** Short enough for a line, long enough that no two profiles share it. */
export function contentVersion(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
}
