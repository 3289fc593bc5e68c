/** What is learnt about a device from poll to poll. Plain data, owned by whoever polls the device. */
import type { Labels } from '#collectors/contract.ts';
import type { AreaName } from '#config/profile.ts';
import type { Oid, Varbind } from '../agent.ts';
import type { Clocks } from './continuity.ts';
import { type CounterMemory, noCounters } from './counters.ts';

export interface DeviceMemory {
  profile: string | undefined;
  /** Inventories in a row whose recognition got no whole answer. */
  doubts: number;
  /** sysDescr and its like: facts that readings may use and that are not asked again until the next inventory. */
  scalars: ReadonlyMap<Oid, Varbind>;
  /** Which sources of each area answered. */
  chosen: Map<AreaName, readonly number[]>;
  /** Objects that the device does not have. */
  absent: Set<Oid>;
  /** Rows of slow columns, as far as they are used. */
  slow: Map<Oid, ReadonlyMap<string, Varbind>>;
  /** Which rows the tables of slow columns had when these were read, by the table's name. */
  shapes: Map<string, number>;
  /** Metrics reads since the last inventory. */
  polls: number;
  /** What the device's clocks and ours showed when it last told its uptime. */
  clocks: Clocks | undefined;
  counters: CounterMemory;
  labels: Map<string, Labels>;
}

export function emptyMemory(): DeviceMemory {
  return {
    profile: undefined,
    doubts: 0,
    scalars: new Map(),
    chosen: new Map(),
    absent: new Set(),
    slow: new Map(),
    shapes: new Map(),
    polls: 0,
    clocks: undefined,
    counters: noCounters(),
    labels: new Map(),
  };
}
