/** Entries of the meter ledger: everything beside the reads. Each is chained to the one before; none is ever changed. */
import { hash } from 'node:crypto';
import type { WallTime } from '#collectors/contract.ts';
import type { Meter, ReadRef, Source } from './read.ts';
import type { Decision } from './segments.ts';
import type { Terms } from './terms.ts';

/** A person's reading of the panel. */
export interface ManualRead {
  readonly device: string;
  readonly printer: string;
  readonly meter: Meter;
  readonly pages: number;
  readonly at: WallTime;
  readonly author: string;
  readonly reason: string;
}

/** What a person decided about a read; about one of its meters, or all. */
export interface DecisionEntry extends Decision {
  readonly read: ReadRef;
  readonly meter?: Meter;
}

/** A closed period: the hash over the hashes of its rows holds them all. */
export interface PeriodEntry {
  readonly contract: string | null;
  readonly from: WallTime;
  readonly to: WallTime;
  readonly printers: number;
  readonly rows: string;
}

export interface SupplyReplaced {
  readonly device: string;
  readonly printer: string;
  readonly supply: string;
  readonly description: string;
  /** Per cent that were left, and that there are now. */
  readonly left: number;
  readonly now: number;
}

export interface EntryBodies {
  /** What reads are read from: a new one is a change of device, serial, profile or objects. */
  readonly source: Source;
  /** What a contract bills as what, each time that it is another. */
  readonly terms: Terms;
  readonly manual: ManualRead;
  readonly decision: DecisionEntry;
  readonly period: PeriodEntry;
  /** The wall clock jumped while the daemon ran. */
  readonly 'clock-step': { readonly before: WallTime; readonly after: WallTime };
  /** Two devices that give one serial and cannot be one printer. */
  readonly 'serial-doubled': { readonly serial: string; readonly devices: readonly string[] };
  readonly 'supply-replaced': SupplyReplaced;
}
export type EntryKind = keyof EntryBodies;

export type Entry = {
  [K in EntryKind]: { readonly seq: number; readonly at: WallTime; readonly kind: K; readonly body: EntryBodies[K] };
}[EntryKind];

/** An entry as it lies in the ledger: its text is what the hash is taken over. */
export interface StoredEntry {
  readonly seq: number;
  readonly at: WallTime;
  readonly kind: string;
  readonly body: string;
  readonly hash: Uint8Array;
}

export const ENTRY_CHAIN_START: Uint8Array = hash('sha256', 'siteward meter entries 1', 'buffer');

export function entryHash(previous: Uint8Array, entry: Omit<StoredEntry, 'hash'>): Uint8Array {
  const text = `${entry.seq}\n${entry.at}\n${entry.kind}\n${entry.body}`;
  return hash('sha256', Buffer.concat([previous, Buffer.from(text)]), 'buffer');
}

/** @throws SyntaxError when the body is not JSON. */
export function parseEntry({ seq, at, kind, body }: StoredEntry): Entry {
  return { seq, at, kind, body: JSON.parse(body) } as Entry;
}
