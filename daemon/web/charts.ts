/** Which charts a device has, and their data. */
import type { MetricName } from '#collectors/catalogue.ts';
import type { Labels, WallTime } from '#collectors/contract.ts';
import type { History, Line, SeriesName } from '../history/history.ts';
import { bitRateText, bytesText, durationText, numberText, percentText, type Words } from './format.ts';
import { shownText } from './html.ts';
import type { Messages } from './messages/en.ts';

export const RANGES = ['24h', '7d', '30d', '1y'] as const;
export type Range = (typeof RANGES)[number];
const DAY = 86_400_000;
export const RANGE_LENGTHS: Readonly<Record<Range, number>> = {
  '24h': DAY,
  '7d': 7 * DAY,
  '30d': 30 * DAY,
  '1y': 365 * DAY,
};

/** How values are written: browsers do it by the same words. */
export type Unit = 'ratio' | 'bytes' | 'bit_rate' | 'seconds' | 'number' | 'celsius' | 'watts' | 'pages_per_hour';

interface ChartKind {
  readonly id: keyof Messages['charts'] & string;
  readonly metrics: readonly MetricName[];
  readonly unit: Unit;
  /** The label that tells lines apart. */
  readonly by?: string;
  /** Values in the chart per base unit. */
  readonly factor?: number;
}

const KINDS: readonly ChartKind[] = [
  { id: 'rtt', metrics: ['siteward_icmp_rtt_seconds'], unit: 'seconds' },
  { id: 'cpu', metrics: ['siteward_cpu_usage_ratio'], unit: 'ratio', by: 'cpu' },
  { id: 'load', metrics: ['siteward_load_average'], unit: 'number' },
  { id: 'memory', metrics: ['siteward_memory_used_ratio'], unit: 'ratio', by: 'memory' },
  { id: 'filesystem', metrics: ['siteward_filesystem_used_bytes'], unit: 'bytes', by: 'mountpoint' },
  { id: 'sessions', metrics: ['siteward_firewall_sessions'], unit: 'number' },
  { id: 'tunnels', metrics: ['siteward_vpn_tunnels'], unit: 'number', by: 'kind' },
  { id: 'clients', metrics: ['siteward_ap_clients'], unit: 'number', by: 'radio' },
  { id: 'supplies', metrics: ['siteward_printer_supply_level_ratio'], unit: 'ratio', by: 'description' },
  { id: 'pages', metrics: ['siteward_printer_meter_pages_total'], unit: 'pages_per_hour', by: 'meter', factor: 3600 },
  { id: 'charge', metrics: ['siteward_ups_battery_charge_ratio', 'siteward_ups_load_ratio'], unit: 'ratio' },
  { id: 'runtime', metrics: ['siteward_ups_battery_runtime_seconds'], unit: 'seconds' },
  { id: 'temperature', metrics: ['siteward_sensor_temperature_celsius'], unit: 'celsius', by: 'sensor' },
  { id: 'power', metrics: ['siteward_poe_power_watts', 'siteward_sensor_power_watts'], unit: 'watts', by: 'group' },
];
const TRAFFIC: readonly MetricName[] = [
  'siteward_interface_receive_bytes_total',
  'siteward_interface_transmit_bytes_total',
];

/** More lines than this are a tangle. */
const MOST_LINES = 8;
const MOST_TRAFFIC = 4;
const POINTS = 480;

/** A chart that a device has: what to ask for. */
export interface ChartName {
  /** `cpu`, or `traffic:eth0`. */
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly factor: number;
  readonly lines: readonly (SeriesName & { readonly name: string })[];
}

export interface ChartData {
  /** Seconds since 1970, shared by all lines. */
  readonly times: readonly number[];
  /** null where nothing is known. */
  readonly lines: readonly {
    readonly name: string;
    readonly mean: (number | null)[];
    readonly min: (number | null)[];
    readonly max: (number | null)[];
  }[];
}

/** `interfaces`: whose traffic is to be seen, the first ones if there are more than fit. */
export function chartsOf(series: readonly SeriesName[], interfaces: readonly string[], words: Words): ChartName[] {
  const { charts } = words.messages;
  const byMetric = Map.groupBy(series, ({ metric }) => metric);
  const found: ChartName[] = [];
  for (const { id, metrics, unit, by, factor = 1 } of KINDS) {
    const all = metrics.flatMap((metric) => byMetric.get(metric) ?? []);
    if (all.length === 0) continue;
    const lines = chosen(id, all).map((each) => ({ ...each, name: shownText(lineName(each, by, words)) }));
    found.push({ id, title: String(charts[id]), unit, factor, lines });
  }
  for (const name of interfaces.slice(0, MOST_TRAFFIC)) {
    const lines = TRAFFIC.flatMap((metric) => byMetric.get(metric) ?? []).filter(
      ({ labels }) => labels['interface'] === name,
    );
    if (lines.length === 0) continue;
    found.push({
      id: `traffic:${name}`,
      title: shownText(`${charts.traffic} ${name}`),
      unit: 'bit_rate',
      factor: 1,
      lines: lines.map((line) => ({ ...line, name: lineName(line, undefined, words) })),
    });
  }
  return found;
}

/** A processor of sixteen cores is one line where it has an average; meters are those that people are billed for. */
function chosen(id: string, all: readonly SeriesName[]): readonly SeriesName[] {
  if (id === 'cpu') {
    const whole = all.filter(({ labels }) => /^(all|total|average|cpu)?$/i.test(labels['cpu'] ?? ''));
    if (whole.length > 0) return whole.slice(0, 1);
  }
  if (id === 'pages') {
    const billed = all.filter(({ labels }) => labels['meter'] === 'mono' || labels['meter'] === 'color');
    return billed.length > 0 ? billed : all.filter(({ labels }) => labels['meter'] === 'total');
  }
  return all.slice(0, MOST_LINES);
}

function lineName({ metric, labels }: SeriesName, by: string | undefined, { messages }: Words): string {
  if (metric === 'siteward_interface_receive_bytes_total') return messages.device.received;
  if (metric === 'siteward_interface_transmit_bytes_total') return messages.device.sent;
  const label = by === undefined ? undefined : (labels[by] ?? first(labels));
  if (label) return label;
  switch (metric) {
    case 'siteward_ups_load_ratio':
      return messages.topics.performance;
    case 'siteward_ups_battery_charge_ratio':
      return messages.topics.power;
    default:
      return '';
  }
}

function first(labels: Labels): string | undefined {
  return Object.values(labels)[0];
}

export async function chartData(
  history: History,
  device: string,
  chart: ChartName,
  from: WallTime,
  to: WallTime,
): Promise<ChartData> {
  const lines = await Promise.all(chart.lines.map((line) => history.line(device, line, from, to, POINTS)));
  const times = [...new Set(lines.flatMap(({ at }) => at))].toSorted((a, b) => a - b);
  const gaps = gapTimes(times);
  const all = gaps.length === 0 ? times : [...times, ...gaps].toSorted((a, b) => a - b);
  return {
    times: all,
    lines: lines.map((line, index) => {
      const laid = (pick: keyof Omit<Line, 'at'>) => layOut(line, pick, all, chart.factor);
      return { name: chart.lines[index]?.name ?? '', mean: laid('mean'), min: laid('min'), max: laid('max') };
    }),
  };
}

/** Times at which nothing is known, so that no line is drawn over a gap. */
function gapTimes(times: readonly number[]): number[] {
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  return steps.flatMap((step, index) => (step > usual * 3 ? [(times[index] ?? 0) + usual] : []));
}

function layOut(line: Line, pick: keyof Omit<Line, 'at'>, times: readonly number[], factor: number): (number | null)[] {
  const values = new Map(line.at.map((at, index) => [at, line[pick][index]]));
  return times.map((time) => {
    const value = values.get(time);
    return value === undefined ? null : Number((value * factor).toPrecision(6));
  });
}

export function valueText(value: number, unit: Unit, words: Words): string {
  switch (unit) {
    case 'ratio':
      return percentText(value, words);
    case 'bytes':
      return bytesText(value, words);
    case 'bit_rate':
      return bitRateText(value, words);
    case 'seconds':
      return value >= 60
        ? durationText(value * 1000, words)
        : value >= 1
          ? `${numberText(value, words, 1)} s`
          : `${numberText(value * 1000, words, 1)} ms`;
    case 'celsius':
      return `${numberText(value, words, 1)} °C`;
    case 'watts':
      return `${numberText(value, words, 1)} W`;
    case 'number':
    case 'pages_per_hour':
      return numberText(value, words, value < 10 ? 1 : 0);
    default:
      return unit satisfies never;
  }
}
