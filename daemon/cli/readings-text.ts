import { catalogueEntry } from '#collectors/catalogue.ts';
import type { Labels, Reading } from '#collectors/contract.ts';

/** Readings as a technician reads them: a heading per topic, one row per thing, values with their units. Pure. */
export function readingsText(readings: readonly Reading[]): string {
  const topics = Map.groupBy(readings, ({ metric }) => catalogueEntry(metric).influx.measurement);
  return [...topics]
    .map(
      ([topic, list]) =>
        `${topic.replaceAll('_', ' ')}\n${rows(list)
          .map((row) => `  ${row}\n`)
          .join('')}`,
    )
    .join('\n');
}

function rows(readings: readonly Reading[]): string[] {
  const things = Map.groupBy(readings, ({ labels }) => thing(labels));
  const width = Math.min(48, Math.max(0, ...[...things.keys()].map((name) => name.length)));
  return [...things].map(([name, list]) => `${name.padEnd(width)}  ${list.map(shown).join(', ')}`.trim());
}

function thing(labels: Labels): string {
  return plain(Object.values(labels).filter(Boolean).join(' · '));
}

function shown({ metric, value }: Reading): string {
  const { influx, unit } = catalogueEntry(metric);
  const field = influx.field
    .replace(/_(bytes|ratio|seconds|celsius|volts|watts|rpm|amperes|hertz|bytes_per_second|timestamp_seconds)$/, '')
    .replaceAll('_', ' ');
  return `${field} ${quantity(value, unit, metric)}`;
}

function quantity(value: number | bigint, unit: string, metric: string): string {
  const number = Number(value);
  if (unit === 'ratio') return `${(number * 100).toFixed(number < 0.1 && number > 0 ? 1 : 0)} %`;
  if (unit === 'bytes') return bytes(number);
  if (unit === 'bytes_per_second') return `${bits(number * 8)}/s`;
  if (metric.endsWith('timestamp_seconds')) return new Date(number * 1000).toISOString().slice(0, 10);
  if (unit === 'seconds') return duration(number);
  if (unit === 'celsius') return `${round(number)} °C`;
  if (unit === 'volts') return `${round(number)} V`;
  if (unit === 'watts') return `${round(number)} W`;
  if (unit === 'amperes') return `${round(number)} A`;
  if (unit === 'hertz') return `${round(number)} Hz`;
  return typeof value === 'bigint' ? value.toLocaleString('en') : String(round(number));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function scaled(value: number, base: number, units: readonly string[]): string {
  const power = Math.min(units.length - 1, value > 0 ? Math.max(0, Math.floor(Math.log(value) / Math.log(base))) : 0);
  const shown = value / base ** power;
  return `${shown >= 100 || power === 0 ? Math.round(shown) : shown.toFixed(1)} ${units[power]}`;
}

const bytes = (value: number) => scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']);
const bits = (value: number) => scaled(value, 1000, ['bit', 'kbit', 'Mbit', 'Gbit', 'Tbit']);

function duration(seconds: number): string {
  if (seconds < 1) return `${(seconds * 1000).toFixed(1)} ms`;
  const parts = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const;
  let rest = Math.round(seconds);
  const told = parts.flatMap(([size, unit]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? [`${count} ${unit}`] : [];
  });
  return told.slice(0, 2).join(' ') || '0 s';
}

/** Foreign text for a terminal: an escape sequence in a device's name must not reach it. */
export function plain(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD');
}
