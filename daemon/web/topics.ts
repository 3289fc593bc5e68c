/** The readings of a device by topic, in words. Interfaces, supplies and meters have places of their own. Pure. */
import type { Reading } from '#collectors/contract.ts';
import { bytesText, durationText, numberText, percentText, timeText, type Words } from './format.ts';
import type { Messages } from './messages/en.ts';

export type Topic = keyof Messages['topics'];

export interface TopicRow {
  readonly name: string;
  readonly text: string;
  /** Stands out. */
  readonly bad?: boolean;
}

const TOPICS: readonly Topic[] = [
  'reachability',
  'performance',
  'memory',
  'storage',
  'firewall',
  'licenses',
  'printer',
  'power',
  'wireless',
  'parts',
  'sensors',
];
/** A chassis of two hundred sensors is for Grafana. */
const MOST_ROWS = 40;

export function topicsOf(readings: readonly Reading[], words: Words): [Topic, TopicRow[]][] {
  const sizes = new Map(readings.map((reading) => [sizeKey(reading), Number(reading.value)]));
  const topics = new Map<Topic, TopicRow[]>(TOPICS.map((topic) => [topic, []]));
  for (const reading of readings) {
    const placed = rowOf(reading, sizes, words);
    const rows = placed && topics.get(placed.topic);
    if (placed && rows && rows.length < MOST_ROWS) rows.push(placed.row);
  }
  return [...topics].filter(([, rows]) => rows.length > 0);
}

const sizeKey = ({ metric, labels }: Reading) =>
  `${metric} ${labels['mountpoint'] ?? labels['memory'] ?? labels['group'] ?? ''}`;

function rowOf(
  reading: Reading,
  sizes: ReadonlyMap<string, number>,
  words: Words,
): { topic: Topic; row: TopicRow } | undefined {
  const { metric, labels } = reading;
  const { readings } = words.messages;
  const value = Number(reading.value);
  const label = (name: string) => labels[name] ?? '';
  const row = (topic: Topic, name: string, text: string, bad = false) => ({ topic, row: { name, text, bad } });
  const measured = (unit: string, digits = 1) => `${numberText(value, words, digits)} ${unit}`;
  const yesNo = value === 1 ? readings.yes : readings.no;
  switch (metric) {
    case 'siteward_icmp_rtt_seconds':
      return label('stat') === 'mean'
        ? row('reachability', readings.rtt, `${numberText(value * 1000, words, 1)} ms`)
        : undefined;
    case 'siteward_probe_success':
      return row(
        'reachability',
        readings.probe(label('probe')),
        value === 1 ? readings.answered : readings.silent,
        value === 0,
      );
    case 'siteward_cpu_usage_ratio':
      return row('performance', readings.cpu(label('cpu')), percentText(value, words));
    case 'siteward_load_average':
      return row('performance', readings.load(label('window')), numberText(value, words, 2));
    case 'siteward_memory_used_bytes': {
      const size = sizes.get(`siteward_memory_size_bytes ${label('memory')}`);
      const used = bytesText(value, words);
      return row(
        'memory',
        readings.memory(label('memory')),
        size === undefined ? used : readings.of(used, bytesText(size, words)),
      );
    }
    case 'siteward_memory_used_ratio':
      return sizes.has(`siteward_memory_used_bytes ${label('memory')}`)
        ? undefined
        : row('memory', readings.memory(label('memory')), percentText(value, words));
    case 'siteward_filesystem_used_bytes': {
      const size = sizes.get(`siteward_filesystem_size_bytes ${label('mountpoint')}`);
      const used = bytesText(value, words);
      return row(
        'storage',
        label('mountpoint'),
        size === undefined
          ? used
          : `${readings.of(used, bytesText(size, words))} · ${percentText(value / size, words)}`,
      );
    }
    case 'siteward_firewall_sessions': {
      const limit = sizes.get('siteward_firewall_sessions_limit ');
      const text = numberText(value, words);
      return row(
        'firewall',
        readings.sessions,
        limit === undefined ? text : readings.of(text, numberText(limit, words)),
      );
    }
    case 'siteward_firewall_ha_active':
      return row('firewall', readings.active(label('role')), yesNo);
    case 'siteward_vpn_tunnel_up':
      return row(
        'firewall',
        readings.tunnel(label('tunnel')),
        value === 1 ? words.messages.device.up : words.messages.device.linkDown,
        value === 0,
      );
    case 'siteward_vpn_tunnels':
      return row('firewall', readings.tunnels(label('kind')), numberText(value, words));
    case 'siteward_license_expiry_timestamp_seconds':
      return row('licenses', label('license'), timeText(value * 1000, words, 'date'));
    case 'siteward_printer_status':
      return value === 1 ? row('printer', readings.status, label('status')) : undefined;
    case 'siteward_printer_input_level_ratio':
      return row('printer', readings.tray(label('tray')), percentText(value, words));
    case 'siteward_ups_battery_charge_ratio':
      return row('power', readings.charge, percentText(value, words));
    case 'siteward_ups_battery_runtime_seconds':
      return row('power', readings.runtime, durationText(value * 1000, words));
    case 'siteward_ups_load_ratio':
      return row('power', readings.upsLoad, percentText(value, words));
    case 'siteward_ups_on_battery':
      return row('power', readings.onBattery, yesNo, value === 1);
    case 'siteward_poe_power_watts': {
      const limit = sizes.get(`siteward_poe_limit_watts ${label('group')}`);
      const text = measured('W');
      return row(
        'power',
        readings.poe(label('group')),
        limit === undefined ? text : readings.of(text, `${numberText(limit, words)} W`),
      );
    }
    case 'siteward_ap_clients':
      return row('wireless', readings.clients(label('radio')), numberText(value, words));
    case 'siteward_component_ok':
      return row('parts', label('component') || label('kind'), value === 1 ? readings.good : readings.bad, value === 0);
    case 'siteward_sensor_temperature_celsius':
      return row('sensors', label('sensor'), measured('°C'));
    case 'siteward_sensor_fan_rpm':
      return row('sensors', label('sensor'), measured('rpm', 0));
    case 'siteward_sensor_voltage_volts':
      return row('sensors', label('sensor'), measured('V', 2));
    case 'siteward_sensor_power_watts':
      return row('sensors', label('sensor'), measured('W'));
    case 'siteward_sensor_current_amperes':
      return row('sensors', label('sensor'), measured('A', 2));
    case 'siteward_sensor_frequency_hertz':
      return row('sensors', label('sensor'), measured('Hz'));
    case 'siteward_sensor_humidity_ratio':
      return row('sensors', label('sensor'), percentText(value, words));
    default:
      return undefined;
  }
}
