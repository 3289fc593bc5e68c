/** Gives out the series of one source, row by row. */
import type { CompiledSource } from './compile.ts';
import { nameText, type Unique } from './labels.ts';
import type { SeriesOutput } from './output.ts';
import type { CompiledReading } from './readings.ts';
import type { Scope } from './scope.ts';

/** Gives out what a source has. Says whether the device answered any of it. */
export function runSource(source: CompiledSource, scope: Scope, output: SeriesOutput): boolean {
  let answered = false;
  const { table, where, readings } = source;
  try {
    if (!table) {
      for (const { when, emit } of readings) {
        if ((!when || when(scope)) && emitSurely(emit, scope, plainName, output)) answered = true;
      }
      return answered;
    }
    const rows = where ? scope.rows(table).filter((index) => at(scope, index, where)) : scope.rows(table);
    const twice = source.onePerName ? NO_NAMES : doubledNames(source, rows, scope);
    for (const index of rows) {
      scope.index = index;
      for (const { when, emit, nameKey } of readings) {
        if (when && !when(scope)) continue;
        const doubled = twice.get(nameKey);
        const unique: Unique = doubled ? (base) => (doubled.has(base) ? `${base} (${index})` : base) : plainName;
        if (emitSurely(emit, scope, unique, output)) answered = true;
      }
    }
    return answered;
  } finally {
    scope.index = undefined;
    for (const set of source.labelSets) set.forget();
  }
}

/** Nothing where a part of the reading was not answered and something else stood in for it. */
function emitSurely(emit: CompiledReading['emit'], scope: Scope, unique: Unique, output: SeriesOutput): boolean {
  if (scope.broken.size === 0) return emit(scope, unique, output);
  scope.uncertain = false;
  const mark = output.mark;
  const answered = emit(scope, unique, output);
  if (!scope.uncertain) return answered;
  output.undo(mark);
  return false;
}

const plainName: Unique = (base) => base;
const NO_NAMES: ReadonlyMap<string, ReadonlySet<string>> = new Map();

function at<T>(scope: Scope, index: string, evaluate: (scope: Scope) => T): T {
  scope.index = index;
  return evaluate(scope);
}

/** Names that several rows bear, by the kind of name. Each of them gets its index behind it, so that none is mistaken. */
function doubledNames(
  source: CompiledSource,
  rows: readonly string[],
  scope: Scope,
): ReadonlyMap<string, ReadonlySet<string>> {
  const doubled = new Map<string, ReadonlySet<string>>();
  const done = new Set<string>();
  for (const { name, nameKey, when } of source.readings) {
    if (!name || done.has(nameKey)) continue;
    done.add(nameKey);
    const once = new Set<string>();
    const twice = new Set<string>();
    for (const index of rows) {
      scope.index = index;
      if (when && !when(scope)) continue;
      const text = nameText(name(scope));
      if (text === undefined) continue;
      if (once.has(text)) twice.add(text);
      else once.add(text);
    }
    if (twice.size > 0) doubled.set(nameKey, twice);
  }
  return doubled;
}
