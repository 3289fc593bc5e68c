import { catalogueEntry, type MetricName } from '#collectors/catalogue.ts';
import type { Reading } from '#collectors/contract.ts';

/** Readings as a technician reads them: a heading per topic, one row per thing, values with their units. Pure. */
export function readingsText(readings: readonly Reading[]): string {
  const descriptions = new Map(
    readings.flatMap(({ labels: { supply, description } }) =>
      supply !== undefined && description !== undefined ? [[supply, description] as const] : [],
    ),
  );
  const topics = Map.groupBy(readings.filter(isWorthARow), ({ metric }) => catalogueEntry(metric).influx.measurement);
  return [...topics]
    .map(
      ([topic, list]) =>
        `${topic.replaceAll('_', ' ')}\n${rows(list, descriptions)
          .map((row) => `  ${row}\n`)
          .join('')}`,
    )
    .join('\n');
}

/** State sets have a series for each state that is not; info series only repeat names. */
const STATE_SETS: ReadonlySet<MetricName> = new Set([
  'siteward_printer_supply_state',
  'siteward_printer_status',
  'siteward_printer_error',
  'siteward_printer_alert',
]);

function isWorthARow({ metric, value }: Reading): boolean {
  return !metric.endsWith('_info') && !(STATE_SETS.has(metric) && Number(value) === 0);
}

function rows(readings: readonly Reading[], descriptions: ReadonlyMap<string, string>): string[] {
  const things = Map.groupBy(readings, (reading) => thing(reading, descriptions));
  const width = Math.min(48, Math.max(0, ...[...things.keys()].map((name) => name.length)));
  return [...things].map(([name, list]) => `${name.padEnd(width)}  ${list.map(shown).join(', ')}`.trim());
}

/** What a row is about: its labels, of which the state is shown as a value instead. */
function thing({ metric, labels }: Reading, descriptions: ReadonlyMap<string, string>): string {
  if (labels.supply !== undefined) return plain(`${labels.supply} · ${descriptions.get(labels.supply) ?? ''}`);
  const names = Object.entries(labels).filter(
    ([name, text]) => text !== '' && !(STATE_SETS.has(metric) && name === stateLabel(metric)),
  );
  return plain(names.map(([, text]) => text).join(' · '));
}

function stateLabel(metric: MetricName): string {
  return catalogueEntry(metric).labels.at(-1) ?? '';
}

function shown({ metric, labels, value }: Reading): string {
  if (STATE_SETS.has(metric)) return plain(labels[stateLabel(metric)] ?? '');
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
