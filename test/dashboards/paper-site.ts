/**
 * A site on paper: two devices of each class, each with every metric of the catalogue, in such a state that there is
 * something to see of everything. It shows that a query finds what it asks for where that exists; that siteward really
 * says it, the demo site shows.
 */
import { createServer } from 'node:http';
import { CATALOGUE, type CatalogueEntry, METRIC_NAMES, type MetricName } from '#collectors/catalogue.ts';
import type { Labels, Observation, Reading, WallTime } from '#collectors/contract.ts';
import { DEVICE_CLASSES } from '#config/words.ts';
import { encodeLines } from '#daemon/influx/line-encoder.ts';
import { PrometheusSink } from '#daemon/sinks/prometheus.ts';

export const PAPER = { client: 'Paper Ltd', site: 'on-paper' } as const;

const STATES = ['up', 'down', 'unreachable', 'maintenance', 'unknown'];
const DAY = 86_400;
const MEBIBYTE = 1_048_576;

/** What each label may be; one text where it describes rather than tells apart. */
const LABEL_VALUES: Readonly<Record<string, readonly string[]>> = {
  state: STATES,
  probe: ['icmp', 'snmp'],
  stat: ['min', 'mean', 'max'],
  sla: ['gold'],
  period: ['current', 'previous'],
  interface: ['port 1', 'port 2'],
  meter: ['total', 'mono', 'color', 'scan'],
  kind: ['battery', 'disk'],
  status: ['idle', 'printing'],
  type: ['toner'],
  error: ['jammed'],
  client: [PAPER.client],
  site: [PAPER.site],
};

/** Values that make something to be seen; `seconds` since 1970. */
const VALUES: Readonly<Partial<Record<MetricName, (labels: Labels, seconds: number) => number>>> = {
  siteward_printer_supply_state: ({ state }) => (state === 'low' || state === 'empty' ? 1 : 0),
  siteward_interface_up: ({ interface: name }) => (name === 'port 1' ? 0 : 1),
  siteward_component_ok: () => 0,
  siteward_vpn_tunnel_up: () => 0,
  siteward_device_up: () => 0,
  siteward_ups_battery_runtime_seconds: () => 300,
  siteward_filesystem_size_bytes: () => 100 * MEBIBYTE,
  siteward_filesystem_used_bytes: (_labels, seconds) => 50 * MEBIBYTE + (seconds % 100_000),
  siteward_interface_speed_bytes_per_second: () => 1000,
  siteward_license_expiry_timestamp_seconds: (_labels, seconds) => seconds + 20 * DAY,
  siteward_printer_meter_last_read_timestamp_seconds: (_labels, seconds) => seconds - 2 * DAY,
  siteward_printer_supply_days_left: () => 5,
  siteward_sla_budget_remaining_seconds: () => -60,
};

/** What is read of each device at that time. */
export function paperObservations(at: number): Observation[] {
  const devices = DEVICE_CLASSES.flatMap((name, n) => [
    { name: `${name}-1`, deviceClass: name, state: STATES[n % STATES.length] },
    { name: `${name}-2`, deviceClass: name, state: 'down' },
  ]);
  return devices.map(({ name, deviceClass, state }) =>
    observation(name, at, (metric, labels) => ({
      metric,
      labels: metric === 'siteward_device_info' ? { ...labels, class: deviceClass } : labels,
      value: paperValue(metric, labels, state, at / 1000),
    })),
  );
}

function observation(device: string, at: number, read: (metric: MetricName, labels: Labels) => Reading): Observation {
  const metrics = METRIC_NAMES.filter((metric) => metric !== 'siteward_site_info' || device === 'firewall-1');
  return {
    device,
    collector: 'paper',
    question: 'inventory',
    at: at as WallTime,
    took: 0 as Observation['took'],
    evidence: { kind: 'answered' },
    groups: metrics.map((metric) => ({
      name: metric,
      readings: labelSets(metric).map((labels) => read(metric, labels)),
    })),
    problems: [],
    requests: 0,
    timeouts: 0,
  };
}

function paperValue(metric: MetricName, labels: Labels, state: string | undefined, seconds: number): number | bigint {
  const entry: CatalogueEntry = CATALOGUE[metric];
  const special = VALUES[metric];
  if (special) return special(labels, seconds);
  // Each is in one state now, and has been in all of them.
  if (metric === 'siteward_device_state') return labels.state === state ? 1 : 0;
  if (entry.type === 'counter') return BigInt(Math.floor(seconds * 10) % 1_000_000_000);
  return entry.unit === 'ratio' ? 0.5 : 1;
}

/** Every combination of what the labels of a metric may be. */
function labelSets(metric: MetricName): Labels[] {
  const entry: CatalogueEntry = CATALOGUE[metric];
  return entry.labels.reduce<Record<string, string>[]>(
    (sets, label) => {
      const values =
        metric === 'siteward_printer_supply_state' && label === 'state'
          ? ['ok', 'low', 'empty', 'unknown']
          : LABEL_VALUES[label];
      return sets.flatMap((set) => (values ?? [`a ${label}`]).map((value) => ({ ...set, [label]: value })));
    },
    [{}],
  );
}

/** As line protocol, for each of the times. */
export function paperLines(times: readonly number[]): string {
  return times
    .flatMap(paperObservations)
    .flatMap((each) => encodeLines(each, classOf(each.device), { ...PAPER, precision: 'ms' }).lines)
    .map(({ text }) => `${text}\n`)
    .join('');
}

function classOf(device: string) {
  return DEVICE_CLASSES.find((each) => device.startsWith(`${each}-`));
}

export interface PaperExposition {
  /** Host and port, as Prometheus takes it. */
  readonly target: string;
  close(): void;
}

/** The site's `/metrics`, whose counters grow from scrape to scrape. */
export async function servePaper(): Promise<PaperExposition> {
  const server = createServer((_request, response) => {
    const sink = new PrometheusSink();
    for (const each of paperObservations(Date.now())) sink.accept(each);
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(Array.from(sink.render('text'), String).join(''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { target: `127.0.0.1:${address.port}`, close: () => void server.close() };
}
