/** Compares what siteward reads from a recording with what a correct monitor reports for it, area by area. */
import type { MetricName } from '#collectors/catalogue.ts';
import type { Identity, Reading } from '#collectors/contract.ts';

/** What a truth file holds, as far as it is compared. Null and absent: nothing is known. */
export interface Truth {
  readonly name: string;
  readonly category: string;
  readonly vendor?: string | null;
  readonly vendor_accept?: readonly (string | null)[] | null;
  readonly model?: string | null;
  readonly model_accept?: readonly (string | null)[] | null;
  readonly serial?: string | null;
  readonly serial_accept?: readonly (string | null)[] | null;
  readonly version?: string | null;
  readonly version_accept?: readonly (string | null)[] | null;
  readonly uptime_raw?: {
    readonly sys_up_time?: number;
    readonly hr_system_uptime?: number;
    readonly snmp_engine_time?: number;
  };
  readonly cpu?: readonly number[] | null;
  readonly cpu_percent?: number | null;
  readonly cpu_percent_accept?: readonly number[];
  readonly cpu_range?: readonly [number, number];
  readonly memory?: readonly Amount[] | null;
  readonly storage?: readonly Amount[] | null;
  readonly storage_optional?: readonly Amount[];
  readonly temperatures?: readonly { readonly name: string; readonly celsius: number; readonly oid: string }[];
  readonly sessions?: number | null;
  readonly sessions_accept?: readonly number[];
  readonly sessions_max?: number | null;
  readonly ups?: Ups | null;
  readonly printer?: Printer;
  readonly interfaces?: number | null;
  readonly interfaces_up?: number | null;
}

interface Amount {
  readonly name: string;
  readonly class?: string;
  readonly percent: number | null;
  readonly percent_accept?: readonly number[];
  readonly total_bytes: number | null;
}

interface Ups {
  readonly charge_percent?: number | null;
  readonly runtime_seconds?: number | null;
  readonly runtime_accept?: readonly (number | null)[];
  readonly load_percent?: number | null;
  readonly load_accept?: readonly (number | null)[];
  readonly on_battery?: boolean | null;
}

interface Printer {
  readonly [meter: string]: unknown;
  readonly supplies?: readonly Supply[] | null;
  readonly supplies_private?: Readonly<Record<string, number>>;
  readonly status?: string | null;
  readonly errors?: readonly string[] | null;
}

interface Supply {
  readonly index: number;
  readonly row: string;
  readonly description: string | null;
  readonly color: string | null;
  readonly level_percent: number | null;
  readonly level_percent_accept?: readonly (number | null)[];
  readonly state: string;
}

export const CHECKED_AREAS = [
  'class',
  'vendor',
  'model',
  'serial',
  'version',
  'meters-right',
  'meters-reported',
  'supplies',
  'supply-colors',
  'cpu',
  'memory',
  'storage',
  'sensors',
  'sessions',
  'ups',
  'interfaces',
  'uptime',
  'printer-status',
] as const;
export type CheckedArea = (typeof CHECKED_AREAS)[number];

export interface Check {
  readonly area: CheckedArea;
  readonly what: string;
  readonly right: boolean;
  readonly expected: string;
  readonly got: string;
}

export interface Seen {
  readonly identity: Identity | undefined;
  readonly readings: readonly Reading[];
}

/** Every comparison that the truth allows. */
export function compare(truth: Truth, seen: Seen): readonly Check[] {
  return [
    ...identityChecks(truth, seen),
    ...(truth.printer ? printerChecks(truth.printer, seen) : []),
    ...cpuChecks(truth, seen),
    ...memoryChecks(truth, seen),
    ...storageChecks(truth, seen),
    ...sensorChecks(truth, seen),
    ...sessionChecks(truth, seen),
    ...(truth.ups ? upsChecks(truth.ups, seen) : []),
    ...interfaceChecks(truth, seen),
    ...uptimeChecks(truth, seen),
  ];
}

const CLASSES: Readonly<Record<string, readonly string[]>> = {
  printer: ['printer'],
  'printer-fragment': ['printer'],
  bmc: ['server'],
  'switch-ap': ['switch', 'ap'],
};

function identityChecks(truth: Truth, { identity }: Seen): readonly Check[] {
  const classes = CLASSES[truth.category] ?? [truth.category];
  return [
    check('class', '', classes.includes(identity?.class ?? ''), classes.join(' or '), identity?.class),
    ...textCheck('vendor', truth.vendor_accept === null ? null : truth.vendor, truth.vendor_accept, identity?.vendor),
    ...textCheck('model', truth.model, truth.model_accept, identity?.model),
    ...textCheck('serial', truth.serial, truth.serial_accept, identity?.serial),
    ...textCheck('version', truth.version, truth.version_accept, identity?.version),
  ];
}

function textCheck(
  area: CheckedArea,
  stated: string | null | undefined,
  accept: readonly (string | null)[] | null | undefined,
  got: string | undefined,
): readonly Check[] {
  const words = [...(accept ?? []), stated ?? null].filter((word) => word !== null);
  if (words.length === 0) return [];
  const mayBeAbsent = stated === null || stated === undefined || accept?.includes(null) === true;
  if (got === undefined && mayBeAbsent) return [];
  const right = words.some((word) => word.toLowerCase() === got?.toLowerCase());
  return [check(area, '', right, words.join(' | '), got)];
}

const METERS = [
  'total',
  'mono',
  'color',
  'print',
  'print_mono',
  'print_color',
  'copy',
  'copy_mono',
  'copy_color',
  'fax',
  'scan',
  'duplex',
  'large',
] as const;

function printerChecks(printer: Printer, seen: Seen): readonly Check[] {
  const checks: Check[] = [];
  for (const meter of METERS) {
    const stated = numberIn(printer[meter]) ?? (meter === 'duplex' ? numberIn(printer['duplex_sides']) : undefined);
    const accept = Array.isArray(printer[`${meter}_accept`]) ? (printer[`${meter}_accept`] as (number | null)[]) : [];
    const right = [stated, ...accept].filter((value) => typeof value === 'number');
    const got = numberAt(seen, 'siteward_printer_meter_pages_total', { meter });
    if (right.length === 0) continue;
    const fits = got !== undefined && right.includes(got);
    if (got !== undefined) checks.push(check('meters-right', meter, fits, right.join(' or '), got));
    if (stated !== undefined && !accept.includes(null)) {
      checks.push(check('meters-reported', meter, got !== undefined, stated, got));
    }
  }
  for (const supply of printer.supplies ?? []) checks.push(...supplyChecks(supply, seen));
  for (const [name, percent] of Object.entries(printer.supplies_private ?? {})) {
    const found = seriesOf(seen, 'siteward_printer_supply_level_ratio').filter(({ labels }) =>
      sameSupply(name, labels),
    );
    const right = found.some(({ value }) => near(Number(value) * 100, percent, 1));
    checks.push(check('supplies', name, right, percent, found.map(({ value }) => Number(value) * 100).join(', ')));
  }
  if (printer.status) {
    const status = seriesOf(seen, 'siteward_printer_status').find(({ value }) => value === 1)?.labels['status'];
    checks.push(check('printer-status', 'status', status === printer.status, printer.status, status));
  }
  if (printer.errors) {
    const errors = seriesOf(seen, 'siteward_printer_error').map(({ labels }) => labels['error']?.replaceAll('_', ''));
    const wanted = printer.errors.map((error) => error.toLowerCase());
    const right = wanted.length === errors.length && wanted.every((error) => errors.includes(error));
    checks.push(check('printer-status', 'errors', right, wanted.join(', '), errors.join(', ')));
  }
  return checks;
}

function sameSupply(name: string, labels: Readonly<Record<string, string>>): boolean {
  const words = `${labels['color']} ${labels['type']} ${labels['description']}`
    .toLowerCase()
    .replace('transfer', 'belt');
  return name.split(' ').every((word) => words.includes(word));
}

function supplyChecks(supply: Supply, seen: Seen): readonly Check[] {
  const what = `${supply.row} ${supply.description}`;
  const own = ({ labels }: Reading) => labels['supply'] === String(supply.index) || labels['supply'] === supply.row;
  const level = seriesOf(seen, 'siteward_printer_supply_level_ratio').find(own);
  const known = seriesOf(seen, 'siteward_printer_supply_state').some(own);
  const percent = level === undefined ? undefined : Number(level.value) * 100;
  const accept = supply.level_percent_accept ?? [supply.level_percent];
  const right = known && accept.some((each) => (each === null ? percent === undefined : near(percent, each, 1)));
  const checks = [check('supplies', what, right, accept.join(' or '), known ? percent : 'no such supply')];
  const info = seriesOf(seen, 'siteward_printer_supply_info').find(own);
  if (supply.color && info) {
    checks.push(
      check('supply-colors', what, info.labels['color'] === supply.color, supply.color, info.labels['color']),
    );
  }
  return checks;
}

function cpuChecks(truth: Truth, seen: Seen): readonly Check[] {
  if (!truth.cpu || truth.cpu.length === 0) return [];
  const found = seriesOf(seen, 'siteward_cpu_usage_ratio').map(({ value }) => Number(value) * 100);
  const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
  const [low, high] = truth.cpu_range ?? [Math.min(...truth.cpu), Math.max(...truth.cpu)];
  const accept = [...(truth.cpu_percent_accept ?? []), truth.cpu_percent].filter((each) => typeof each === 'number');
  const right =
    accept.length > 0
      ? accept.some((each) => near(mean, each, 1)) || covers(truth.cpu, found)
      : mean >= low - 1 && mean <= high + 1;
  return [
    check('cpu', '', found.length > 0 && right, `${accept.join(' or ')} (${truth.cpu.join(' ')})`, found.join(' ')),
  ];
}

/** Whether the values are those of the truth, one by one. */
function covers(wanted: readonly number[], found: readonly number[]): boolean {
  const left = [...found];
  return (
    wanted.length === found.length &&
    wanted.every((each) => {
      const at = left.findIndex((value) => near(value, each, 1));
      if (at >= 0) left.splice(at, 1);
      return at >= 0;
    })
  );
}

function memoryChecks(truth: Truth, seen: Seen): readonly Check[] {
  const found = seriesOf(seen, 'siteward_memory_used_ratio').map(({ labels, value }) => ({
    name: labels['memory'],
    percent: Number(value) * 100,
  }));
  return (truth.memory ?? [])
    .filter((memory) => memory.class === 'system' && memory.percent !== null)
    .map((memory) => {
      const accept = memory.percent_accept ?? [memory.percent ?? Number.NaN];
      const right = found.some(({ percent }) => accept.some((each) => near(percent, each, 1)));
      const got = found.map(({ name, percent }) => `${name} ${percent.toFixed(1)}`).join(', ');
      return check('memory', memory.name, right, accept.join(' or '), got);
    });
}

function storageChecks(truth: Truth, seen: Seen): readonly Check[] {
  if (!truth.storage && !truth.storage_optional) return [];
  const sizes = seriesOf(seen, 'siteward_filesystem_size_bytes').map(({ labels, value }) => {
    const used = Number(numberAt(seen, 'siteward_filesystem_used_bytes', { mountpoint: labels['mountpoint'] ?? '' }));
    return { name: labels['mountpoint'] ?? '', size: Number(value), percent: (used / Number(value)) * 100 };
  });
  const fits = (amount: Amount, { size, percent }: (typeof sizes)[number]) =>
    (amount.total_bytes === null || near(size, amount.total_bytes, amount.total_bytes * 0.01)) &&
    (amount.percent === null || near(percent, amount.percent, 1));
  const shown = sizes.map(({ name, size, percent }) => `${name} ${percent.toFixed(1)} % of ${size}`).join('; ');
  const missing = (truth.storage ?? []).map((amount) =>
    check(
      'storage',
      amount.name,
      sizes.some((size) => fits(amount, size)),
      `${amount.percent} % of ${amount.total_bytes}`,
      shown,
    ),
  );
  const allowed = [...(truth.storage ?? []), ...(truth.storage_optional ?? [])];
  const wrong = sizes
    .filter((size) => !allowed.some((amount) => fits(amount, size)))
    .map((size) =>
      check('storage', size.name, false, 'no such volume', `${size.percent.toFixed(1)} % of ${size.size}`),
    );
  return [...missing, ...wrong];
}

function sensorChecks(truth: Truth, seen: Seen): readonly Check[] {
  const found = seriesOf(seen, 'siteward_sensor_temperature_celsius').map(({ value }) => Number(value));
  // The truth lists a sensor once per table that it stands in: one series answers for all of them.
  return (truth.temperatures ?? []).map(({ name, celsius, oid }) => {
    const right = found.some((value) => near(value, celsius, 0.6));
    return check('sensors', `${name} ${oid}`, right, celsius, found.join(' '));
  });
}

function sessionChecks(truth: Truth, seen: Seen): readonly Check[] {
  const checks: Check[] = [];
  if (typeof truth.sessions === 'number') {
    const accept = [truth.sessions, ...(truth.sessions_accept ?? [])];
    const got = numberAt(seen, 'siteward_firewall_sessions', {});
    checks.push(check('sessions', 'sessions', accept.includes(got ?? Number.NaN), accept.join(' or '), got));
  }
  if (typeof truth.sessions_max === 'number') {
    const got = numberAt(seen, 'siteward_firewall_sessions_limit', {});
    checks.push(check('sessions', 'limit', got === truth.sessions_max, truth.sessions_max, got));
  }
  return checks;
}

function upsChecks(ups: Ups, seen: Seen): readonly Check[] {
  const checks: Check[] = [];
  const one = (
    what: string,
    metric: MetricName,
    wanted: readonly (number | null | undefined)[],
    scale: number,
    tolerance: number,
  ) => {
    const right = wanted.filter((value) => value !== undefined);
    if (right.every((value) => value === null)) return;
    const raw = numberAt(seen, metric, {});
    const got = raw === undefined ? undefined : raw * scale;
    const fits = right.some((value) => (value === null ? got === undefined : near(got, value, tolerance)));
    checks.push(check('ups', what, fits, right.join(' or '), got));
  };
  const { charge_percent: charge, runtime_seconds: runtime, load_percent: load, on_battery: onBattery } = ups;
  one('charge', 'siteward_ups_battery_charge_ratio', [charge], 100, 1);
  one('runtime', 'siteward_ups_battery_runtime_seconds', ups.runtime_accept ?? [runtime], 1, 1);
  one(
    'load',
    'siteward_ups_load_ratio',
    [load, ...(ups.load_accept ?? [])].filter((value) => value !== null),
    100,
    1,
  );
  if (typeof onBattery === 'boolean') one('on battery', 'siteward_ups_on_battery', [Number(onBattery)], 1, 0);
  return checks;
}

function interfaceChecks(truth: Truth, seen: Seen): readonly Check[] {
  if (typeof truth.interfaces !== 'number') return [];
  const names = new Set(seriesOf(seen, 'siteward_interface_info').map(({ labels }) => labels['interface']));
  const checks = [check('interfaces', 'count', names.size === truth.interfaces, truth.interfaces, names.size)];
  if (typeof truth.interfaces_up === 'number') {
    const up = seriesOf(seen, 'siteward_interface_up').filter(({ value }) => value === 1).length;
    checks.push(check('interfaces', 'up', up === truth.interfaces_up, truth.interfaces_up, up));
  }
  return checks;
}

function uptimeChecks(truth: Truth, seen: Seen): readonly Check[] {
  const { sys_up_time: agent, hr_system_uptime: host, snmp_engine_time: engine } = truth.uptime_raw ?? {};
  const right = [agent && agent / 100, host && host / 100, engine].filter((value) => value !== undefined);
  if (right.length === 0) return [];
  const got = numberAt(seen, 'siteward_device_uptime_seconds', {});
  return [
    check(
      'uptime',
      '',
      right.some((value) => near(got, value, 1)),
      right.join(' or '),
      got,
    ),
  ];
}

function seriesOf({ readings }: Seen, metric: MetricName): readonly Reading[] {
  return readings.filter((reading) => reading.metric === metric);
}

function numberAt(seen: Seen, metric: MetricName, labels: Readonly<Record<string, string>>): number | undefined {
  const found = seriesOf(seen, metric).find((reading) =>
    Object.entries(labels).every(([label, text]) => reading.labels[label] === text),
  );
  return found && Number(found.value);
}

function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function near(got: number | undefined, wanted: number, tolerance: number): boolean {
  return got !== undefined && Math.abs(got - wanted) <= tolerance + 1e-6;
}

function check(area: CheckedArea, what: string, right: boolean, expected: unknown, got: unknown): Check {
  return { area, what, right, expected: String(expected), got: got === undefined ? 'absent' : String(got) };
}
