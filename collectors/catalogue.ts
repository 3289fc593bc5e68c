/**
 * Every metric once. Prometheus, InfluxDB, the reference in docs/ and the dashboards take name, type, unit, help and
 * labels from here and from nowhere else.
 */

export type MetricType = 'gauge' | 'counter';

/**
 * Which series stay when a device stops answering. `answering`: only while it answers. `lasting`: for as long as the
 * device is watched.
 */
export type Lifetime = 'answering' | 'lasting';

export interface CatalogueEntry {
  readonly type: MetricType;
  /** Base unit as in the name, `''` for plain numbers and flags. */
  readonly unit: string;
  readonly help: string;
  /** Beside `device`. */
  readonly labels: readonly string[];
  readonly influx: {
    readonly measurement: string;
    readonly field: string;
    /** One type for ever: InfluxDB refuses a field that changes it. */
    readonly type: 'integer' | 'float';
  };
  readonly lifetime: Lifetime;
}

interface Options {
  readonly labels?: readonly string[];
  readonly unit?: string;
  readonly lasting?: true;
  readonly integer?: true;
}

/** `where` is `measurement.field` in InfluxDB. */
function gauge(where: `${string}.${string}`, help: string, options: Options = {}): CatalogueEntry {
  return entry('gauge', where, help, options);
}

function counter(where: `${string}.${string}`, help: string, options: Options = {}): CatalogueEntry {
  return entry('counter', where, help, { integer: true, ...options });
}

function entry(type: MetricType, where: string, help: string, options: Options): CatalogueEntry {
  const [measurement = '', field = ''] = where.split('.');
  return {
    type,
    unit: options.unit ?? '',
    help,
    labels: options.labels ?? [],
    influx: { measurement, field, type: options.integer ? 'integer' : 'float' },
    lifetime: options.lasting ? 'lasting' : 'answering',
  };
}

const INTERFACE = { labels: ['interface'] } as const;
const INTERFACE_BYTES = { labels: ['interface'], unit: 'bytes' } as const;
const SENSOR = ['sensor'] as const;
const SLA = { labels: ['sla', 'period'], lasting: true } as const;
/** Of several devices together: these series have no `device`. */
const SLA_GROUP = { labels: ['sla', 'group', 'period'], lasting: true } as const;

export const CATALOGUE = {
  siteward_site_info: gauge('site.info', 'The site that this appliance watches; always 1.', {
    labels: ['site', 'client', 'timezone'],
    lasting: true,
  }),
  siteward_device_info: gauge('device.info', 'What the device says it is; always 1.', {
    labels: ['address', 'class', 'vendor', 'model', 'serial', 'version', 'sys_name', 'profile'],
    lasting: true,
  }),
  siteward_device_state: gauge('availability.state', '1 for the state the device is in, 0 for the other four.', {
    labels: ['state'],
    lasting: true,
  }),
  siteward_device_up: gauge('availability.up', '1 while the device is up, 0 while it is not; absent while unknown.', {
    lasting: true,
  }),
  siteward_device_uptime_seconds: gauge('device.uptime_seconds', 'Time since the device started.', { unit: 'seconds' }),
  siteward_probe_success: gauge('availability.probe_success', '1 if the last probe of this kind was answered.', {
    labels: ['probe'],
    lasting: true,
  }),
  siteward_icmp_rtt_seconds: gauge('icmp.rtt_seconds', 'Round trip time of the echo requests of the last round.', {
    labels: ['stat'],
    unit: 'seconds',
  }),
  siteward_icmp_packets_sent_total: counter('icmp.packets_sent', 'Echo requests sent.', { lasting: true }),
  siteward_icmp_packets_received_total: counter('icmp.packets_received', 'Echo replies received.', { lasting: true }),
  siteward_availability_seconds_total: counter(
    'availability.seconds',
    "Time spent in each state since the device is watched, from the ledger's own sums.",
    { labels: ['state'], unit: 'seconds', lasting: true },
  ),
  siteward_sla_target_ratio: gauge('sla.target_ratio', 'Availability that the contract promises.', {
    ...SLA,
    unit: 'ratio',
  }),
  siteward_sla_availability_ratio: gauge('sla.availability_ratio', 'Availability under the contract in the period.', {
    ...SLA,
    unit: 'ratio',
  }),
  siteward_sla_downtime_seconds: gauge('sla.downtime_seconds', 'Downtime that counts under the contract.', {
    ...SLA,
    unit: 'seconds',
  }),
  siteward_sla_budget_remaining_seconds: gauge(
    'sla.budget_remaining_seconds',
    'Downtime that the contract still allows in the period; below zero when missed.',
    { ...SLA, unit: 'seconds' },
  ),
  siteward_sla_coverage_ratio: gauge('sla.coverage_ratio', 'Share of the agreed time of which something is known.', {
    ...SLA,
    unit: 'ratio',
  }),
  siteward_sla_budget_burn_ratio: gauge(
    'sla.budget_burn_ratio',
    'How fast the allowed downtime is spent: 1 just keeps the target, 2 spends it in half the period. Absent without a figure.',
    { ...SLA, unit: 'ratio' },
  ),
  siteward_sla_group_target_ratio: gauge(
    'sla_group.target_ratio',
    'Availability that the contract promises for the group.',
    { ...SLA_GROUP, unit: 'ratio' },
  ),
  siteward_sla_group_availability_ratio: gauge(
    'sla_group.availability_ratio',
    'Availability of the group under the contract in the period.',
    { ...SLA_GROUP, unit: 'ratio' },
  ),
  siteward_sla_group_downtime_seconds: gauge(
    'sla_group.downtime_seconds',
    'Downtime of the group that counts under the contract.',
    { ...SLA_GROUP, unit: 'seconds' },
  ),
  siteward_sla_group_budget_remaining_seconds: gauge(
    'sla_group.budget_remaining_seconds',
    'Downtime of the group that the contract still allows in the period; below zero when missed.',
    { ...SLA_GROUP, unit: 'seconds' },
  ),
  siteward_sla_group_coverage_ratio: gauge(
    'sla_group.coverage_ratio',
    'Share of the agreed time in which it is known whether the group was up.',
    { ...SLA_GROUP, unit: 'ratio' },
  ),
  siteward_sla_group_budget_burn_ratio: gauge(
    'sla_group.budget_burn_ratio',
    'How fast the allowed downtime of the group is spent: 1 just keeps the target. Absent without a figure.',
    { ...SLA_GROUP, unit: 'ratio' },
  ),
  siteward_cpu_usage_ratio: gauge('cpu.usage_ratio', 'Share of the processor in use.', {
    labels: ['cpu'],
    unit: 'ratio',
  }),
  siteward_load_average: gauge('cpu.load_average', 'Processes that run or wait to run, averaged.', {
    labels: ['window'],
  }),
  siteward_memory_size_bytes: gauge('memory.size_bytes', 'Memory fitted.', {
    labels: ['memory'],
    unit: 'bytes',
    integer: true,
  }),
  siteward_memory_used_bytes: gauge('memory.used_bytes', 'Memory in use, without buffers and cache.', {
    labels: ['memory'],
    unit: 'bytes',
    integer: true,
  }),
  siteward_memory_used_ratio: gauge('memory.used_ratio', 'Share of the memory in use, without buffers and cache.', {
    labels: ['memory'],
    unit: 'ratio',
  }),
  siteward_filesystem_size_bytes: gauge('filesystem.size_bytes', 'Size of the file system or volume.', {
    labels: ['mountpoint'],
    unit: 'bytes',
    integer: true,
  }),
  siteward_filesystem_used_bytes: gauge('filesystem.used_bytes', 'Used part of the file system or volume.', {
    labels: ['mountpoint'],
    unit: 'bytes',
    integer: true,
  }),
  siteward_interface_info: gauge('interface.info', 'Names of the interface; always 1.', {
    labels: ['interface', 'alias', 'description', 'mac'],
  }),
  siteward_interface_receive_bytes_total: counter('interface.receive_bytes', 'Bytes received.', INTERFACE_BYTES),
  siteward_interface_transmit_bytes_total: counter('interface.transmit_bytes', 'Bytes sent.', INTERFACE_BYTES),
  siteward_interface_receive_packets_total: counter('interface.receive_packets', 'Packets received.', INTERFACE),
  siteward_interface_transmit_packets_total: counter('interface.transmit_packets', 'Packets sent.', INTERFACE),
  siteward_interface_receive_errors_total: counter('interface.receive_errors', 'Packets received damaged.', INTERFACE),
  siteward_interface_transmit_errors_total: counter(
    'interface.transmit_errors',
    'Packets that could not be sent.',
    INTERFACE,
  ),
  siteward_interface_receive_discards_total: counter(
    'interface.receive_discards',
    'Good packets received and thrown away.',
    INTERFACE,
  ),
  siteward_interface_transmit_discards_total: counter(
    'interface.transmit_discards',
    'Good packets thrown away instead of sent.',
    INTERFACE,
  ),
  siteward_interface_up: gauge('interface.up', '1 if the interface can pass packets.', INTERFACE),
  siteward_interface_enabled: gauge('interface.enabled', '1 if the interface is meant to pass packets.', INTERFACE),
  siteward_interface_speed_bytes_per_second: gauge('interface.speed_bytes_per_second', 'Nominal speed.', {
    labels: ['interface'],
    unit: 'bytes_per_second',
    integer: true,
  }),
  siteward_sensor_temperature_celsius: gauge('sensor.temperature_celsius', 'Temperature.', {
    labels: SENSOR,
    unit: 'celsius',
  }),
  siteward_sensor_fan_rpm: gauge('sensor.fan_rpm', 'Revolutions of the fan per minute.', {
    labels: SENSOR,
    unit: 'rpm',
  }),
  siteward_sensor_voltage_volts: gauge('sensor.voltage_volts', 'Voltage.', { labels: SENSOR, unit: 'volts' }),
  siteward_sensor_power_watts: gauge('sensor.power_watts', 'Power drawn or delivered.', {
    labels: SENSOR,
    unit: 'watts',
  }),
  siteward_sensor_current_amperes: gauge('sensor.current_amperes', 'Current.', { labels: SENSOR, unit: 'amperes' }),
  siteward_sensor_frequency_hertz: gauge('sensor.frequency_hertz', 'Frequency.', { labels: SENSOR, unit: 'hertz' }),
  siteward_sensor_humidity_ratio: gauge('sensor.humidity_ratio', 'Relative humidity.', {
    labels: SENSOR,
    unit: 'ratio',
  }),
  siteward_component_ok: gauge('component.ok', '1 if the device calls this part of itself good.', {
    labels: ['component', 'kind'],
  }),
  siteward_poe_power_watts: gauge('poe.power_watts', 'Power drawn by the ports that feed devices.', {
    labels: ['group'],
    unit: 'watts',
  }),
  siteward_poe_limit_watts: gauge('poe.limit_watts', 'Power that the ports may draw together.', {
    labels: ['group'],
    unit: 'watts',
  }),
  siteward_ap_clients: gauge('ap.clients', 'Wireless stations associated.', { labels: ['radio'] }),
  siteward_firewall_sessions: gauge('firewall.sessions', 'Sessions (connections, states) in the table.'),
  siteward_firewall_sessions_limit: gauge('firewall.sessions_limit', 'Sessions that the table can hold.'),
  siteward_firewall_ha_active: gauge('firewall.ha_active', '1 if this unit carries the traffic of its cluster.', {
    labels: ['role'],
  }),
  siteward_vpn_tunnel_up: gauge('vpn_tunnel.up', '1 if the tunnel is up.', { labels: ['tunnel'] }),
  siteward_vpn_tunnels: gauge('vpn_tunnel.count', 'Tunnels or remote users that are connected.', { labels: ['kind'] }),
  siteward_license_expiry_timestamp_seconds: gauge(
    'license.expiry_timestamp_seconds',
    'When the license or signature subscription ends, in seconds since 1970.',
    { labels: ['license'], unit: 'seconds' },
  ),
  siteward_printer_meter_pages_total: counter('printer_meter.pages', 'Pages as the printer counts them.', {
    labels: ['meter'],
    lasting: true,
  }),
  siteward_printer_meter_billed_pages_total: counter(
    'printer_meter.billed_pages',
    'Pages that count for the bill: the sum over the segments of the counter, which resets and swapped boards do not set back.',
    { labels: ['meter'], lasting: true },
  ),
  siteward_printer_meter_last_read_timestamp_seconds: gauge(
    'printer_meter.last_read_timestamp_seconds',
    'When the meters were last read and kept.',
    { unit: 'seconds', lasting: true },
  ),
  siteward_printer_supply_info: gauge(
    'printer_supply.info',
    'What the supply is, also where its level is not known; always 1.',
    {
      labels: ['supply', 'description', 'type', 'color'],
    },
  ),
  siteward_printer_supply_level_ratio: gauge(
    'printer_supply.level_ratio',
    'What is left of a supply, or the room left in a receptacle; absent when the printer does not know it.',
    { labels: ['supply', 'description', 'type', 'color'], unit: 'ratio' },
  ),
  siteward_printer_supply_state: gauge('printer_supply.state', '1 for the state that the supply is in.', {
    labels: ['supply', 'state'],
  }),
  siteward_printer_supply_days_left: gauge('printer_supply.days_left', 'Days until the supply is used up, estimated.', {
    labels: ['supply'],
  }),
  siteward_printer_input_level_ratio: gauge('printer_supply.input_level_ratio', 'Filling of the paper tray.', {
    labels: ['tray'],
    unit: 'ratio',
  }),
  siteward_printer_status: gauge('printer_status.status', '1 for the status that the printer is in.', {
    labels: ['status'],
  }),
  siteward_printer_error: gauge('printer_status.error', '1 for each condition that the printer reports.', {
    labels: ['error'],
  }),
  siteward_printer_alert: gauge('printer_status.alert', '1 for each line of the alert table.', {
    labels: ['alert', 'severity', 'description'],
  }),
  siteward_ups_battery_charge_ratio: gauge('ups.battery_charge_ratio', 'Charge of the battery.', { unit: 'ratio' }),
  siteward_ups_battery_runtime_seconds: gauge(
    'ups.battery_runtime_seconds',
    'How long the battery would carry the present load.',
    { unit: 'seconds' },
  ),
  siteward_ups_load_ratio: gauge('ups.load_ratio', 'Load as a share of the nominal output.', { unit: 'ratio' }),
  siteward_ups_on_battery: gauge('ups.on_battery', '1 while the load is fed from the battery.'),
} as const satisfies Record<string, CatalogueEntry>;

export type MetricName = keyof typeof CATALOGUE;

export const METRIC_NAMES = Object.keys(CATALOGUE) as readonly MetricName[];

export function catalogueEntry(metric: MetricName): CatalogueEntry {
  return CATALOGUE[metric];
}
