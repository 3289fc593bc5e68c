/** What stands in the availability ledger, and how a row of it is written, read and hashed. */
import type { WallTime } from '#collectors/contract.ts';
import { chainHash } from '../store/chain.ts';
import type { Row, SqlValue } from '../store/store.ts';
import type { ObservedState, Rule } from './verdict.ts';

/** Why a segment begins or ends. Between two segments nobody watched: that time is unknown. */
export type Interruption = 'started' | 'stopped' | 'crashed' | 'stalled' | 'clock set' | 'restored';

export const PARTIES = ['carrier', 'power', 'client', 'msp'] as const;
/** Who answers for an outage. */
export type Party = (typeof PARTIES)[number];

/** Where the evidence of a transition came from. */
export interface StateDetail {
  /** What each check said in the deciding round: `silent`, `answered` or why it could not tell. */
  readonly evidence?: Readonly<Record<string, string>>;
  /** The parent that was down. */
  readonly parent?: string;
  /** UPSs of the site that ran on battery then. */
  readonly on_battery?: readonly string[];
  /** Longest time between two looks at the device, in milliseconds: how exact the edges are. */
  readonly resolution?: number;
  readonly party?: Party;
}

/** A person's word on what was observed. It stands beside the observation and never replaces it. */
export interface Correction {
  readonly to: WallTime;
  readonly state?: ObservedState;
  readonly party?: Party;
  readonly author: string;
  readonly reason: string;
}

/** A maintenance window as siteward read it in the config, or as a person entered it. */
export interface AnnouncedMaintenance {
  /** Equal for equal windows. */
  readonly key: string;
  readonly name: string;
  readonly devices: readonly string[];
  /** Local time in `timezone`. */
  readonly starts: string;
  readonly duration: number;
  readonly timezone: string;
  readonly repeats?: 'daily' | 'weekly' | 'monthly';
  readonly until?: string;
  /** When the client was told, as the config says. */
  readonly announced_at?: WallTime;
  /** Who entered it; absent for those of the config. */
  readonly author?: string;
}

/** Maintenance that holds no longer: it left the config, or a person ended it. */
export interface MaintenanceEnd {
  readonly key: string;
  readonly name: string;
  readonly author?: string;
  readonly reason?: string;
}

/** Under which contract a device is watched from here on: it stands there when the device has left the config. */
export interface Watching {
  readonly sla?: string;
}

interface Common {
  /** Its place in the ledger, from 1. */
  readonly seq: number;
  /** Grows with each start and each interruption. Times are comparable within one. */
  readonly segment: number;
  /** From when on it holds. */
  readonly at: WallTime;
  /** When it was entered, by the wall clock and by the monotonic clock of the run. */
  readonly recorded: WallTime;
  readonly mono: number;
}

/** One entry, by kind. Entries are appended, never changed. */
export type Entry = Common &
  (
    | {
        readonly kind: 'segment';
        readonly detail: {
          readonly why: Interruption;
          readonly run: string;
          readonly boot: string;
          readonly version: string;
        };
      }
    | { readonly kind: 'end'; readonly detail: { readonly why: Interruption } }
    | { readonly kind: 'watched'; readonly device: string; readonly detail: Watching }
    | { readonly kind: 'unwatched'; readonly device: string }
    | {
        readonly kind: 'state';
        readonly device: string;
        readonly state: ObservedState;
        readonly rule: Rule;
        readonly ruleVersion: number;
        readonly detail: StateDetail;
      }
    | { readonly kind: 'correction'; readonly device: string; readonly detail: Correction }
    | { readonly kind: 'maintenance'; readonly detail: AnnouncedMaintenance }
    | { readonly kind: 'maintenance-removed'; readonly detail: MaintenanceEnd }
    | {
        readonly kind: 'restored';
        readonly detail: { readonly copy?: string; readonly set_aside?: string; readonly entries: number };
      }
  );

export type EntryKind = Entry['kind'];
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** An entry before it has its place. */
export type Draft = Without<Entry, 'seq' | 'segment' | 'mono' | 'recorded'>;

const COLUMNS = [
  'seq',
  'kind',
  'segment',
  'device',
  'at',
  'recorded',
  'mono',
  'state',
  'rule',
  'rule_version',
  'detail',
];
export const INSERT_ENTRY = `INSERT INTO availability_entries (${COLUMNS.join(', ')}, hash) VALUES (${COLUMNS.map(() => '?').join(', ')}, ?)`;

/** The fields of an entry in the order of the columns, which is also the order in which they are hashed. */
export function fieldsOf(entry: Entry): SqlValue[] {
  const { seq, kind, segment, at, recorded, mono } = entry;
  const state = entry.kind === 'state' ? entry : undefined;
  return [
    seq,
    kind,
    segment,
    'device' in entry ? entry.device : null,
    at,
    recorded,
    Math.round(mono),
    state?.state ?? null,
    state?.rule ?? null,
    state?.ruleVersion ?? null,
    'detail' in entry ? JSON.stringify(entry.detail) : null,
  ];
}

/** A row with its hash, given the hash of the one before. */
export function rowOf(entry: Entry, previous: Uint8Array): { row: SqlValue[]; hash: Uint8Array } {
  const fields = fieldsOf(entry);
  const hash = chainHash(previous, fields);
  return { row: [...fields, hash], hash };
}

/** The hash that a stored row should have. */
export function hashOfRow(row: Row, previous: Uint8Array): Uint8Array {
  return chainHash(
    previous,
    COLUMNS.map((name) => row[name] ?? null),
  );
}

/** @throws SyntaxError when the detail is no JSON, which the chain would show as well. */
export function entryOf(row: Row): Entry {
  const detail = typeof row['detail'] === 'string' ? JSON.parse(row['detail']) : undefined;
  return {
    seq: Number(row['seq']),
    kind: String(row['kind']),
    segment: Number(row['segment']),
    at: Number(row['at']),
    recorded: Number(row['recorded']),
    mono: Number(row['mono']),
    ...(row['device'] === null ? {} : { device: String(row['device']) }),
    ...(row['state'] === null
      ? {}
      : { state: String(row['state']), rule: String(row['rule']), ruleVersion: Number(row['rule_version']) }),
    ...(detail === undefined ? {} : { detail }),
  } as Entry;
}
