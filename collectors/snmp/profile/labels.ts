/** How the series of a reading are named, and where they go. */
import { CATALOGUE, type MetricName } from '#collectors/catalogue.ts';
import type { Labels, Reading } from '#collectors/contract.ts';
import type { ReadingSettings, ValueOrText } from '#config/profile.ts';
import { textOf } from './cell.ts';
import type { Scope, Trace } from './scope.ts';
import { labelText, saysNothing } from './text.ts';
import { type CompileContext, compileValue, type Evaluate } from './value.ts';

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
  /** Names its series in a row, before it is made unique. Readings with the same `nameKey` have the same names. */
  readonly name?: Evaluate;
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

/**
 * Labels of a row, worked out once for all readings that share them. The first label of the catalogue's entry names the
 * series; where that is nothing there are no labels, for what cannot be named cannot be told from others.
 */
export class LabelSet {
  readonly name: Evaluate | undefined;
  readonly key: string;
  readonly #named: readonly NamedValue[];
  #scope: Scope | undefined;
  #index: string | undefined;
  #labels: Labels | undefined;

  constructor(named: readonly NamedValue[], key: string) {
    this.#named = named;
    this.name = named[0]?.value;
    this.key = key;
  }

  of(scope: Scope, unique: Unique, output: Output): Labels | undefined {
    if (this.#scope === scope && this.#index === scope.index) return this.#labels;
    const before = scope.uncertain;
    scope.uncertain = false;
    const labels = this.#make(scope, unique, output);
    this.#labels = scope.uncertain ? undefined : labels;
    scope.uncertain = before;
    this.#scope = scope;
    this.#index = scope.index;
    return this.#labels;
  }

  /** Lets go of the device's values, which would else stay in memory until the next device is read. */
  forget(): void {
    this.#scope = undefined;
    this.#labels = undefined;
  }

  #make(scope: Scope, unique: Unique, output: Output): Labels | undefined {
    const labels: Record<string, string> = {};
    for (const [position, { label, value }] of this.#named.entries()) {
      const text = nameText(value(scope)) ?? '';
      if (position === 0 && text === '') return undefined;
      labels[label] = position === 0 ? unique(text) : text;
    }
    return output.labels(labels);
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
  const named = names.map((label) => ({ label, value: compileValue(labels?.[label] ?? '', context) }));
  const set = new LabelSet(named, key);
  context.labelSets.set(key, set);
  return set;
}

/** The text of a name; undefined where the device says nothing. */
export function nameText(cell: ReturnType<Evaluate>): string | undefined {
  const text = textOf(cell);
  return text === undefined || saysNothing(text) ? undefined : labelText(text);
}
