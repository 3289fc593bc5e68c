/** Gives out the series of one source, row by row. */
import { isSameList, Shared } from '../shared.ts';
import type { CompiledSource } from './compile.ts';
import type { Unique } from './labels.ts';
import type { DoubledNames } from './memory.ts';
import type { SeriesOutput } from './output.ts';
import type { CompiledReading } from './readings.ts';
import type { Scope } from './scope.ts';

/** Gives out what a source has. Says whether the device answered any of it. */
export function runSource(source: CompiledSource, scope: Scope, output: SeriesOutput): boolean {
  let answered = false;
  const { table, where, readings } = source;
  try {
    if (!table) {
      for (const reading of readings) {
        if ((!reading.when || reading.when(scope)) && emitSurely(reading, scope, plainName, output)) answered = true;
      }
      return answered;
    }
    const rows = where ? scope.rows(table).filter((index) => at(scope, index, where)) : scope.rows(table);
    const twice = source.onePerName ? NO_NAMES : doubledNames(source, rows, scope);
    // Counted, not iterated over: this runs for every value of every device.
    for (let row = 0; row < rows.length; row += 1) {
      const index = rows[row] ?? '';
      scope.index = index;
      for (let position = 0; position < readings.length; position += 1) {
        const reading = readings[position];
        if (!reading || (reading.when && !reading.when(scope))) continue;
        const unique = twice.size === 0 ? plainName : numbered(twice.get(reading.nameKey), index);
        if (emitSurely(reading, scope, unique, output)) answered = true;
      }
    }
    return answered;
  } finally {
    scope.index = undefined;
    for (const set of source.labelSets) set.finish();
  }
}

/** Nothing where a part of the reading was not answered and something else stood in for it. */
function emitSurely(reading: CompiledReading, scope: Scope, unique: Unique, output: SeriesOutput): boolean {
  if (scope.broken.size === 0) return reading.emit(scope, unique, output);
  scope.uncertain = false;
  const mark = output.mark;
  const answered = reading.emit(scope, unique, output);
  if (!scope.uncertain) return answered;
  output.undo(mark);
  return false;
}

const plainName: Unique = (base) => base;

function numbered(doubled: ReadonlySet<string> | undefined, index: string): Unique {
  return doubled ? (base) => (doubled.has(base) ? `${base} (${index})` : base) : plainName;
}

const NO_NAMES: ReadonlyMap<string, ReadonlySet<string>> = new Map();

function at<T>(scope: Scope, index: string, evaluate: (scope: Scope) => T): T {
  scope.index = index;
  return evaluate(scope);
}

const NO_DOUBLES: ReadonlySet<string> = new Set();
const sharedNames = new Shared<DoubledNames>(
  (a, b) => isSameList(a.names, b.names),
  ({ names }) => names.length,
);

/** Names that several rows bear, by the kind of name. Each of them gets its index behind it, so that none is mistaken. */
function doubledNames(
  source: CompiledSource,
  rows: readonly string[],
  scope: Scope,
): ReadonlyMap<string, ReadonlySet<string>> {
  const doubled = new Map<string, ReadonlySet<string>>();
  for (const reading of source.naming) {
    const twice = doublesOf(reading, rows, scope);
    if (twice.size > 0) doubled.set(reading.nameKey, twice);
  }
  return doubled;
}

/** The names are mostly those of the read before: then so are the doubled ones. */
function doublesOf(reading: CompiledReading, rows: readonly string[], scope: Scope): ReadonlySet<string> {
  const before = scope.doubles?.get(reading);
  if (before && before.names.length === rows.length && isNamedSo(before.names, reading, rows, scope))
    return before.doubled;
  const names = rows.map((index) => nameAt(index, reading, scope));
  const once = new Set<string>();
  const doubled = new Set<string>();
  for (const text of names) {
    if (text === undefined) continue;
    if (once.has(text)) doubled.add(text);
    else once.add(text);
  }
  scope.doubles?.set(reading, sharedNames.of({ names, doubled: doubled.size > 0 ? doubled : NO_DOUBLES }));
  return doubled;
}

function isNamedSo(
  names: readonly (string | undefined)[],
  reading: CompiledReading,
  rows: readonly string[],
  scope: Scope,
): boolean {
  for (let position = 0; position < rows.length; position += 1)
    if (nameAt(rows[position] ?? '', reading, scope) !== names[position]) return false;
  return true;
}

function nameAt(index: string, { name, when }: CompiledReading, scope: Scope): string | undefined {
  scope.index = index;
  return !when || when(scope) ? name?.(scope) : undefined;
}
