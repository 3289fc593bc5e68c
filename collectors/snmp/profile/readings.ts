/** Turns the readings of a source into functions that give out series. */
import { CATALOGUE, type MetricName } from '#collectors/catalogue.ts';
import type { ReadingSettings } from '#config/profile.ts';
import { filesystemReading, memoryReading } from './amounts.ts';
import { numberOf, textOf } from './cell.ts';
import { type CompiledKind, type Kind, labelSet, type ReadingContext } from './labels.ts';
import { meterReading, supplyReading, trayReading } from './printer-readings.ts';
import type { Scope } from './scope.ts';
import { compileConditions, compileValue, type Test, traced } from './value.ts';

/** One reading of a profile. */
export interface CompiledReading extends CompiledKind {
  readonly when?: Test;
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

function seriesReading(reading: Kind<'metric'>, context: ReadingContext, condition: string): CompiledKind {
  const metric = reading.metric as MetricName;
  const set = labelSet(metric, reading.labels, context, condition);
  const carries = CARRIED.has(metric);
  const value = compileValue(reading.value, { ...context, carries });
  const most = mostPerSecond(metric, context);
  const convert = CATALOGUE[metric].type === 'counter' ? counterValue : gaugeValue(metric);
  return {
    ...(set.name && { name: set.name }),
    nameKey: set.key,
    emit(scope, unique, output) {
      if (carries && scope.counters) {
        const labels = set.of(scope, unique, output);
        if (labels === undefined) return false;
        // Two rows of one name must not be taken for one counter.
        if (output.has(metric, labels)) return true;
        scope.counters.turnTo(labels, () => most(scope));
      }
      const cell = value(scope);
      if (cell === undefined) return false;
      const labels = set.of(scope, unique, output);
      if (labels === undefined) return false;
      const number = numberOf(cell);
      const converted = number === undefined ? undefined : convert(number);
      if (converted === undefined) {
        const [source] = traced(value, scope).trace;
        if (source) output.refuse(metric, source);
        return false;
      }
      output.add(metric, labels, converted);
      return true;
    },
  };
}

/**
 * Series whose 32-bit counters and clocks are carried on where they turn. Not the meters of printers: they are evidence,
 * given as the device told them.
 */
const CARRIED: ReadonlySet<MetricName> = new Set([
  ...(Object.keys(CATALOGUE) as MetricName[]).filter(
    (metric) => CATALOGUE[metric].type === 'counter' && !metric.startsWith('siteward_printer_'),
  ),
  'siteward_device_uptime_seconds' as const,
]);

/** Octets of the smallest packet: a bare IP header in a tunnel. */
const SMALLEST_PACKET = 20;

/** The most that a counter of the metric can grow in a second. */
function mostPerSecond(metric: MetricName, { speed }: ReadingContext): (scope: Scope) => number | undefined {
  const octets = CATALOGUE[metric].unit === 'bytes' ? 1 : SMALLEST_PACKET;
  return (scope) => {
    const most = speed && numberOf(speed(scope));
    return most === undefined ? undefined : Number(most) / octets;
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
      if (labels === undefined) return false;
      const texts = output.textsOf(labels);
      for (const each of reading.of) {
        output.add(metric, output.labels({ ...texts, [reading.label]: each }), each === state ? 1 : 0);
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
      if (!names || labels === undefined) return false;
      const texts = output.textsOf(labels);
      for (const name of names) output.add(metric, output.labels({ ...texts, [reading.label]: name }), 1);
      return true;
    },
  };
}
