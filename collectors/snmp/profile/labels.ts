/** How the series of a reading are named, and where they go. */
import { CATALOGUE, type MetricName } from '#collectors/catalogue.ts';
import type { Labels, Reading } from '#collectors/contract.ts';
import type { ReadingSettings, ValueOrText } from '#config/profile.ts';
import type { Oid, Varbind } from '../agent.ts';
import { textOf } from './cell.ts';
import type { Scope, Trace } from './scope.ts';
import { labelText, saysNothing } from './text.ts';
import { type CompileContext, compileValue, type Evaluate, Needs } from './value.ts';

/** Where the series of a device go while it is read. */
export interface Output {
  /** Labels that are the same text are the same object from poll to poll, so that sinks may remember what they made of it. */
  labels(parts: Labels): Labels;
  add(reading: Reading): void;
  /** Whether an earlier row or source gave this series. */
  has(metric: MetricName, labels: Labels): boolean;
  /** A value that was there but is of no use. */
  refuse(metric: MetricName, what: Trace): void;
}

/** The text to use for a name in the row at hand: with the row's index behind it where several rows have that name. */
export type Unique = (base: string) => string;

/** What a kind of reading is compiled to. */
export interface CompiledKind {
  /**
   * Names its series in a row, before it is made unique; undefined where the device says nothing. Readings with the same
   * `nameKey` have the same names.
   */
  readonly name?: (scope: Scope) => string | undefined;
  readonly nameKey: string;
  /** Gives out series. Says whether the device answered it at all, even if there was nothing to give out. */
  emit(scope: Scope, unique: Unique, output: Output): boolean;
}

/** The settings of the readings that have the key `K`. */
export type Kind<K extends string> = Extract<ReadingSettings, { readonly [key in K]: unknown }>;

export interface ReadingContext extends CompileContext {
  /** Label sets that several readings of a source share. */
  readonly labelSets: Map<string, LabelSet>;
  /** Octets per second that the thing at hand can move at most. */
  readonly speed?: Evaluate;
}

interface NamedValue {
  readonly label: string;
  readonly value: Evaluate;
}

/** The labels of a row, and what they were made from. */
export interface NamedRow {
  readonly inputs: readonly (string | number | bigint | undefined)[];
  /** Before it was made unique. */
  readonly name: string;
  readonly labels: Labels;
}

/** More rows than this are not remembered: a device that calls its rows differently at each read must not fill the memory. */
const MOST_NAMED_ROWS = 20_000;

/**
 * Labels of a row, worked out once for all readings that share them. The first label of the catalogue's entry names the
 * series; where that is nothing there are no labels, for what cannot be named cannot be told from others.
 *
 * From poll to poll they are mostly the same. Where they are made from columns of the row alone, those are compared with
 * what they were, which costs far less than making texts and labels anew.
 */
export class LabelSet {
  /** Gives the name of the row at hand; undefined where there is none. */
  readonly name: ((scope: Scope) => string | undefined) | undefined;
  readonly key: string;
  readonly #named: readonly NamedValue[];
  readonly #inputs: readonly Oid[] | undefined;
  #scope: Scope | undefined;
  #index: string | undefined;
  #labels: Labels | undefined;

  constructor(named: readonly NamedValue[], key: string, needs: Needs) {
    this.#named = named;
    const [first] = named;
    this.name = first && ((scope) => this.#known(scope)?.name ?? nameText(first.value(scope)));
    this.key = key;
    const columns = [...needs.columns.values()];
    const ofRow = columns.length === 1 && needs.scalars.size === 0 && !needs.acrossRows;
    this.#inputs = ofRow ? columns.flatMap((oids) => [...oids]) : undefined;
  }

  of(scope: Scope, unique: Unique, output: Output): Labels | undefined {
    if (this.#scope === scope && this.#index === scope.index) return this.#labels;
    const known = this.#known(scope);
    this.#labels =
      known && known.labels[this.#named[0]?.label ?? ''] === unique(known.name)
        ? known.labels
        : this.#make(scope, unique, output);
    this.#scope = scope;
    this.#index = scope.index;
    return this.#labels;
  }

  /** Lets go of the device's values, which would else stay in memory until the next device is read. */
  forget(): void {
    this.#scope = undefined;
    this.#labels = undefined;
  }

  /** The row as it was made before, where it is made from the same. Not while it is noted what is used. */
  #known(scope: Scope): NamedRow | undefined {
    if (!this.#inputs || scope.used || scope.index === undefined) return undefined;
    const row = scope.names?.get(this)?.get(scope.index);
    if (!row) return undefined;
    for (let position = 0; position < this.#inputs.length; position += 1) {
      const oid = this.#inputs[position] ?? '';
      const value = scope.columns.get(oid)?.get(scope.index)?.value;
      if (value === undefined && scope.broken.has(oid)) return undefined;
      if (!isSame(row.inputs[position], value)) return undefined;
    }
    return row;
  }

  #make(scope: Scope, unique: Unique, output: Output): Labels | undefined {
    const before = scope.uncertain;
    scope.uncertain = false;
    let name = '';
    const labels: Record<string, string> = {};
    for (const [position, { label, value }] of this.#named.entries()) {
      const text = nameText(value(scope)) ?? '';
      if (position === 0) name = text;
      if (position === 0 && text === '') break;
      labels[label] = position === 0 ? unique(text) : text;
    }
    const isNamed = name !== '' || this.#named.length === 0;
    const made = isNamed && !scope.uncertain ? output.labels(labels) : undefined;
    scope.uncertain = before;
    if (made) this.#remember(scope, name, made);
    return made;
  }

  #remember(scope: Scope, name: string, labels: Labels): void {
    const { index, names } = scope;
    if (!this.#inputs || !names || index === undefined) return;
    const rows = names.get(this) ?? new Map<string, NamedRow>();
    if (rows.size >= MOST_NAMED_ROWS) rows.clear();
    const inputs = this.#inputs.map((oid) => asKept(scope.columns.get(oid)?.get(index)?.value));
    names.set(this, rows.set(index, { inputs, name, labels }));
  }
}

/** Octets become a text of as many signs: they are a window on a whole datagram. */
function asKept(value: Varbind['value'] | undefined): NamedRow['inputs'][number] {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value;
}

function isSame(kept: NamedRow['inputs'][number], value: Varbind['value'] | undefined): boolean {
  if (!(value instanceof Uint8Array)) return kept === value;
  if (typeof kept !== 'string' || kept.length !== value.length) return false;
  for (let i = 0; i < value.length; i += 1) if (kept.charCodeAt(i) !== value[i]) return false;
  return true;
}

/** The labels of a metric, the same object for the same labels under the same condition. */
export function labelSet(
  metric: MetricName,
  labels: Readonly<Record<string, ValueOrText>> | undefined,
  context: ReadingContext,
  condition: string,
  filledLater = '',
): LabelSet {
  const names = CATALOGUE[metric].labels.filter((label) => label !== filledLater);
  const key = JSON.stringify([names.map((label) => [label, labels?.[label]]), condition]);
  const known = context.labelSets.get(key);
  if (known) return known;
  const needs = new Needs();
  const named = names.map((label) => ({ label, value: compileValue(labels?.[label] ?? '', { ...context, needs }) }));
  context.needs.addAll(needs);
  const set = new LabelSet(named, key, needs);
  context.labelSets.set(key, set);
  return set;
}

/** The text of a name; undefined where the device says nothing. */
export function nameText(cell: ReturnType<Evaluate>): string | undefined {
  const text = textOf(cell);
  return text === undefined || saysNothing(text) ? undefined : labelText(text);
}
