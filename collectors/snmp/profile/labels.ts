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

/** The rows of a table that one set of labels was made for. */
export interface NamedRows {
  readonly byIndex: Map<string, NamedRow>;
  /** The columns that the rows were last compared with, where these outlive a read. */
  columns: readonly (ReadonlyMap<string, Varbind> | undefined)[] | undefined;
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
 * what they were, which costs far less than making texts and labels anew; once per read, and not at all where the columns
 * themselves are remembered from the inventory.
 */
export class LabelSet {
  /** Gives the name of the row at hand; undefined where there is none. */
  readonly name: ((scope: Scope) => string | undefined) | undefined;
  readonly key: string;
  readonly #named: readonly NamedValue[];
  readonly #inputs: readonly Oid[] | undefined;
  /** Whether a poll does not ask for them. */
  readonly #areSlow: boolean;
  /** The read that `#rows` was compared with. */
  #compared: Scope | undefined;
  #rows: ReadonlyMap<string, NamedRow> | undefined;
  #scope: Scope | undefined;
  #index: string | undefined;
  #labels: Labels | undefined;

  constructor(named: readonly NamedValue[], key: string, needs: Needs) {
    this.#named = named;
    const [first] = named;
    this.name = first && ((scope) => this.#known(scope)?.name ?? nameText(first.value(scope)));
    this.key = key;
    const [columns, ...others] = needs.columns;
    const ofRow = columns && others.length === 0 && needs.scalars.size === 0 && !needs.acrossRows;
    const [table, oids] = columns ?? [];
    this.#inputs = ofRow && oids ? [...oids] : undefined;
    this.#areSlow = this.#inputs?.every((oid) => table?.slow.has(oid)) === true;
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
    this.#compared = undefined;
    this.#rows = undefined;
  }

  /** The row as it was made before, where it is made from the same. Not while it is noted what is used. */
  #known(scope: Scope): NamedRow | undefined {
    if (!this.#inputs || scope.used || scope.index === undefined) return undefined;
    if (this.#compared !== scope) {
      this.#rows = this.#renewed(this.#inputs, scope);
      this.#compared = scope;
    }
    return this.#rows?.get(scope.index);
  }

  /** The rows of earlier reads, without those that are now made from something else or gone. */
  #renewed(inputs: readonly Oid[], scope: Scope): ReadonlyMap<string, NamedRow> | undefined {
    const named = scope.names?.get(this);
    if (!named) return undefined;
    const columns = inputs.map((oid) => scope.columns.get(oid));
    const { columns: before, byIndex } = named;
    const isWhole = scope.broken.size === 0;
    if (isWhole && before && columns.every((column, position) => column === before[position])) return byIndex;
    for (const [index, row] of byIndex) {
      const isStill = inputs.every((oid, position) => {
        const value = columns[position]?.get(index)?.value;
        return value === undefined && scope.broken.has(oid) ? false : isSame(row.inputs[position], value);
      });
      if (!isStill) byIndex.delete(index);
    }
    named.columns = this.#areSlow && isWhole ? columns : undefined;
    return byIndex;
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
    const named: NamedRows = names.get(this) ?? { byIndex: new Map(), columns: undefined };
    if (named.byIndex.size >= MOST_NAMED_ROWS) named.byIndex.clear();
    const inputs = this.#inputs.map((oid) => asKept(scope.columns.get(oid)?.get(index)?.value));
    named.byIndex.set(index, { inputs, name, labels });
    names.set(this, named);
    // Only now, for the first row that is remembered of a device.
    if (this.#compared === scope) this.#rows = named.byIndex;
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
