import { CATALOGUE, type CatalogueEntry } from '#collectors/catalogue.ts';
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

/** InfluxDB stands 64 KiB for all tags together; no name that a person can read is as long as this. */
const LONGEST_TAG = 512;
const LARGEST_INTEGER = 2n ** 63n - 1n;
const SMALLEST_INTEGER = -(2n ** 63n);

/**
 * The readings as line protocol: one line per measurement and tag set, with all fields read at that time. The bytes
 * depend on nothing but the arguments, for a line that is sent again must be the same line: then it counts once.
 */
export function encodeLines(
  observation: Observation,
  deviceClass: DeviceClass | undefined,
  settings: LineSettings,
): EncodedObservation {
  const seriesOf = new Map<string, { readonly important: boolean; readonly fields: Map<string, string> }>();
  let refused = 0;
  for (const reading of observation.groups.flatMap(({ readings }) => readings)) {
    const entry: CatalogueEntry = CATALOGUE[reading.metric];
    const value = fieldValue(reading, entry);
    const key = entry.influx.measurement + tagSet(tagsOf(reading, entry, observation.device, deviceClass, settings));
    const series = seriesOf.get(key) ?? { important: isImportant(entry), fields: new Map<string, string>() };
    if (value === undefined || series.fields.has(entry.influx.field)) {
      refused += 1;
      continue;
    }
    series.fields.set(entry.influx.field, value);
    seriesOf.set(key, series);
  }
  const time = timestamp(observation.at, settings.precision);
  const lines = Array.from(seriesOf, ([key, { important, fields }]): Line => {
    const list = Array.from(fields, ([field, value]) => `${field}=${value}`).join(',');
    return { text: `${key} ${list} ${time}`, important };
  });
  return { lines, refused };
}

/** A metric's own label wins over the tag of the same name that every line has. */
function tagsOf(
  { labels }: Reading,
  entry: CatalogueEntry,
  device: string,
  deviceClass: DeviceClass | undefined,
  { client, site }: LineSettings,
): Labels {
  const tags: Record<string, string> = { client, site, device, class: device === '' ? '' : (deviceClass ?? '') };
  for (const label of entry.labels) tags[label] = labels[label] ?? '';
  return tags;
}

/** In order of their names, which spares the server sorting them; a tag without value does not exist. */
function tagSet(tags: Labels): string {
  return Object.keys(tags)
    .sort()
    .map((name) => [name, tagValue(tags[name] ?? '')] as const)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `,${name}=${value}`)
    .join('');
}

/**
 * A text as tag value. Whatever a device sends stays one value of one point: control characters, a line break among
 * them, become spaces. A backslash becomes a slash: before a comma, a space, another one or the end no two receivers
 * read it alike.
 */
export function tagValue(text: string): string {
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
