/** Columns that are read at inventory and remembered: what is kept of them, and when they must be read anew. */
import type { Oid, Varbind } from '../agent.ts';
import type { CompiledSource } from './compile.ts';
import type { DeviceMemory } from './memory.ts';
import type { Scope, TableShape } from './scope.ts';

type Rows = ReadonlyMap<string, Varbind>;

/**
 * The same rows without the datagrams they came in, whose octets theirs are a window on: all octets go into one buffer, and
 * what several rows say is kept once.
 */
export function keptRows(used: ReadonlyMap<Oid, Rows>): Map<Oid, Rows> {
  let length = 0;
  for (const rows of used.values()) for (const { value } of rows.values()) length += octetsOf(value)?.length ?? 0;
  const buffer = Buffer.allocUnsafeSlow(length);
  const known = new Map<string, Varbind>();
  let at = 0;
  const kept = (varbind: Varbind): Varbind => {
    const octets = octetsOf(varbind.value);
    if (!octets) return varbind;
    const key = `${varbind.type} ${Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')}`;
    let same = known.get(key);
    if (!same) {
      buffer.set(octets, at);
      const value = new Uint8Array(buffer.buffer, buffer.byteOffset + at, octets.length);
      at += octets.length;
      same = { type: varbind.type, value } as Varbind;
      known.set(key, same);
    }
    return same;
  };
  return new Map(
    [...used].map(([oid, rows]) => [oid, new Map([...rows].map(([index, varbind]) => [index, kept(varbind)]))]),
  );
}

function octetsOf(value: Varbind['value']): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}

/** Tables of which slow columns are remembered, with the columns that the sources read of them at each poll. */
function watchedTables(
  sources: readonly CompiledSource[],
  { slow }: Pick<DeviceMemory, 'slow'>,
): ReadonlyMap<TableShape, ReadonlySet<Oid>> {
  const watched = new Map<TableShape, Set<Oid>>();
  for (const { needs } of sources) {
    for (const [table, oids] of needs.columns) {
      if (!some(table.slow, (oid) => slow.has(oid))) continue;
      const polled = watched.get(table) ?? new Set();
      for (const oid of oids) if (!table.slow.has(oid)) polled.add(oid);
      if (polled.size > 0) watched.set(table, polled);
    }
  }
  return watched;
}

function some<T>(values: Iterable<T>, test: (value: T) => boolean): boolean {
  for (const value of values) if (test(value)) return true;
  return false;
}

/** A number for the indexes of a table's rows, by which two reads are compared. */
function shapeOf(indexes: readonly string[]): number {
  let hash = indexes.length;
  for (const index of indexes) {
    for (let i = 0; i < index.length; i += 1) hash = Math.imul(hash ^ index.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ 0x2f, 0x01000193);
  }
  return hash;
}

/** Notes which rows the tables have whose slow columns were just read. */
export function noteShapes(sources: readonly CompiledSource[], scope: Scope, memory: DeviceMemory): void {
  memory.watched = watchedTables(sources, memory);
  memory.shapes = new Map(Array.from(memory.watched, ([table, polled]) => [table.name, shapeOf(scope.rowsOf(polled))]));
}

/**
 * Slow columns whose rows are no longer those of the table: an interface that moved to another index would else bear the
 * name of the one before it. The new rows are noted. A table that was read in part tells nothing.
 */
export function outdatedColumns(scope: Scope, memory: DeviceMemory): ReadonlyMap<TableShape, readonly Oid[]> {
  const outdated = new Map<TableShape, readonly Oid[]>();
  for (const [table, polled] of memory.watched) {
    if (some(polled, (oid) => scope.broken.has(oid))) continue;
    const shape = shapeOf(scope.rowsOf(polled));
    if (memory.shapes.get(table.name) === shape) continue;
    memory.shapes.set(table.name, shape);
    outdated.set(
      table,
      [...table.slow].filter((oid) => memory.slow.has(oid)),
    );
  }
  return outdated;
}
