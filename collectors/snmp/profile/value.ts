/**
 * Turns the value trees of a profile into functions, once per profile. A value that cannot be had is undefined, and so
 * is everything made from it.
 */
import type { Condition, Value, ValueOrText } from '#config/profile.ts';
import type { Oid } from '../agent.ts';
import { asExact, type Cell, numberOf, plainNumber, textOf } from './cell.ts';
import type { Scope, TableShape, Trace } from './scope.ts';
import { decodeText, saysNothing } from './text.ts';
import { compileTransforms } from './transform.ts';

export type Evaluate = (scope: Scope) => Cell | undefined;
export type Test = (scope: Scope) => boolean;

/** The objects that values are made from: what has to be asked. */
export class Needs {
  readonly scalars = new Set<Oid>();
  readonly columns = new Map<TableShape, Set<Oid>>();
  /** Whether other rows than the one at hand are looked at. */
  acrossRows = false;

  column(table: TableShape, oid: Oid): void {
    const known = this.columns.get(table);
    if (known) known.add(oid);
    else this.columns.set(table, new Set([oid]));
  }

  addAll(other: Needs): void {
    for (const oid of other.scalars) this.scalars.add(oid);
    for (const [table, oids] of other.columns) for (const oid of oids) this.column(table, oid);
    this.acrossRows ||= other.acrossRows;
  }
}

export interface CompileContext {
  readonly tables: ReadonlyMap<string, TableShape>;
  /** The table whose rows are worked through. */
  readonly rows?: TableShape;
  readonly needs: Needs;
  /** Whether the value only grows: counters of 32 bits that it is made from go on where they turn. */
  readonly carries?: boolean;
  /** Texts that `first` passes over, beside those that say nothing. */
  readonly blank?: (text: string) => boolean;
}

const OID = /^[0-2](\.\d+){3,127}$/;

export function compileValue(value: ValueOrText, context: CompileContext): Evaluate {
  if (typeof value === 'number') return () => value;
  if (typeof value === 'string') return OID.test(value) ? scalar(value, context) : () => value;
  const source = compileSource(value, context);
  const transform = compileTransforms(value);
  const evaluate: Evaluate = transform
    ? (scope) => {
        const cell = source(scope);
        return cell === undefined ? undefined : transform(cell);
      }
    : source;
  if (!value.when) return evaluate;
  const test = compileConditions(value.when, context);
  return (scope) => (test(scope) ? evaluate(scope) : undefined);
}

function scalar(oid: Oid, context: CompileContext): Evaluate {
  context.needs.scalars.add(oid);
  return context.carries ? (scope) => scope.carriedScalar(oid) : (scope) => scope.scalar(oid);
}

function compileSource(value: Value, context: CompileContext): Evaluate {
  if (value.oid !== undefined) return scalar(value.oid, context);
  if (value.column !== undefined) return column(value.column, context);
  if (value.index !== undefined) return indexPart(value.index);
  if (value.const !== undefined) return constant(value.const);
  if (value.lookup) return lookup(value.lookup, context);
  if (value.row) return rowValue(value.row, context);
  if (value.aggregate) return aggregate(value.aggregate, context);
  if (value.first) return firstOf(value.first, context);
  if (value.join) return joined(value.join, value.separator ?? ' ', context);
  if (value.sum) return numbers(value.sum, sum, context);
  if (value.difference) return numbers(value.difference, difference, context);
  if (value.product) return numbers(value.product, product, context);
  if (value.quotient) return numbers(value.quotient, quotient, context);
  if (value.max) return numbers(value.max, largest, context);
  if (value.min) return numbers(value.min, smallest, context);
  return () => undefined;
}

function constant(value: string | number | boolean): Evaluate {
  return () => value;
}

function tableOf(name: string, context: CompileContext): TableShape {
  return context.tables.get(name) ?? { name, columns: new Map(), slow: new Set() };
}

function columnOid(table: TableShape, name: string, context: CompileContext): Oid {
  const oid = table.columns.get(name) ?? '';
  if (oid !== '') context.needs.column(table, oid);
  return oid;
}

function column(name: string, context: CompileContext): Evaluate {
  const table = context.rows;
  if (!table) return () => undefined;
  const oid = columnOid(table, name, context);
  const slow = table.slow.has(oid);
  return context.carries ? (scope) => scope.carriedCell(oid, slow) : (scope) => scope.cell(oid, scope.index, slow);
}

function indexPart(part: NonNullable<Value['index']>): Evaluate {
  return ({ index }) => {
    if (index === undefined) return undefined;
    if (part === 'all') return index;
    const parts = index.split('.');
    if (typeof part === 'number') {
      const text = parts.at(part);
      return text === undefined ? undefined : Number(text);
    }
    // Length-prefixed or bare text: the octets of the index from there on (RFC 2578, 7.7).
    const rest = parts.slice(part.text_from).map(Number);
    const octets = rest[0] === rest.length - 1 ? rest.slice(1) : rest;
    return octets.every((octet) => octet <= 255) ? decodeText(Uint8Array.from(octets)) : undefined;
  };
}

function lookup(settings: NonNullable<Value['lookup']>, context: CompileContext): Evaluate {
  context.needs.acrossRows = true;
  const parts = settings.index.map((part) => compileValue(part, context));
  const table = tableOf(settings.table, context);
  const oid = columnOid(table, settings.column, context);
  const slow = table.slow.has(oid);
  return (scope) => {
    const texts: string[] = [];
    for (const part of parts) {
      const text = textOf(part(scope));
      if (text === undefined) return undefined;
      texts.push(text);
    }
    return scope.cell(oid, texts.join('.'), slow);
  };
}

function rowValue(settings: NonNullable<Value['row']>, context: CompileContext): Evaluate {
  context.needs.acrossRows = true;
  const table = tableOf(settings.table, context);
  const inside = { ...context, rows: table };
  const oid = columnOid(table, settings.column, context);
  const slow = table.slow.has(oid);
  const where = compileConditions(settings.where ?? [], inside);
  return (scope) => {
    const outer = scope.index;
    // The row that is looked for may be among those that were not read.
    if (scope.broken.has(oid)) scope.uncertain = true;
    try {
      for (const index of scope.rows(table)) {
        scope.index = index;
        if (!where(scope)) continue;
        const cell = scope.cell(oid, index, slow);
        if (cell !== undefined && !isNothing(cell, context)) return cell;
      }
      return undefined;
    } finally {
      scope.index = outer;
    }
  };
}

function aggregate(settings: NonNullable<Value['aggregate']>, context: CompileContext): Evaluate {
  context.needs.acrossRows = true;
  const table = tableOf(settings.table, context);
  const inside = { ...context, rows: table };
  const oid = columnOid(table, settings.column, context);
  const slow = table.slow.has(oid);
  const where = compileConditions(settings.where ?? [], inside);
  return (scope) => {
    // Of half a column there is neither a sum nor a count.
    if (scope.broken.has(oid)) {
      scope.uncertain = true;
      return undefined;
    }
    const outer = scope.index;
    const found: (number | bigint)[] = [];
    try {
      for (const index of scope.rows(table)) {
        scope.index = index;
        if (!scope.has(oid, index) || !where(scope)) continue;
        const cell = scope.cell(oid, index, slow);
        const number = settings.by === 'count' ? 1 : numberOf(cell);
        if (number !== undefined) found.push(number);
        // A sum without one of its parts is a wrong figure; the largest of the others is still one of them.
        else if (settings.by === 'sum') return undefined;
      }
    } finally {
      scope.index = outer;
    }
    if (settings.by === 'count') return scope.columns.get(oid)?.size ? found.length : undefined;
    if (found.length === 0) return undefined;
    if (settings.by === 'mean') return Number(sum(found)) / found.length;
    return settings.by === 'sum' ? sum(found) : settings.by === 'max' ? largest(found) : smallest(found);
  };
}

/** The first that is there. Texts that say nothing count as not there. */
function firstOf(values: readonly ValueOrText[], context: CompileContext): Evaluate {
  const choices = values.map((value) => compileValue(value, context));
  return (scope) => {
    const noted = scope.trace?.length ?? 0;
    for (const choice of choices) {
      const cell = choice(scope);
      if (cell !== undefined && !isNothing(cell, context)) return cell;
      // What was tried in vain is no source of the value.
      if (scope.trace) scope.trace.length = noted;
    }
    return undefined;
  };
}

function isNothing(cell: Cell, context: CompileContext): boolean {
  if (typeof cell !== 'string' && !(cell instanceof Uint8Array)) return false;
  if (cell.length > 64) return false;
  const text = typeof cell === 'string' ? cell : decodeText(cell);
  return saysNothing(text) || context.blank?.(text) === true;
}

function joined(values: readonly ValueOrText[], separator: string, context: CompileContext): Evaluate {
  const parts = values.map((value) => compileValue(value, context));
  return (scope) => {
    const texts = parts.map((part) => textOf(part(scope))).filter((text) => text !== undefined && !saysNothing(text));
    return texts.length === 0 ? undefined : texts.join(separator);
  };
}

type Fold = (values: readonly (number | bigint)[]) => number | bigint | undefined;

function numbers(values: readonly ValueOrText[], fold: Fold, context: CompileContext): Evaluate {
  const operands = values.map((value) => compileValue(value, context));
  return (scope) => {
    const found = new Array<number | bigint>(operands.length);
    for (let position = 0; position < operands.length; position += 1) {
      const number = numberOf(operands[position]?.(scope));
      if (number === undefined) return undefined;
      found[position] = number;
    }
    const result = fold(found);
    return typeof result === 'number' && !Number.isFinite(result) ? undefined : result;
  };
}

const sum: Fold = (values) => {
  const exact = asExact(values);
  return exact
    ? plainNumber(exact.reduce((total, value) => total + value, 0n))
    : values.reduce<number>((total, value) => total + Number(value), 0);
};
const difference: Fold = (values) => {
  const exact = asExact(values);
  if (exact) return plainNumber(exact.slice(1).reduce((left, value) => left - value, exact[0] ?? 0n));
  return values.slice(1).reduce<number>((left, value) => left - Number(value), Number(values[0] ?? 0));
};
const product: Fold = (values) => {
  const exact = asExact(values);
  return exact
    ? plainNumber(exact.reduce((total, value) => total * value, 1n))
    : values.reduce<number>((total, value) => total * Number(value), 1);
};
const quotient: Fold = (values) =>
  values.slice(1).reduce<number>((left, value) => left / Number(value), Number(values[0] ?? 0));
// Math.max knows no bigint.
const largest: Fold = (values) => values.toSorted(ascending).at(-1);
const smallest: Fold = (values) => values.toSorted(ascending)[0];

function ascending(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : Number(a > b);
}

/** A value with the objects that it is made from. Costs more than the value alone. */
export function traced(
  value: Evaluate,
  scope: Scope,
): { readonly cell: Cell | undefined; readonly trace: readonly Trace[] } {
  const trace: Trace[] = [];
  scope.trace = trace;
  const cell = value(scope);
  scope.trace = undefined;
  return { cell, trace };
}

export function compileConditions(conditions: readonly Condition[], context: CompileContext): Test {
  const plain = { ...context, carries: false };
  const tests = conditions.map((condition) => compileCondition(condition, plain));
  if (tests.length === 0) return () => true;
  return (scope) => {
    // What a condition looks at is no source of the value.
    const trace = scope.trace;
    scope.trace = undefined;
    try {
      return holdsAll(tests, scope);
    } finally {
      scope.trace = trace;
    }
  };
}

function holdsAll(tests: readonly Test[], scope: Scope): boolean {
  for (const test of tests) if (!test(scope)) return false;
  return true;
}

function holdsAny(tests: readonly Test[], scope: Scope): boolean {
  for (const test of tests) if (test(scope)) return true;
  return false;
}

function compileCondition(condition: Condition, context: CompileContext): Test {
  const any = condition.any?.map((inner) => compileCondition(inner, context));
  const value = condition.value === undefined ? undefined : compileValue(condition.value, context);
  const within = condition.in && new Set(condition.in.map(String));
  const without = condition.not_in && new Set(condition.not_in.map(String));
  const matches = condition.matches === undefined ? undefined : new RegExp(condition.matches, 'iu');
  const notMatches = condition.not_matches === undefined ? undefined : new RegExp(condition.not_matches, 'iu');
  const { exists, above, below } = condition;

  return (scope) => {
    if (any && !holdsAny(any, scope)) return false;
    if (!value) return true;
    const cell = value(scope);
    if (exists !== undefined && (cell !== undefined) !== exists) return false;
    if (cell === undefined) {
      // An absent value is in no list and matches nothing; it cannot break a rule that forbids something either.
      return !within && !matches && above === undefined && below === undefined;
    }
    if (within || without || matches || notMatches) {
      const text = textOf(cell) ?? '';
      if (within && !within.has(text)) return false;
      if (without?.has(text)) return false;
      if (matches && !matches.test(text)) return false;
      if (notMatches?.test(text)) return false;
    }
    if (above !== undefined || below !== undefined) {
      const number = numberOf(cell);
      if (number === undefined) return false;
      if (above !== undefined && !(number > above)) return false;
      if (below !== undefined && !(number < below)) return false;
    }
    return true;
  };
}
