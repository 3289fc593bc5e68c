/** Turns the readings of a source into functions that give out series. */
import { CATALOGUE, type MetricName } from '#collectors/catalogue.ts';
import type { Labels, Reading, ReadingSource } from '#collectors/contract.ts';
import type { ReadingSettings, ValueOrText } from '#config/profile.ts';
import { numberOf, textOf } from './cell.ts';
import type { Scope, Trace } from './scope.ts';
import {
  inverted,
  SUPPLY_STATES,
  type SupplyState,
  supplyColor,
  supplyDescription,
  supplyLevel,
  supplyState,
  supplyType,
  trayLevel,
} from './supplies.ts';
import { labelText, saysNothing } from './text.ts';
import { type CompileContext, compileConditions, compileValue, type Evaluate, type Test } from './value.ts';

/** Where the series of a device go while it is read. */
export interface Output {
  /** Labels that are the same text are the same object from poll to poll, so that sinks may remember what they made of it. */
  labels(parts: Labels): Labels;
  add(reading: Reading): void;
  /** A value that was there but is of no use. */
  refuse(metric: MetricName, what: Trace): void;
}

/** The text to use for a name in the row at hand: with the row's index behind it where several rows have that name. */
export type Unique = (base: string) => string;

/** One reading of a profile. */
export interface CompiledReading {
  /** Names its series in a row, before it is made unique. Readings with the same `nameKey` have the same names. */
  readonly name?: Evaluate;
  readonly nameKey: string;
  readonly when?: Test;
  /** Gives out series. Says whether the device answered it at all, even if there was nothing to give out. */
  emit(scope: Scope, unique: Unique, output: Output): boolean;
}

export interface ReadingContext extends CompileContext {
  /** Label sets that several readings of a source share. */
  readonly labelSets: Map<string, LabelSet>;
}

export function compileReading(reading: ReadingSettings, context: ReadingContext): CompiledReading {
  const conditions = ('when' in reading && reading.when) || [];
  const condition = JSON.stringify(conditions);
  const { name, nameKey, emit } = compileKind(reading, context, condition);
  return {
    ...(name && { name }),
    nameKey: `${nameKey} ${condition}`,
    ...(conditions.length > 0 && { when: compileConditions(conditions, context) }),
    emit,
  };
}

type CompiledKind = Omit<CompiledReading, 'when'>;

function compileKind(reading: ReadingSettings, context: ReadingContext, condition: string): CompiledKind {
  if ('metric' in reading) return seriesReading(reading, context, condition);
  if ('states' in reading) return stateReading(reading, context, condition);
  if ('flags' in reading) return flagReading(reading, context, condition);
  if ('memory' in reading) return memoryReading(reading, context);
  if ('filesystem' in reading) return filesystemReading(reading, context);
  if ('meter' in reading) return meterReading(reading, context);
  if ('supply' in reading) return supplyReading(reading, context);
  return trayReading(reading, context);
}

type Kind<K extends string> = Extract<ReadingSettings, { readonly [key in K]: unknown }>;

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

function labelSet(
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

function seriesReading(reading: Kind<'metric'>, context: ReadingContext, condition: string): CompiledKind {
  const metric = reading.metric as MetricName;
  const set = labelSet(metric, reading.labels, context, condition);
  const value = compileValue(reading.value, context);
  const convert = CATALOGUE[metric].type === 'counter' ? counterValue : gaugeValue(metric);
  return {
    ...(set.name && { name: set.name }),
    nameKey: set.key,
    emit(scope, unique, output) {
      const trace: Trace[] = [];
      scope.trace = trace;
      const cell = value(scope);
      scope.trace = undefined;
      if (cell === undefined) return false;
      const labels = set.of(scope, unique, output);
      if (!labels) return false;
      const number = numberOf(cell);
      const converted = number === undefined ? undefined : convert(number);
      if (converted === undefined) {
        if (trace[0]) output.refuse(metric, trace[0]);
        return false;
      }
      output.add({ metric, labels, value: converted });
      return true;
    },
  };
}

function counterValue(number: number | bigint): bigint | undefined {
  if (typeof number === 'bigint') return number >= 0n ? number : undefined;
  return number >= 0 && Number.isFinite(number) ? BigInt(Math.trunc(number)) : undefined;
}

/** What no device measures is a mistake of the agent: outside, a value is absent. */
const PLAUSIBLE: Readonly<Record<string, readonly [number, number]>> = {
  ratio: [0, 1],
  bytes: [0, Number.MAX_SAFE_INTEGER],
  bytes_per_second: [0, Number.MAX_SAFE_INTEGER],
  seconds: [0, 1e11],
  celsius: [-100, 300],
  rpm: [0, 1e6],
  volts: [-1e6, 1e6],
  amperes: [-1e6, 1e6],
  watts: [0, 1e8],
  hertz: [0, 1e12],
};

function gaugeValue(metric: MetricName): (number: number | bigint) => number | undefined {
  const { unit, influx } = CATALOGUE[metric];
  const [low, high] = PLAUSIBLE[unit] ?? [-1e15, 1e15];
  const whole = influx.type === 'integer';
  return (number) => {
    const value = whole ? Math.round(Number(number)) : Number(number);
    return value >= low && value <= high ? value : undefined;
  };
}

function stateReading(reading: Kind<'states'>, context: ReadingContext, condition: string): CompiledKind {
  const metric = reading.states as MetricName;
  const set = labelSet(metric, reading.labels, context, condition, reading.label);
  const value = compileValue(reading.value, context);
  return {
    ...(set.name && { name: set.name }),
    nameKey: set.key,
    emit(scope, unique, output) {
      const state = textOf(value(scope));
      const labels = state === undefined || !reading.of.includes(state) ? undefined : set.of(scope, unique, output);
      if (!labels) return false;
      for (const each of reading.of) {
        output.add({
          metric,
          labels: output.labels({ ...labels, [reading.label]: each }),
          value: each === state ? 1 : 0,
        });
      }
      return true;
    },
  };
}

function flagReading(reading: Kind<'flags'>, context: ReadingContext, condition: string): CompiledKind {
  const metric = reading.flags as MetricName;
  const set = labelSet(metric, reading.labels, context, condition, reading.label);
  const value = compileValue(reading.value, context);
  return {
    ...(set.name && { name: set.name }),
    nameKey: set.key,
    emit(scope, unique, output) {
      const cell = value(scope);
      const names = Array.isArray(cell) ? (cell as readonly string[]) : undefined;
      const labels = names && set.of(scope, unique, output);
      if (!labels) return false;
      for (const name of names) {
        output.add({ metric, labels: output.labels({ ...labels, [reading.label]: name }), value: 1 });
      }
      return true;
    },
  };
}

const optional = (value: ValueOrText | undefined, context: CompileContext): Evaluate =>
  value === undefined ? () => undefined : compileValue(value, context);

const plain = (evaluate: Evaluate, scope: Scope): number | undefined => {
  const number = numberOf(evaluate(scope));
  return number === undefined ? undefined : Number(number);
};

interface Amounts {
  readonly size?: number | undefined;
  readonly used?: number | undefined;
  readonly ratio?: number | undefined;
}

/**
 * Size, used part and share from what is known of size, used, free and share. Counters that were read at different
 * moments may give a little less than nothing: that is 0. Anything else that does not fit together is absent.
 */
export function amounts(known: {
  readonly size?: number | undefined;
  readonly used?: number | undefined;
  readonly free?: number | undefined;
  readonly ratio?: number | undefined;
}): Amounts {
  const { free } = known;
  const ratio = known.ratio !== undefined && known.ratio >= 0 && known.ratio <= 1 ? known.ratio : undefined;
  const size = known.size ?? (known.used !== undefined && free !== undefined ? known.used + free : undefined);
  if (size === undefined) return { ratio };
  if (!(size > 0) || size > Number.MAX_SAFE_INTEGER) return {};
  let used = known.used ?? (free === undefined ? undefined : size - free);
  used ??= ratio === undefined ? undefined : size * ratio;
  if (used === undefined) return { size };
  if (used < 0 && used >= -0.05 * size) used = 0;
  if (used < 0 || used > size) return {};
  return { size: Math.round(size), used: Math.round(used), ratio: ratio ?? used / size };
}

function memoryReading(reading: Kind<'memory'>, context: CompileContext): CompiledKind {
  const name = compileValue(reading.memory, context);
  const size = optional(reading.size, context);
  const used = optional(reading.used, context);
  const free = optional(reading.free, context);
  const ratio = optional(reading.used_ratio, context);
  return {
    name,
    nameKey: JSON.stringify(reading),
    emit(scope, unique, output) {
      const text = nameText(name(scope));
      if (text === undefined) return false;
      const found = amounts({
        size: plain(size, scope),
        used: plain(used, scope),
        free: plain(free, scope),
        ratio: plain(ratio, scope),
      });
      const labels = output.labels({ memory: unique(text) });
      // The size alone says that there is a table, not that this source can tell what is used.
      if (found.ratio === undefined && found.used === undefined) return false;
      if (found.size !== undefined) output.add({ metric: 'siteward_memory_size_bytes', labels, value: found.size });
      if (found.used !== undefined) output.add({ metric: 'siteward_memory_used_bytes', labels, value: found.used });
      if (found.ratio !== undefined) output.add({ metric: 'siteward_memory_used_ratio', labels, value: found.ratio });
      return true;
    },
  };
}

function filesystemReading(reading: Kind<'filesystem'>, context: CompileContext): CompiledKind {
  const name = compileValue(reading.filesystem, context);
  const size = compileValue(reading.size, context);
  const used = optional(reading.used, context);
  const free = optional(reading.free, context);
  const ratio = optional(reading.used_ratio, context);
  return {
    name,
    nameKey: JSON.stringify(reading),
    emit(scope, unique, output) {
      const text = nameText(name(scope));
      if (text === undefined) return false;
      const found = amounts({
        size: plain(size, scope),
        used: plain(used, scope),
        free: plain(free, scope),
        ratio: plain(ratio, scope),
      });
      if (found.size === undefined || found.used === undefined) return false;
      const labels = output.labels({ mountpoint: unique(text) });
      output.add({ metric: 'siteward_filesystem_size_bytes', labels, value: found.size });
      output.add({ metric: 'siteward_filesystem_used_bytes', labels, value: found.used });
      return true;
    },
  };
}

/** Digits as number or text, or octets packed in a way that the profile knows. */
const COUNT = /^(?:\d+|0x[\da-f]+)$/;

/** More pages than any printer makes in its life. */
const MOST_PAGES = 10_000_000_000n;

function meterReading(reading: Kind<'meter'>, context: CompileContext): CompiledKind {
  const metric = 'siteward_printer_meter_pages_total';
  const value = compileValue(reading.value, context);
  const unit = compileValue(reading.unit, context);
  return {
    nameKey: '',
    emit(scope, _unique, output) {
      const trace: Trace[] = [];
      scope.trace = trace;
      const cell = value(scope);
      scope.trace = undefined;
      if (cell === undefined) return false;
      const unitText = textOf(unit(scope));
      if (unitText === undefined || unitText === '') return false;
      const number = numberOf(cell);
      const pages = number === undefined || !isWhole(number) ? undefined : BigInt(number);
      // A sum of counts and of something else is no count, even where it looks like one.
      const odd = trace.find(({ raw }) => !COUNT.test(raw)) ?? trace[0];
      if (pages === undefined || pages < 0n || pages > MOST_PAGES || (odd && !COUNT.test(odd.raw))) {
        if (odd) output.refuse(metric, odd);
        return false;
      }
      const labels = output.labels({ meter: reading.meter });
      output.add({ metric, labels, value: pages, source: sourceOf(trace, unitText) });
      return true;
    },
  };
}

function isWhole(number: number | bigint): boolean {
  return typeof number === 'bigint' || Number.isSafeInteger(number);
}

function sourceOf(trace: readonly Trace[], unit: string): ReadingSource {
  return {
    oid: trace.map(({ oid }) => oid).join('+'),
    unit,
    raw: trace.map(({ raw }) => raw).join('+'),
  };
}

function supplyReading(reading: Kind<'supply'>, context: CompileContext): CompiledKind {
  const name = compileValue(reading.supply, context);
  const description = optional(reading.description, context);
  const level = compileValue(reading.level, context);
  const max = optional(reading.max, context);
  const unit = optional(reading.unit, context);
  const supplyClass = optional(reading.class, context);
  const type = optional(reading.type, context);
  const color = optional(reading.color, context);
  const state = optional(reading.state, context);
  const filled: Test =
    typeof reading.inverted === 'boolean'
      ? () => reading.inverted === true
      : (
          (evaluate) => (scope: Scope) =>
            numberOf(evaluate(scope)) === 1
        )(optional(reading.inverted, context));
  return {
    name,
    nameKey: JSON.stringify(reading),
    emit(scope, unique, output) {
      const text = nameText(name(scope));
      const raw = plain(level, scope);
      if (text === undefined || raw === undefined) return false;
      const words = nameText(description(scope)) ?? '';
      const kindClass = plain(supplyClass, scope);
      const typeCell = type(scope);
      const kind = supplyType(plain(() => typeCell, scope) ?? textOf(typeCell), words, kindClass);
      const shade = supplyColor(textOf(color(scope)), words, kind);
      const measured = supplyLevel(raw, plain(max, scope), plain(unit, scope));
      const left = filled(scope) ? inverted(measured) : measured;
      const supply = unique(text);
      const about = output.labels({ supply, description: supplyDescription(words), type: kind, color: shade });
      output.add({ metric: 'siteward_printer_supply_info', labels: about, value: 1 });
      if (left.kind === 'known') {
        output.add({ metric: 'siteward_printer_supply_level_ratio', labels: about, value: left.ratio });
      }
      const stated = SUPPLY_STATES.find((each) => each === textOf(state(scope)));
      emitState(supply, stated ?? supplyState(left), output);
      return true;
    },
  };
}

function emitState(supply: string, state: SupplyState, output: Output): void {
  for (const each of SUPPLY_STATES) {
    const labels = output.labels({ supply, state: each });
    output.add({ metric: 'siteward_printer_supply_state', labels, value: each === state ? 1 : 0 });
  }
}

function trayReading(reading: Kind<'tray'>, context: CompileContext): CompiledKind {
  const name = compileValue(reading.tray, context);
  const level = compileValue(reading.level, context);
  const max = compileValue(reading.max, context);
  const unit = optional(reading.unit, context);
  return {
    name,
    nameKey: JSON.stringify(reading),
    emit(scope, unique, output) {
      const text = nameText(name(scope));
      const raw = plain(level, scope);
      if (text === undefined || raw === undefined) return false;
      const found = trayLevel(raw, plain(max, scope), plain(unit, scope));
      if (found.kind === 'known') {
        const labels = output.labels({ tray: unique(text) });
        output.add({ metric: 'siteward_printer_input_level_ratio', labels, value: found.ratio });
      }
      return true;
    },
  };
}
