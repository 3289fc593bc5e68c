/** What the boards of the device classes are made of. All are about the one device that is chosen. */
import { bars, lines, type Section, stat, table, timeline } from '../panels.ts';
import { column, newest, now, over, selector } from '../promql.ts';
import { falling, GOOD_OR_BAD, rising, STATE_WORDS, UP_OR_DOWN, YES_OR_NO } from '../units.ts';
import { filled, stateNumber } from './shared.ts';

const DAY = 86_400;
const rate = (series: string) => `rate(${series}[$__rate_interval])`;

export const standing: Section = {
  title: 'State',
  panels: [
    stat('State', [now(stateNumber('device'))], { width: 4, unit: 'none', words: STATE_WORDS }),
    stat('Since start', [now(selector('siteward_device_uptime_seconds', 'device'))], {
      width: 4,
      unit: 's',
      decimals: 1,
    }),
    stat(
      'Availability in this time',
      [
        now(
          `sum(increase(${selector('siteward_availability_seconds_total', 'device', { state: 'up' })}[$__range])) / sum(increase(${selector('siteward_availability_seconds_total', 'device', { state: '=~up|down|unreachable' })}[$__range]))`,
        ),
      ],
      { width: 4, unit: 'percentunit', decimals: 3, steps: falling(0.99, 0.999) },
    ),
    table('Who it is', [column(newest('siteward_device_info', 'device'))], {
      width: 12,
      height: 4,
      columns: [
        { field: 'address', title: 'Address' },
        { field: 'vendor', title: 'Vendor' },
        { field: 'model', title: 'Model' },
        { field: 'serial', title: 'Serial' },
        { field: 'version', title: 'Version' },
        { field: 'sys_name', title: 'sysName' },
      ],
    }),
    timeline('States', [over(stateNumber('device'), '{{device}}')], {
      width: 24,
      height: 4,
      unit: 'none',
      words: STATE_WORDS,
    }),
  ],
};

export const reachability: Section = {
  title: 'Reachability',
  panels: [
    lines('Round trip', [over(selector('siteward_icmp_rtt_seconds', 'device'), '{{stat}}')], {
      width: 8,
      unit: 's',
      min: 0,
      empty: 'not asked by echo requests',
    }),
    lines(
      'Lost echo requests',
      [
        over(
          `1 - ${rate(selector('siteward_icmp_packets_received_total', 'device'))} / ${rate(selector('siteward_icmp_packets_sent_total', 'device'))}`,
          'lost',
        ),
      ],
      { width: 8, unit: 'percentunit', min: 0, max: 1, empty: 'not asked by echo requests' },
    ),
    timeline('Probes', [over(selector('siteward_probe_success', 'device'), '{{probe}}')], {
      width: 8,
      unit: 'none',
      words: UP_OR_DOWN,
    }),
  ],
};

export const load: Section = {
  title: 'Load',
  panels: [
    lines('Processors', [over(selector('siteward_cpu_usage_ratio', 'device'), '{{cpu}}')], {
      width: 8,
      unit: 'percentunit',
      min: 0,
      max: 1,
    }),
    lines('Memory in use', [over(selector('siteward_memory_used_ratio', 'device'), '{{memory}}')], {
      width: 8,
      unit: 'percentunit',
      min: 0,
      max: 1,
    }),
    lines(
      'Memory',
      [
        over(selector('siteward_memory_used_bytes', 'device'), '{{memory}} in use'),
        over(selector('siteward_memory_size_bytes', 'device'), '{{memory}} fitted'),
      ],
      { width: 8, unit: 'bytes', min: 0 },
    ),
  ],
};

export const loadAverage: Section = {
  title: 'Load average',
  panels: [
    lines('Processes that run or wait', [over(selector('siteward_load_average', 'device'), '{{window}}')], {
      width: 24,
      height: 6,
      unit: 'short',
      min: 0,
    }),
  ],
};

export const fileSystems: Section = {
  title: 'File systems',
  panels: [
    bars('In use', [now(filled('device'), '{{mountpoint}}')], {
      width: 8,
      unit: 'percentunit',
      min: 0,
      max: 1,
      steps: rising(0.85, 0.95),
    }),
    lines('Bytes in use', [over(selector('siteward_filesystem_used_bytes', 'device'), '{{mountpoint}}')], {
      width: 8,
      unit: 'bytes',
      min: 0,
    }),
    table(
      'Full at the pace of the last day in',
      [
        column(
          `(${selector('siteward_filesystem_size_bytes', 'device')} - ${selector('siteward_filesystem_used_bytes', 'device')}) / (deriv(${selector('siteward_filesystem_used_bytes', 'device')}[1d]) > 0)`,
        ),
      ],
      {
        width: 8,
        height: 8,
        empty: 'nothing fills',
        columns: [
          { field: 'mountpoint', title: 'File system' },
          {
            field: 'Value',
            title: 'Full in',
            unit: 's',
            steps: [
              { from: null, color: 'red' },
              { from: 3 * DAY, color: 'orange' },
              { from: 14 * DAY, color: 'green' },
            ],
          },
        ],
        sortBy: 'Full in',
      },
    ),
  ],
};

export const ports: Section = {
  title: 'Interfaces',
  panels: [
    lines(
      'Received',
      [over(`8 * ${rate(selector('siteward_interface_receive_bytes_total', 'device'))} > 0`, '{{interface}}')],
      { width: 12, unit: 'bps', min: 0 },
    ),
    lines(
      'Sent',
      [over(`8 * ${rate(selector('siteward_interface_transmit_bytes_total', 'device'))} > 0`, '{{interface}}')],
      { width: 12, unit: 'bps', min: 0 },
    ),
    lines(
      'Errors and discards',
      [
        over(`${rate(selector('siteward_interface_receive_errors_total', 'device'))} > 0`, '{{interface}} errors in'),
        over(`${rate(selector('siteward_interface_transmit_errors_total', 'device'))} > 0`, '{{interface}} errors out'),
        over(
          `${rate(selector('siteward_interface_receive_discards_total', 'device'))} > 0`,
          '{{interface}} discards in',
        ),
        over(
          `${rate(selector('siteward_interface_transmit_discards_total', 'device'))} > 0`,
          '{{interface}} discards out',
        ),
      ],
      { width: 12, unit: 'pps', min: 0, empty: 'none' },
    ),
    table(
      'Ports',
      [
        column(selector('siteward_interface_up', 'device')),
        column(selector('siteward_interface_enabled', 'device')),
        column(`8 * ${selector('siteward_interface_speed_bytes_per_second', 'device')}`),
        column(newest('siteward_interface_info', 'device')),
      ],
      {
        width: 12,
        height: 8,
        columns: [
          { field: 'interface', title: 'Interface' },
          { field: 'alias', title: 'Alias' },
          { field: 'Value #A', title: 'Up', words: UP_OR_DOWN },
          { field: 'Value #B', title: 'Enabled', words: YES_OR_NO },
          { field: 'Value #C', title: 'Speed', unit: 'bps' },
        ],
        sortBy: 'Interface',
      },
    ),
  ],
};

export const sensors: Section = {
  title: 'Sensors and parts',
  panels: [
    lines('Temperature', [over(selector('siteward_sensor_temperature_celsius', 'device'), '{{sensor}}')], {
      width: 8,
      unit: 'celsius',
    }),
    lines('Fans', [over(selector('siteward_sensor_fan_rpm', 'device'), '{{sensor}}')], {
      width: 8,
      unit: 'rotrpm',
      min: 0,
      empty: 'none read',
    }),
    table('Parts', [column(selector('siteward_component_ok', 'device'))], {
      width: 8,
      height: 8,
      empty: 'none read',
      columns: [
        { field: 'kind', title: 'Kind' },
        { field: 'component', title: 'Part' },
        { field: 'Value', title: 'State', words: GOOD_OR_BAD },
      ],
      sortBy: 'State',
    }),
  ],
};

export const firewall: Section = {
  title: 'Firewall',
  panels: [
    lines(
      'Sessions',
      [
        over(selector('siteward_firewall_sessions', 'device'), 'sessions'),
        over(selector('siteward_firewall_sessions_limit', 'device'), 'limit'),
      ],
      {
        width: 8,
        unit: 'locale',
        min: 0,
      },
    ),
    timeline(
      'Carries the traffic of its cluster',
      [over(`max by (client, site, device) (${selector('siteward_firewall_ha_active', 'device')})`, '{{device}}')],
      {
        width: 8,
        unit: 'none',
        words: { 0: { text: 'standby', color: 'blue' }, 1: { text: 'active', color: 'green' } },
      },
    ),
    table(
      'Licences',
      [column(`min by (license) (${newest('siteward_license_expiry_timestamp_seconds', 'device')}) - time()`)],
      {
        width: 8,
        height: 8,
        empty: 'none read',
        columns: [
          { field: 'license', title: 'Licence' },
          {
            field: 'Value',
            title: 'Ends in',
            unit: 's',
            steps: [
              { from: null, color: 'red' },
              { from: 30 * DAY, color: 'orange' },
              { from: 90 * DAY, color: 'green' },
            ],
          },
        ],
        sortBy: 'Ends in',
      },
    ),
  ],
};

export const vpn: Section = {
  title: 'VPN',
  panels: [
    timeline('Tunnels', [over(selector('siteward_vpn_tunnel_up', 'device'), '{{tunnel}}')], {
      width: 16,
      unit: 'none',
      words: UP_OR_DOWN,
      empty: 'none read',
    }),
    lines('Connected', [over(selector('siteward_vpn_tunnels', 'device'), '{{kind}}')], {
      width: 8,
      unit: 'locale',
      min: 0,
    }),
  ],
};

export const power: Section = {
  title: 'Battery and load',
  panels: [
    stat('On battery', [now(selector('siteward_ups_on_battery', 'device'))], {
      width: 4,
      unit: 'none',
      words: YES_OR_NO,
      empty: 'not read',
    }),
    stat('Charge', [now(selector('siteward_ups_battery_charge_ratio', 'device'))], {
      width: 4,
      unit: 'percentunit',
      steps: falling(0.3, 0.8),
    }),
    stat('Would last', [now(selector('siteward_ups_battery_runtime_seconds', 'device'))], {
      width: 4,
      unit: 's',
      steps: falling(300, 600),
    }),
    stat('Load', [now(selector('siteward_ups_load_ratio', 'device'))], {
      width: 4,
      unit: 'percentunit',
      steps: rising(0.7, 0.9),
    }),
    stat('Battery', [now(`min(${selector('siteward_component_ok', 'device', { kind: 'battery' })})`)], {
      width: 4,
      unit: 'none',
      words: { 0: { text: 'replace', color: 'red' }, 1: { text: 'good', color: 'green' } },
      empty: 'not read',
    }),
    stat(
      'On battery in this time',
      [now(`sum_over_time((max(${selector('siteward_ups_on_battery', 'device')}))[$__range:15s]) * 15`)],
      {
        width: 4,
        unit: 's',
        description: 'To a quarter of a minute.',
      },
    ),
    lines(
      'Charge and load',
      [
        over(selector('siteward_ups_battery_charge_ratio', 'device'), 'charge'),
        over(selector('siteward_ups_load_ratio', 'device'), 'load'),
      ],
      {
        width: 12,
        unit: 'percentunit',
        min: 0,
        max: 1,
      },
    ),
    lines('Voltage', [over(selector('siteward_sensor_voltage_volts', 'device'), '{{sensor}}')], {
      width: 6,
      unit: 'volt',
    }),
    lines('Current', [over(selector('siteward_sensor_current_amperes', 'device'), '{{sensor}}')], {
      width: 6,
      unit: 'amp',
      min: 0,
    }),
    lines('Frequency', [over(selector('siteward_sensor_frequency_hertz', 'device'), '{{sensor}}')], {
      width: 8,
      unit: 'hertz',
    }),
    lines('Power', [over(selector('siteward_sensor_power_watts', 'device'), '{{sensor}}')], {
      width: 8,
      unit: 'watt',
      min: 0,
      empty: 'not read',
    }),
    lines('Humidity', [over(selector('siteward_sensor_humidity_ratio', 'device'), '{{sensor}}')], {
      width: 8,
      unit: 'percentunit',
      min: 0,
      max: 1,
      empty: 'not read',
    }),
  ],
};

export const powerOverEthernet: Section = {
  title: 'Power over Ethernet',
  panels: [
    lines(
      'Power drawn',
      [
        over(selector('siteward_poe_power_watts', 'device'), 'group {{group}}'),
        over(selector('siteward_poe_limit_watts', 'device'), 'limit of {{group}}'),
      ],
      {
        width: 24,
        height: 6,
        unit: 'watt',
        min: 0,
        empty: 'no port feeds',
      },
    ),
  ],
};

export const wireless: Section = {
  title: 'Wireless',
  panels: [
    lines('Stations', [over(selector('siteward_ap_clients', 'device'), '{{radio}}')], {
      width: 24,
      unit: 'locale',
      min: 0,
    }),
  ],
};

export const paper: Section = {
  title: 'Printer',
  panels: [
    timeline('Status', [over(`${selector('siteward_printer_status', 'device')} == 1`, '{{status}}')], {
      width: 8,
      unit: 'none',
      words: { 1: { text: 'so', color: 'blue' } },
    }),
    table('What it reports', [column(selector('siteward_printer_error', 'device'))], {
      width: 4,
      height: 8,
      empty: 'nothing',
      columns: [{ field: 'error', title: 'Condition' }],
    }),
    bars('Supplies', [now(selector('siteward_printer_supply_level_ratio', 'device'), '{{description}}')], {
      width: 6,
      unit: 'percentunit',
      min: 0,
      max: 1,
      steps: falling(0.1, 0.2),
      description:
        'What is left, or the room left in a receptacle. Those whose level the printer does not know are missing.',
    }),
    bars('Paper', [now(selector('siteward_printer_input_level_ratio', 'device'), '{{tray}}')], {
      width: 6,
      unit: 'percentunit',
      min: 0,
      max: 1,
      steps: falling(0.05, 0.15),
    }),
    lines('Supplies over time', [over(selector('siteward_printer_supply_level_ratio', 'device'), '{{description}}')], {
      width: 12,
      unit: 'percentunit',
      min: 0,
      max: 1,
    }),
    table(
      'Meters',
      [
        column(`max by (meter) (${selector('siteward_printer_meter_pages_total', 'device')})`),
        column(
          `max by (meter) (increase(${selector('siteward_printer_meter_billed_pages_total', 'device')}[$__range]))`,
        ),
      ],
      {
        width: 12,
        height: 8,
        description: 'Pages of this time are those that count for the bill: a board that was swapped takes none away.',
        columns: [
          { field: 'meter', title: 'Meter' },
          { field: 'Value #A', title: 'Reads', unit: 'locale' },
          { field: 'Value #B', title: 'In this time', unit: 'locale' },
        ],
        sortBy: 'Meter',
      },
    ),
  ],
};
