/** What is so and should be known, from what siteward sees. Pure. */
import type { MetricName } from '#collectors/catalogue.ts';
import type { DeviceClass, Reading, WallTime } from '#collectors/contract.ts';
import type { ObservedState, Rule, State } from '../availability/verdict.ts';
import type { Condition } from './incident.ts';

/** A device as notices see it. */
export interface NoticedDevice {
  readonly name: string;
  readonly address: string;
  readonly class: DeviceClass;
  readonly state: ObservedState;
  /** As it is shown: maintenance while a window is in force. */
  readonly live: State;
  readonly since: WallTime;
  readonly rule: Rule;
  /** Nearest first. */
  readonly parents: readonly string[];
}

const BLIND: readonly Rule[] = ['could not tell', 'nearly all fell silent at once'];
/** More children than this are counted, not listed. */
const MOST_LISTED = 50;

/** One condition per device that is down, with those behind it; one for all that siteward cannot see. */
export function deviceConditions(devices: readonly NoticedDevice[], quietInMaintenance: boolean): Condition[] {
  const byName = new Map(devices.map((device) => [device.name, device]));
  const quiet = ({ live }: NoticedDevice) => quietInMaintenance && live === 'maintenance';
  const behind = new Map<string, NoticedDevice[]>();
  const conditions: Condition[] = [];
  for (const device of devices) {
    if (device.state !== 'unreachable') continue;
    const root =
      device.parents.findLast((name) => byName.get(name)?.state === 'down') ?? device.parents[0] ?? device.name;
    behind.set(root, [...(behind.get(root) ?? []), device]);
  }
  for (const device of devices) {
    if (device.state !== 'down' || quiet(device)) continue;
    const children = (behind.get(device.name) ?? []).filter((child) => !quiet(child));
    conditions.push({
      key: `device:${device.name}`,
      kind: 'device',
      severity: 'critical',
      title:
        children.length > 0
          ? `${device.name} is down, ${children.length} devices behind it cannot be reached`
          : `${device.name} is down`,
      lines: [`${device.name} (${device.class}, ${device.address}): ${device.rule}`, ...listed(children)],
      since: device.since,
      device: device.name,
    });
  }
  return [...conditions, ...blindness(devices)];
}

function listed(children: readonly NoticedDevice[]): string[] {
  const shown = children.slice(0, MOST_LISTED).map(({ name, address }) => `behind it: ${name} (${address})`);
  return children.length > MOST_LISTED ? [...shown, `and ${children.length - MOST_LISTED} more`] : shown;
}

function blindness(devices: readonly NoticedDevice[]): Condition[] {
  const blind = devices.filter(({ state, rule }) => state === 'unknown' && BLIND.includes(rule));
  const first = blind[0];
  if (!first) return [];
  return [
    {
      key: 'siteward:blind',
      kind: 'siteward',
      severity: 'critical',
      title: `siteward cannot see ${blind.length} of ${devices.length} devices`,
      lines: [
        `${first.rule}: the fault is likely near the appliance (its cable, its switch port, its power)`,
        ...blind.slice(0, MOST_LISTED).map(({ name }) => name),
      ],
      since: blind.reduce<WallTime>((earliest, { since }) => Math.min(earliest, since) as WallTime, first.since),
    },
  ];
}

/** Errors of RFC 3805 at which somebody has to walk to the printer. Warnings such as low toner are on the page. */
const NEEDS_SOMEBODY: Readonly<Record<string, string>> = {
  no_paper: 'is out of paper',
  no_toner: 'is out of toner',
  door_open: 'has an open door',
  jammed: 'has a paper jam',
  offline: 'is offline at its panel',
  service_requested: 'asks for service',
  input_tray_missing: 'misses a tray',
  output_full: 'has a full output tray',
  marker_supply_missing: 'misses a cartridge',
};

/** What {@link printerConditions} looks at. */
export const PRINTER_METRICS: readonly MetricName[] = ['siteward_printer_error'];

/** Printers that need somebody, from the errors that they raise. `firstSeen` remembers since when. */
export function printerConditions(
  printers: readonly { readonly name: string; readonly readings: readonly Reading[] }[],
  since: (key: string) => WallTime,
): Condition[] {
  return printers.flatMap(({ name, readings }) =>
    readings.flatMap(({ metric, labels, value }): Condition[] => {
      const error = labels['error'] ?? '';
      const words = NEEDS_SOMEBODY[error];
      if (metric !== 'siteward_printer_error' || Number(value) !== 1 || words === undefined) return [];
      const key = `printer:${name}:${error}`;
      return [
        {
          key,
          kind: 'printer',
          severity: 'warning',
          title: `${name} ${words}`,
          lines: [],
          since: since(key),
          device: name,
        },
      ];
    }),
  );
}
