/** Columns that are read at inventory and remembered: when they must be read anew. */
import type { Oid } from '../agent.ts';
import { Shared } from '../shared.ts';
import type { CompiledSource } from './compile.ts';
import type { DeviceMemory } from './memory.ts';
import type { Scope, TableShape } from './scope.ts';

const sharedTables = new Shared<DeviceMemory['watched']>();

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
  memory.watched = sharedTables.of(watchedTables(sources, memory));
  memory.shapes = Array.from(memory.watched.values(), (polled) => shapeOf(scope.rowsOf(polled)));
}

/**
 * Slow columns whose rows are no longer those of the table: an interface that moved to another index would else bear the
 * name of the one before it. The new rows are noted. A table that was read in part tells nothing.
 */
export function outdatedColumns(scope: Scope, memory: DeviceMemory): ReadonlyMap<TableShape, readonly Oid[]> {
  const outdated = new Map<TableShape, readonly Oid[]>();
  let position = -1;
  for (const [table, polled] of memory.watched) {
    position += 1;
    if (some(polled, (oid) => scope.broken.has(oid))) continue;
    const shape = shapeOf(scope.rowsOf(polled));
    if (memory.shapes[position] === shape) continue;
    memory.shapes[position] = shape;
    outdated.set(
      table,
      [...table.slow].filter((oid) => memory.slow.has(oid)),
    );
  }
  return outdated;
}
