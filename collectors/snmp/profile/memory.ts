/** What is learnt about a device from poll to poll. Plain data, owned by whoever polls the device. */
import type { AreaName } from '#config/words.ts';
import type { Oid, ReadPlan, Varbind } from '../agent.ts';
import type { CompiledProfile } from './compile.ts';
import type { Clocks } from './continuity.ts';
import { type CounterMemory, noCounters } from './counters.ts';
import type { KeptColumn } from './kept-columns.ts';
import type { LabelSet } from './labels.ts';
import { LabelsTable } from './labels-table.ts';
import type { NamedRows } from './named-rows.ts';
import type { CompiledReading } from './readings.ts';
import type { TableShape } from './scope.ts';

export interface DeviceMemory {
  profile: string | undefined;
  /** Inventories in a row whose recognition got no whole answer. */
  doubts: number;
  /** sysDescr and its like: facts that readings may use and that are not asked again until the next inventory. */
  scalars: ReadonlyMap<Oid, Varbind>;
  /** Which sources of each area answered. */
  chosen: ReadonlyMap<AreaName, readonly number[]>;
  /** Objects that the device does not have. */
  absent: ReadonlySet<Oid>;
  /** Rows of slow columns, as far as they are used. */
  slow: Map<Oid, KeptColumn>;
  /** Tables of slow columns, with the columns that polls read of them. */
  watched: ReadonlyMap<TableShape, ReadonlySet<Oid>>;
  /** Which rows the watched tables had when their slow columns were read, in their order. */
  shapes: number[];
  /** Metrics reads since the last inventory. */
  polls: number;
  /** What the device's clocks and ours showed when it last told its uptime. */
  clocks: Clocks | undefined;
  counters: CounterMemory;
  series: SeriesMemory;
  /** What polls ask first, since the last inventory. */
  firstRound: FirstRound | undefined;
}

/** What is asked at once. */
export interface Round {
  readonly plan: ReadPlan;
  /** Its tables by name. */
  readonly tables: ReadonlyMap<string, readonly Oid[]>;
}

/** What a poll asks first: the same from poll to poll, until an inventory learns something else. */
export interface FirstRound {
  readonly profile: CompiledProfile;
  /** What is not asked. */
  readonly known: ReadonlySet<Oid>;
  readonly round: Round;
}

/** The series of a device. What is worked out for them once need not be worked out at each poll. */
export interface SeriesMemory {
  readonly labels: LabelsTable;
  readonly names: Map<LabelSet, NamedRows>;
  readonly doubles: Map<CompiledReading, DoubledNames>;
}

/** The names of a table's rows, and those that several rows bear. */
export interface DoubledNames {
  readonly names: readonly (string | undefined)[];
  readonly doubled: ReadonlySet<string>;
}

export function emptyMemory(): DeviceMemory {
  return {
    profile: undefined,
    doubts: 0,
    scalars: new Map(),
    chosen: new Map(),
    absent: new Set(),
    slow: new Map(),
    watched: new Map(),
    shapes: [],
    polls: 0,
    clocks: undefined,
    counters: noCounters(),
    series: { labels: new LabelsTable(), names: new Map(), doubles: new Map() },
    firstRound: undefined,
  };
}
