/** How the series of a reading are named, and where they go. */
import { CATALOGUE, type MetricName } from '#collectors/catalogue.ts';
import type { Labels, ReadingSource } from '#collectors/contract.ts';
import type { ReadingSettings, ValueOrText } from '#config/profile.ts';
import type { Oid } from '../agent.ts';
import { textOf } from './cell.ts';
import type { LabelsNumber } from './labels-table.ts';
import { type NamedRow, type NamedRows, NO_NAMES } from './named-rows.ts';
import type { Scope, Trace } from './scope.ts';
import { labelText, saysNothing } from './text.ts';
import { type CompileContext, compileValue, type Evaluate, Needs } from './value.ts';

/** Where the series of a device go while it is read. */
export interface Output {
  /** Labels that are the same text are the same object from poll to poll, so that sinks may remember what they made of it. */
  labels(parts: Labels): LabelsNumber;
  textsOf(labels: LabelsNumber): Labels;
  add(metric: MetricName, labels: LabelsNumber, value: number | bigint, source?: ReadingSource): void;
  /** Whether an earlier row or source gave this series. */
  has(metric: MetricName, labels: LabelsNumber): boolean;
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

/** More rows than this are not remembered: a device that calls its rows differently at each read must not fill the memory. */
const MOST_NAMED_ROWS = 20_000;

/**
 * Labels of a row, worked out once for all readings that share them. The first label of the catalogue's entry names the
 * series; where that is nothing there are no labels, for what cannot be named cannot be told from others.
 *
 * From poll to poll they are mostly the same. Where they are made from columns of the row alone, those are compared with
 * what they were, once per read, which costs far less than making texts and labels anew.
 */
export class LabelSet {
  /** Gives the name of the row at hand; undefined where there is none. */
  readonly name: ((scope: Scope) => string | undefined) | undefined;
  readonly key: string;
  readonly #named: readonly NamedValue[];
  readonly #inputs: readonly Oid[] | undefined;
  /** The read that `#rows` was compared with. */
  #compared: Scope | undefined;
  #rows = NO_NAMES;
  /** Rows of this read that are not among those. */
  #made: NamedRow[] = [];
  #scope: Scope | undefined;
  #index: string | undefined;
  #labels: LabelsNumber | undefined;

  constructor(named: readonly NamedValue[], key: string, needs: Needs) {
    this.#named = named;
    const [first] = named;
    this.name = first && ((scope) => this.#knownName(scope) ?? nameText(first.value(scope)));
    this.key = key;
    const [columns, ...others] = needs.columns;
    const ofRow = columns && others.length === 0 && needs.scalars.size === 0 && !needs.acrossRows;
    this.#inputs = ofRow ? [...columns[1]] : undefined;
  }

  of(scope: Scope, unique: Unique, output: Output): LabelsNumber | undefined {
    if (this.#scope === scope && this.#index === scope.index) return this.#labels;
    this.#labels = this.#knownLabels(scope, unique, output) ?? this.#make(scope, unique, output);
    this.#scope = scope;
    this.#index = scope.index;
    return this.#labels;
  }

  /** Remembers what was made, and lets go of the device's values, which would else stay until the next device is read. */
  finish(): void {
    const scope = this.#compared;
    if (this.#inputs && scope?.names && this.#made.length > 0) {
      const rows = this.#rows.indexes.length < MOST_NAMED_ROWS ? this.#rows : NO_NAMES;
      const columns = this.#inputs.map((oid) => scope.columns.get(oid));
      scope.names.set(this, rows.with(this.#made, columns));
      this.#made = [];
    }
    this.#rows = NO_NAMES;
    this.#compared = undefined;
    this.#scope = undefined;
    this.#labels = undefined;
  }

  /** Where the row is among those that are made from the same as before, or -1. Not while it is noted what is used. */
  #known(scope: Scope): number {
    if (!this.#inputs || !scope.names || scope.used || scope.index === undefined) return -1;
    if (this.#compared !== scope) {
      this.#rows = this.#still(this.#inputs, scope, scope.names);
      this.#compared = scope;
    }
    return this.#rows.positionOf(scope.index);
  }

  /** The rows of earlier reads, without those that are now made from something else or gone. */
  #still(inputs: readonly Oid[], { columns, broken }: Scope, names: Map<LabelSet, NamedRows>): NamedRows {
    const before = names.get(this) ?? NO_NAMES;
    const still = before.still(
      inputs.map((oid) => columns.get(oid)),
      inputs.map((oid) => broken.has(oid)),
    );
    if (still !== before) names.set(this, still);
    return still;
  }

  #knownName(scope: Scope): string | undefined {
    const row = this.#known(scope);
    return row === -1 ? undefined : this.#rows.names[row];
  }

  /** Not where the name was made unique then and need not be now, or the other way round. */
  #knownLabels(scope: Scope, unique: Unique, output: Output): LabelsNumber | undefined {
    const row = this.#known(scope);
    const labels = row === -1 ? undefined : this.#rows.labels[row];
    if (labels === undefined) return undefined;
    const text = output.textsOf(labels)[this.#named[0]?.label ?? ''];
    return text === unique(this.#rows.names[row] ?? '') ? labels : undefined;
  }

  #make(scope: Scope, unique: Unique, output: Output): LabelsNumber | undefined {
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
    if (made !== undefined) this.#note(made, name, scope, output);
    return made;
  }

  #note(labels: LabelsNumber, name: string, scope: Scope, output: Output): void {
    const { index } = scope;
    if (this.#compared !== scope || index === undefined) return;
    const text = output.textsOf(labels)[this.#named[0]?.label ?? ''];
    // Mostly the name is in the labels; then it need not be kept twice.
    this.#made.push({ index, name: text === name ? text : name, labels });
  }
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
