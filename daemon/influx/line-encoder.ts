import { CATALOGUE, type CatalogueEntry, METRIC_NAMES, type MetricName } from '#collectors/catalogue.ts';
import type { DeviceClass, Labels, Observation, Reading, WallTime } from '#collectors/contract.ts';
import { isImportant } from '#daemon/spool/importance.ts';

/** What stands in every line beside what the observation says. */
export interface LineSettings {
  readonly client: string;
  readonly site: string;
  readonly precision: 's' | 'ms';
}

export interface Line {
  /** One line of line protocol without its line break. */
  readonly text: string;
  /** Money hangs on it: the last to be thrown away when the spool is full. */
  readonly important: boolean;
}

export interface EncodedObservation {
  readonly lines: readonly Line[];
  /** Readings that no line can carry: not finite, or a second value for a field that has one. */
  readonly refused: number;
}

const COMMON_TAGS = ['class', 'client', 'device', 'site'] as const;
/** InfluxDB stands 64 KiB for all tags together; no name that a person can read is as long as this. */
const LONGEST_TAG = 512;
const LARGEST_INTEGER = 2n ** 63n - 1n;
const SMALLEST_INTEGER = -(2n ** 63n);

/** What of a line follows from its metric alone. */
interface Shape {
  readonly entry: CatalogueEntry;
  /** Equal for metrics that can share a line. */
  readonly family: string;
  /** In order, which spares the server sorting them. */
  readonly tags: readonly string[];
  readonly important: boolean;
}

const SHAPES: ReadonlyMap<MetricName, Shape> = new Map(
  METRIC_NAMES.map((metric) => {
    const entry: CatalogueEntry = CATALOGUE[metric];
    const tags = [...new Set([...COMMON_TAGS, ...entry.labels])].sort();
    const family = [entry.influx.measurement, ...entry.labels].join(' ');
    return [metric, { entry, family, tags, important: isImportant(entry) }];
  }),
);

interface Series {
  readonly important: boolean;
  readonly names: string[];
  readonly fields: string[];
}

/**
 * The readings as line protocol: one line per measurement and tag set, with all fields read at that time. The bytes
 * depend on nothing but the arguments, for a line that is sent again must be the same line: then it counts once.
 */
export function encodeLines(
  observation: Observation,
  deviceClass: DeviceClass | undefined,
  settings: LineSettings,
): EncodedObservation {
  const common = commonTags(observation.device, deviceClass, settings);
  const byLabels = new Map<string, Series>();
  const bySeries = new Map<string, Series>();
  let refused = 0;
  for (const { readings } of observation.groups) {
    for (const reading of readings) {
      const shape = SHAPES.get(reading.metric);
      const value = shape && fieldValue(reading, shape.entry);
      if (!shape || value === undefined) {
        refused += 1;
        continue;
      }
      let key = shape.family;
      for (const label of shape.entry.labels) key += `\0${reading.labels[label] ?? ''}`;
      const series = byLabels.get(key) ?? seriesOf(reading, shape, common, bySeries);
      byLabels.set(key, series);
      const { field } = shape.entry.influx;
      if (series.names.includes(field)) {
        refused += 1;
        continue;
      }
      series.names.push(field);
      series.fields.push(`${field}=${value}`);
    }
  }
  const time = timestamp(observation.at, settings.precision);
  const lines = Array.from(bySeries, ([name, { important, fields }]): Line => {
    return { text: `${name} ${fields.join(',')} ${time}`, important };
  });
  return { lines, refused };
}

/** Two labels that differ may be one tag: what could not be told apart there is told as one here. */
function seriesOf({ labels }: Reading, shape: Shape, common: Labels, bySeries: Map<string, Series>): Series {
  let name = shape.entry.influx.measurement;
  for (const tag of shape.tags) {
    // A metric's own label wins over the tag of the same name that every line has.
    const value = shape.entry.labels.includes(tag) ? tagValue(labels[tag] ?? '') : (common[tag] ?? '');
    // A tag without value does not exist.
    if (value !== '') name += `,${tag}=${value}`;
  }
  const series = bySeries.get(name) ?? { important: shape.important, names: [], fields: [] };
  bySeries.set(name, series);
  return series;
}

function commonTags(device: string, deviceClass: DeviceClass | undefined, { client, site }: LineSettings): Labels {
  return {
    client: tagValue(client),
    site: tagValue(site),
    device: tagValue(device),
    class: device === '' ? '' : (deviceClass ?? ''),
  };
}

/** Printable ASCII of which no character means anything: most names, and worth the short way. */
const PLAIN = /^[!-+\--<>-[\]-~]*$/;

/**
 * A text as tag value. Whatever a device sends stays one value of one point: control characters, a line break among
 * them, become spaces. A backslash becomes a slash: before a comma, a space, another one or the end no two receivers
 * read it alike.
 */
export function tagValue(text: string): string {
  if (text.length <= LONGEST_TAG && PLAIN.test(text)) return text;
  return text
    .slice(0, LONGEST_TAG)
    .toWellFormed()
    .replace(/\p{Cc}|\p{Zl}|\p{Zp}/gu, ' ')
    .replaceAll('\\', '/')
    .replace(/[,= ]/g, '\\$&');
}

/** Undefined where line protocol has no word for it. */
function fieldValue({ value }: Reading, { type, influx }: CatalogueEntry): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined;
  if (influx.type === 'float') return String(Number(value));
  const whole = typeof value === 'bigint' ? value : BigInt(Math.round(value));
  return `${type === 'counter' ? wrapped(whole) : clamped(whole)}i`;
}

/**
 * InfluxDB 1 has no unsigned integers. A counter past 2^63 goes on from zero, as a shorter counter would: what was added
 * between two reads stays right, where a clamp would freeze it.
 */
function wrapped(value: bigint): bigint {
  return value > LARGEST_INTEGER ? value & LARGEST_INTEGER : clamped(value);
}

function clamped(value: bigint): bigint {
  if (value > LARGEST_INTEGER) return LARGEST_INTEGER;
  return value < SMALLEST_INTEGER ? SMALLEST_INTEGER : value;
}

function timestamp(at: WallTime, precision: LineSettings['precision']): number {
  return precision === 'ms' ? Math.round(at) : Math.floor(at / 1000);
}
