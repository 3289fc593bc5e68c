/** A site in which every text that a device or a person can send is one that would like to be more than text. */

import type { Reading, WallTime } from '#collectors/contract.ts';
import type { History } from '#daemon/history/history.ts';
import type { KeptEvent } from '#daemon/inventory/ledger.ts';
import type { DeviceRecord } from '#daemon/inventory/record.ts';
import type { AuditEntry } from '#daemon/web/access/audit.ts';
import type { WindowView } from '#daemon/web/page-sources.ts';
import type { SiteBook } from '#daemon/web/route.ts';
import type { StatePiece } from '#daemon/web/strip.ts';
import { deviceRecord, siteBook } from './device-record.ts';
import { type TestDevice, testDevice } from './invented-site.ts';

const HOUR = 3_600_000;
/** No request is taken whose first line is longer than this. */
const LONGEST_NAME = 2_000;

/** A text that ends in the name of its place, by which a test finds it again wherever it is shown. */
export const placed = (text: string, place: string): string => `${text}\u27e6${place}\u27e7`;

/** The mark of a placed text. */
export const placeOf = (text: string): string => text.slice(text.lastIndexOf('\u27e6'), text.lastIndexOf('\u27e7') + 1);

/** The end of a text, as a message shows it. */
export const shortened = (text: string): string => JSON.stringify(text.slice(-120));

/** Of placed texts those that were not found, and those that were found otherwise than they are meant there. */
export function strays(found: readonly string[], sent: Iterable<string>, meant: (text: string) => string): string[] {
  const byPlace = new Map<string, string[]>();
  for (const text of found)
    for (const [place] of text.matchAll(/\u27e6[^\u27e7]*\u27e7/g)) {
      const texts = byPlace.get(place);
      if (texts) texts.push(text);
      else byPlace.set(place, [text]);
    }
  return [...sent].flatMap((text) => {
    const wanted = meant(text);
    const texts = byPlace.get(placeOf(wanted)) ?? [];
    if (texts.length === 0) return [`not there: ${shortened(wanted)}`];
    return texts
      .filter((other) => !other.includes(wanted))
      .map((other) => `is ${shortened(other)}, meant as ${shortened(wanted)}`);
  });
}

export interface HostileDevice {
  readonly device: TestDevice;
  /** What its line of the overview shows, and what its own page does. */
  readonly overview: readonly string[];
  readonly page: readonly string[];
  readonly pieces: readonly StatePiece[];
  readonly seen: readonly KeptEvent[];
}

const underscored = (text: string): string => text.replaceAll('_', ' ');

/** The readings whose labels pages show, each label a text of its own, and what is shown of them. */
function readingsOf(at: (place: string) => string): {
  readonly readings: readonly Reading[];
  readonly found: readonly string[];
  readonly shown: readonly string[];
} {
  const readings: Reading[] = [];
  const add = (metric: Reading['metric'], labels: Record<string, string>, value: number | bigint = 1): void =>
    void readings.push({ metric, labels, value });
  const one = (metric: Reading['metric'], label: string, value: number | bigint = 1): string => {
    const text = at(`${metric.slice('siteward_'.length).replaceAll('_', '-')} ${label}`);
    add(metric, { [label]: text }, value);
    return text;
  };

  const named = at('interface');
  const alias = at('alias');
  add('siteward_interface_info', { interface: named, alias, description: at('unseen'), mac: at('mac') });
  add('siteward_interface_up', { interface: named });
  add('siteward_interface_receive_bytes_total', { interface: named }, 5n);
  const plain = at('plain interface');
  const description = at('interface description');
  add('siteward_interface_info', { interface: plain, alias: '', description, mac: '' });
  const supply = at('supply');
  add('siteward_printer_supply_level_ratio', { supply, description: '', type: at('type'), color: at('color') }, 0.05);
  add('siteward_printer_supply_days_left', { supply }, 2);
  const toner = at('supply description');
  const type = { type: at('type'), color: at('color') };
  add('siteward_printer_supply_level_ratio', { supply: at('unseen'), description: toner, ...type }, 0);
  const mountpoint = at('mountpoint');
  add('siteward_filesystem_used_bytes', { mountpoint }, 99);
  add('siteward_filesystem_size_bytes', { mountpoint }, 100);
  const kind = at('component kind');
  add('siteward_component_ok', { component: '', kind }, 0);
  const component = at('component');
  add('siteward_component_ok', { component, kind: 'fan' }, 0);

  const found = [
    supply,
    toner,
    mountpoint,
    component,
    kind,
    underscored(one('siteward_printer_error', 'error')),
    one('siteward_license_expiry_timestamp_seconds', 'license'),
    one('siteward_vpn_tunnel_up', 'tunnel', 0),
  ];
  const shown = [
    named,
    alias,
    plain,
    description,
    one('siteward_probe_success', 'probe', 0),
    one('siteward_cpu_usage_ratio', 'cpu'),
    one('siteward_load_average', 'window'),
    one('siteward_memory_used_ratio', 'memory'),
    one('siteward_firewall_ha_active', 'role'),
    one('siteward_vpn_tunnels', 'kind'),
    one('siteward_printer_status', 'status'),
    one('siteward_printer_input_level_ratio', 'tray', 0.5),
    one('siteward_poe_power_watts', 'group'),
    one('siteward_ap_clients', 'radio'),
    one('siteward_sensor_temperature_celsius', 'sensor'),
    one('siteward_sensor_fan_rpm', 'sensor'),
    one('siteward_sensor_voltage_volts', 'sensor'),
    one('siteward_sensor_power_watts', 'sensor'),
    one('siteward_sensor_current_amperes', 'sensor'),
    one('siteward_sensor_frequency_hertz', 'sensor'),
    one('siteward_sensor_humidity_ratio', 'sensor'),
    underscored(one('siteward_printer_meter_pages_total', 'meter', 7n)),
  ];
  return { readings, found, shown };
}

/** A printer that is up and has much wrong with it. `more` is laid over its view. */
export function hostileDevice(text: string, index: number, more: Partial<TestDevice['view']> = {}): HostileDevice {
  const at = (place: string): string => placed(text, `${place} ${index}`);
  const now = Date.now();
  const name = placed(text.slice(0, LONGEST_NAME), `name ${index}`);
  const identity = {
    class: 'printer',
    vendor: at('vendor').trimStart(),
    model: at('model'),
    serial: at('serial'),
    version: at('version'),
    sysName: at('sysName'),
    profile: at('profile'),
  } as const;
  const address = at('address');
  const problem = { code: at('code'), message: at('message'), hint: at('hint') };
  const { readings, found, shown } = readingsOf(at);
  const cause = at('cause');
  const [moved, other] = [{ from: at('from'), to: at('to') }, { [at('fact')]: at('told') }];
  const pieces: StatePiece[] = [
    { from: (now - 2 * HOUR) as WallTime, to: (now - HOUR) as WallTime, state: 'down', cause },
    { from: (now - HOUR) as WallTime, to: now as WallTime, state: 'up', cause: at('answered') },
  ];
  const seen = [moved, other].map(
    (detail, place): KeptEvent => ({
      seq: place + 1,
      at: (now - (place + 1) * HOUR) as WallTime,
      device: `id-${index}`,
      kind: 're-addressed',
      detail,
    }),
  );
  const [[fact = '', told = ''] = []] = Object.entries(other);
  const view = { address, class: 'printer', identity, problems: [problem], ...more } as const;
  return {
    device: testDevice(name, 'up', view, readings),
    overview: [name, identity.vendor, identity.model, ...found],
    page: [
      name,
      address,
      identity.vendor,
      identity.model,
      identity.serial,
      identity.version,
      identity.sysName,
      identity.profile,
      ...Object.values(problem),
      ...found,
      ...shown,
      cause,
      at('answered'),
      moved.from,
      moved.to,
      fact,
      told,
    ],
    pieces,
    seen,
  };
}

/** Charts of a device: lines named by its labels. Gives those names. */
export function hostileHistory(history: History, device: string, text: string, index: number): string[] {
  const at = (place: string): string => placed(text.slice(0, LONGEST_NAME), `${place} ${index}`);
  const now = Date.now();
  const names = ['chart memory', 'chart mountpoint', 'chart sensor', 'chart supply'].map(at);
  const [memory = '', mountpoint = '', sensor = '', description = ''] = names;
  const series = [
    ['siteward_memory_used_ratio', { memory }],
    ['siteward_filesystem_used_bytes', { mountpoint }],
    ['siteward_sensor_temperature_celsius', { sensor }],
    ['siteward_printer_supply_level_ratio', { supply: '1', description, type: '', color: '' }],
  ] as const;
  for (let minute = 30; minute >= 0; minute -= 10)
    for (const [metric, labels] of series)
      history.append(device, metric, labels, (now - minute * 60_000) as WallTime, 0.5 + minute / 100);
  return names;
}

export interface Hostile<T> {
  readonly value: T;
  /** What the page that shows it must show. */
  readonly shown: readonly string[];
}

/** What was found and waits for a decision, one for each text. */
export function hostileCandidates(texts: readonly string[], first: number): Hostile<readonly DeviceRecord[]> {
  const shown: string[] = [];
  const value = texts.map((text, offset): DeviceRecord => {
    const at = (place: string): string => placed(text, `${place} ${first + offset}`);
    const evidence = {
      vendor: at('found vendor'),
      model: at('found model'),
      serial: at('found serial'),
      sysName: at('found sysName'),
      engineId: at('found engine'),
      macs: [at('found mac')],
    };
    const addresses = [at('found address'), at('other address')];
    const doubt = at('doubt');
    const { vendor, model, serial, sysName, macs } = evidence;
    shown.push(vendor, model, serial, sysName, ...macs, ...addresses, doubt, at('proposed'));
    return deviceRecord(`id-${first + offset}`, {
      addresses,
      evidence,
      hints: [at('name of others')],
      doubts: [{ device: doubt, agree: [], against: [] }],
      firstSeen: Date.now() as WallTime,
      lastSeen: Date.now() as WallTime,
    });
  });
  return { value, shown };
}

/** As much of an inventory as pages ask for. */
export function inventoryOf(
  candidates: readonly DeviceRecord[],
  seen: ReadonlyMap<string, readonly KeptEvent[]>,
): SiteBook {
  const proposed = new Map(
    candidates.map(({ id, addresses: [address = ''] }) => [id, address.replace('found address', 'proposed')]),
  );
  return siteBook({
    discoveries: () => candidates,
    get: (id: string) => candidates.find((record) => record.id === id),
    proposedName: (id: string) => proposed.get(id) ?? '',
    latest: async (_before: number, _limit: number, device: string) => seen.get(device) ?? [],
    history: async () => [...seen.values()].flat(),
  });
}

/** Windows that people entered. */
export function hostileWindows(texts: readonly string[], first: number): Hostile<readonly WindowView[]> {
  const shown: string[] = [];
  const value = texts.map((text, offset): WindowView => {
    const at = (place: string): string => placed(text, `${place} ${first + offset}`);
    const window = { name: at('why'), devices: [at('pattern'), at('other pattern')], author: at('author') };
    shown.push(window.name, ...window.devices, window.author);
    const from = Date.now() as WallTime;
    return { ...window, key: `entered-${offset}`, entered: true, from, to: (from + HOUR) as WallTime };
  });
  return { value, shown };
}

/** Writes that were tried, and what people gave as their reason. */
export function hostileAudit(texts: readonly string[], first: number): Hostile<readonly AuditEntry[]> {
  const shown: string[] = [];
  const value = texts.map((text, offset): AuditEntry => {
    const at = (place: string): string => placed(text, `${place} ${first + offset}`);
    const entry = { who: at('who'), source: at('source'), what: at('what'), why: at('reason') };
    shown.push(...Object.values(entry));
    return { ...entry, at: Date.now() as WallTime, outcome: 303 };
  });
  return { value, shown };
}
