/** The boards for who keeps the data in InfluxDB 1.x, or in 2.x and 3.x by their InfluxQL. */

import { growthOver, INFLUX_VARIABLES, lastOf, lastOver, rateOver, spreadOf, whenRaised } from '../influxql.ts';
import { toDeviceOf } from '../links.ts';
import type { Annotation, Board } from '../panels.ts';
import { bars, columns, lines, stat, table, timeline } from '../panels.ts';
import { falling, GOOD_OR_BAD, UP_OR_DOWN, YES_OR_NO } from '../units.ts';

const WHERE = [
  { field: 'client', title: 'Client' },
  { field: 'site', title: 'Site' },
  { field: 'device', title: 'Device' },
] as const;
const DEVICE = ['client', 'site', 'device'] as const;

function outages(scope: 'site' | 'device'): Annotation {
  return {
    name: 'Outages',
    color: 'red',
    query: whenRaised(
      'siteward_device_state',
      { scope, where: { state: '/^(down|unreachable|maintenance)$/' } },
      'state',
    ),
    title: 'device',
    tag: 'state',
  };
}

const toDevice = toDeviceOf('siteward-device-influxdb');

const site: Board = {
  uid: 'siteward-site-influxdb',
  title: 'siteward / Site (InfluxDB)',
  description: 'The devices of a site: what is wrong now, what was, and what fills up.',
  language: 'influxql',
  variables: [INFLUX_VARIABLES.client, INFLUX_VARIABLES.site, INFLUX_VARIABLES.class],
  from: 'now-24h',
  refresh: '30s',
  annotations: [outages('site')],
  sections: [
    {
      title: 'Devices',
      panels: [
        table('Devices', [lastOf('siteward_device_up', { scope: 'site', by: [...DEVICE] }, 'up')], {
          width: 8,
          height: 12,
          description: 'A device in an unknown state keeps its last value here.',
          columns: [
            { field: 'client', title: 'Client' },
            { field: 'site', title: 'Site' },
            { field: 'device', title: 'Device', link: toDevice },
            { field: 'up', title: 'State', words: UP_OR_DOWN },
          ],
          sortBy: 'State',
        }),
        timeline(
          'States',
          [lastOver('siteward_device_up', { scope: 'site', by: ['site', 'device'] }, '$tag_site $tag_device')],
          {
            width: 16,
            height: 12,
            unit: 'none',
            words: UP_OR_DOWN,
          },
        ),
        table(
          'What they are',
          [
            lastOf('siteward_device_info', {
              scope: 'site',
              by: [...DEVICE, 'address', 'vendor', 'model', 'version', 'serial'],
            }),
          ],
          {
            width: 24,
            columns: [
              ...WHERE,
              { field: 'address', title: 'Address' },
              { field: 'vendor', title: 'Vendor' },
              { field: 'model', title: 'Model' },
              { field: 'version', title: 'Version' },
              { field: 'serial', title: 'Serial' },
            ],
            sortBy: 'Device',
          },
        ),
      ],
    },
    {
      title: 'Load, and what fills up',
      panels: [
        lines(
          'Processors',
          [lastOver('siteward_cpu_usage_ratio', { scope: 'site', by: ['device', 'cpu'] }, '$tag_device $tag_cpu')],
          { width: 12, unit: 'percentunit', min: 0, max: 1 },
        ),
        lines(
          'Memory in use',
          [
            lastOver(
              'siteward_memory_used_ratio',
              { scope: 'site', by: ['device', 'memory'] },
              '$tag_device $tag_memory',
            ),
          ],
          { width: 12, unit: 'percentunit', min: 0, max: 1 },
        ),
        table(
          'File systems',
          [
            lastOf('siteward_filesystem_used_bytes', { scope: 'site', by: [...DEVICE, 'mountpoint'] }, 'used'),
            lastOf('siteward_filesystem_size_bytes', { scope: 'site', by: [...DEVICE, 'mountpoint'] }, 'size'),
          ],
          {
            width: 12,
            columns: [
              ...WHERE,
              { field: 'mountpoint', title: 'File system' },
              { field: 'used', title: 'Used', unit: 'bytes' },
              { field: 'size', title: 'Size', unit: 'bytes' },
            ],
            sortBy: '-Used',
          },
        ),
        table(
          'Parts',
          [lastOf('siteward_component_ok', { scope: 'site', by: [...DEVICE, 'kind', 'component'] }, 'ok')],
          {
            width: 12,
            columns: [
              ...WHERE,
              { field: 'kind', title: 'Kind' },
              { field: 'component', title: 'Part' },
              { field: 'ok', title: 'State', words: GOOD_OR_BAD },
            ],
            sortBy: 'State',
          },
        ),
        lines(
          'Received',
          [
            rateOver(
              'siteward_interface_receive_bytes_total',
              { scope: 'site', by: ['device', 'interface'] },
              '$tag_device $tag_interface',
            ),
          ],
          { width: 12, unit: 'Bps', min: 0 },
        ),
        lines(
          'Sent',
          [
            rateOver(
              'siteward_interface_transmit_bytes_total',
              { scope: 'site', by: ['device', 'interface'] },
              '$tag_device $tag_interface',
            ),
          ],
          { width: 12, unit: 'Bps', min: 0 },
        ),
      ],
    },
  ],
};

const device: Board = {
  uid: 'siteward-device-influxdb',
  title: 'siteward / Device (InfluxDB)',
  description: 'One device of any class; panels about what it has not stay empty.',
  language: 'influxql',
  variables: [INFLUX_VARIABLES.client, INFLUX_VARIABLES.site, INFLUX_VARIABLES.class, INFLUX_VARIABLES.device],
  from: 'now-24h',
  refresh: '30s',
  annotations: [outages('device')],
  sections: [
    {
      title: 'State',
      panels: [
        stat('State', [lastOf('siteward_device_up', { scope: 'device' })], {
          width: 4,
          unit: 'none',
          words: UP_OR_DOWN,
        }),
        stat('Since start', [lastOf('siteward_device_uptime_seconds', { scope: 'device' })], {
          width: 4,
          unit: 's',
          decimals: 1,
        }),
        timeline('Probes', [lastOver('siteward_probe_success', { scope: 'device', by: ['probe'] }, '$tag_probe')], {
          width: 8,
          height: 4,
          unit: 'none',
          words: UP_OR_DOWN,
        }),
        lines('Round trip', [lastOver('siteward_icmp_rtt_seconds', { scope: 'device', by: ['stat'] }, '$tag_stat')], {
          width: 8,
          height: 4,
          unit: 's',
          min: 0,
          empty: 'not asked by echo requests',
        }),
        timeline('States', [lastOver('siteward_device_state', { scope: 'device', by: ['state'] }, '$tag_state')], {
          width: 24,
          height: 6,
          unit: 'none',
          words: YES_OR_NO,
        }),
      ],
    },
    {
      title: 'Load',
      panels: [
        lines('Processors', [lastOver('siteward_cpu_usage_ratio', { scope: 'device', by: ['cpu'] }, '$tag_cpu')], {
          width: 8,
          unit: 'percentunit',
          min: 0,
          max: 1,
        }),
        lines(
          'Memory in use',
          [lastOver('siteward_memory_used_ratio', { scope: 'device', by: ['memory'] }, '$tag_memory')],
          { width: 8, unit: 'percentunit', min: 0, max: 1 },
        ),
        lines(
          'File systems',
          [lastOver('siteward_filesystem_used_bytes', { scope: 'device', by: ['mountpoint'] }, '$tag_mountpoint')],
          { width: 8, unit: 'bytes', min: 0 },
        ),
      ],
    },
    {
      title: 'Interfaces',
      panels: [
        lines(
          'Received',
          [
            rateOver(
              'siteward_interface_receive_bytes_total',
              { scope: 'device', by: ['interface'] },
              '$tag_interface',
            ),
          ],
          { width: 8, unit: 'Bps', min: 0 },
        ),
        lines(
          'Sent',
          [
            rateOver(
              'siteward_interface_transmit_bytes_total',
              { scope: 'device', by: ['interface'] },
              '$tag_interface',
            ),
          ],
          { width: 8, unit: 'Bps', min: 0 },
        ),
        lines(
          'Errors',
          [
            rateOver(
              'siteward_interface_receive_errors_total',
              { scope: 'device', by: ['interface'] },
              '$tag_interface in',
            ),
            rateOver(
              'siteward_interface_transmit_errors_total',
              { scope: 'device', by: ['interface'] },
              '$tag_interface out',
            ),
          ],
          {
            width: 8,
            unit: 'pps',
            min: 0,
          },
        ),
      ],
    },
    {
      title: 'Sensors and parts',
      panels: [
        lines(
          'Temperature',
          [lastOver('siteward_sensor_temperature_celsius', { scope: 'device', by: ['sensor'] }, '$tag_sensor')],
          { width: 8, unit: 'celsius' },
        ),
        table('Parts', [lastOf('siteward_component_ok', { scope: 'device', by: ['kind', 'component'] }, 'ok')], {
          width: 8,
          height: 8,
          columns: [
            { field: 'kind', title: 'Kind' },
            { field: 'component', title: 'Part' },
            { field: 'ok', title: 'State', words: GOOD_OR_BAD },
          ],
        }),
        lines(
          'UPS: charge and load',
          [
            lastOver('siteward_ups_battery_charge_ratio', { scope: 'device' }, 'charge'),
            lastOver('siteward_ups_load_ratio', { scope: 'device' }, 'load'),
          ],
          {
            width: 8,
            unit: 'percentunit',
            min: 0,
            max: 1,
          },
        ),
      ],
    },
    {
      title: 'Firewall',
      panels: [
        lines('Sessions', [lastOver('siteward_firewall_sessions', { scope: 'device' }, 'sessions')], {
          width: 8,
          unit: 'locale',
          min: 0,
        }),
        timeline('Tunnels', [lastOver('siteward_vpn_tunnel_up', { scope: 'device', by: ['tunnel'] }, '$tag_tunnel')], {
          width: 8,
          unit: 'none',
          words: UP_OR_DOWN,
        }),
        table(
          'Licences',
          [lastOf('siteward_license_expiry_timestamp_seconds', { scope: 'device', by: ['license'] }, 'ends')],
          {
            width: 8,
            height: 8,
            description:
              'Seconds since 1970; Grafana wants milliseconds for a date, so that the time left is on the board for Prometheus only.',
            columns: [
              { field: 'license', title: 'Licence' },
              { field: 'ends', title: 'Ends (Unix time)', unit: 'none' },
            ],
          },
        ),
      ],
    },
  ],
};

const SLA_COLUMNS = [...WHERE, { field: 'sla', title: 'SLA' }] as const;
const sla = (period: string) => ({ scope: 'site', where: { period }, by: [...DEVICE, 'sla'] }) as const;

const availability: Board = {
  uid: 'siteward-availability-influxdb',
  title: 'siteward / Availability and SLA (InfluxDB)',
  description: 'What was promised, what was kept, and what was seen. All figures come from the ledger.',
  language: 'influxql',
  variables: [INFLUX_VARIABLES.client, INFLUX_VARIABLES.site, INFLUX_VARIABLES.class],
  from: 'now-30d',
  refresh: '5m',
  annotations: [outages('site')],
  sections: [
    {
      title: 'Promised',
      panels: (['current', 'previous'] as const).map((period) =>
        table(
          period === 'current' ? 'This period' : 'Last period',
          [
            lastOf('siteward_sla_target_ratio', sla(period), 'target'),
            lastOf('siteward_sla_availability_ratio', sla(period), 'kept'),
            lastOf('siteward_sla_downtime_seconds', sla(period), 'downtime'),
            lastOf('siteward_sla_budget_remaining_seconds', sla(period), 'budget'),
          ],
          {
            width: 12,
            columns: [
              ...SLA_COLUMNS,
              { field: 'target', title: 'Promised', unit: 'percentunit' },
              { field: 'kept', title: 'Availability', unit: 'percentunit' },
              { field: 'downtime', title: 'Downtime', unit: 's' },
              {
                field: 'budget',
                title: 'Budget left',
                unit: 's',
                steps: [
                  { from: null, color: 'red' },
                  { from: 0, color: 'green' },
                ],
              },
            ],
            sortBy: 'Budget left',
          },
        ),
      ),
    },
    {
      title: 'Seen',
      panels: [
        table(
          'Seconds in each state',
          [spreadOf('siteward_availability_seconds_total', { scope: 'site', by: [...DEVICE, 'state'] }, 'seconds')],
          {
            width: 12,
            height: 12,
            description: 'Newest sum less the oldest in this time: a point that came twice changes nothing.',
            columns: [...WHERE, { field: 'state', title: 'State' }, { field: 'seconds', title: 'Time', unit: 's' }],
            sortBy: '-Time',
          },
        ),
        columns(
          'Downtime',
          [
            growthOver(
              'siteward_availability_seconds_total',
              { scope: 'site', where: { state: '/^(down|unreachable)$/' }, by: ['site', 'device', 'state'] },
              '$tag_site $tag_device $tag_state',
            ),
          ],
          {
            width: 12,
            height: 12,
            unit: 's',
            min: 0,
          },
        ),
        timeline(
          'States',
          [lastOver('siteward_device_up', { scope: 'site', by: ['site', 'device'] }, '$tag_site $tag_device')],
          { width: 24, height: 12, unit: 'none', words: UP_OR_DOWN },
        ),
      ],
    },
  ],
};

const print: Board = {
  uid: 'siteward-print-influxdb',
  title: 'siteward / Print fleet and meters (InfluxDB)',
  description: 'Pages as they count for the bill, supplies, and what the printers report.',
  language: 'influxql',
  variables: [
    INFLUX_VARIABLES.client,
    INFLUX_VARIABLES.site,
    {
      ...INFLUX_VARIABLES.class,
      query:
        'SHOW TAG VALUES FROM "printer_meter" WITH KEY = "class" WHERE "client" =~ /^$client$/ AND "site" =~ /^$site$/',
    },
  ],
  from: 'now-30d',
  refresh: '5m',
  annotations: [outages('site')],
  sections: [
    {
      title: 'Pages',
      panels: [
        table(
          'Meters',
          [
            lastOf('siteward_printer_meter_pages_total', { scope: 'site', by: [...DEVICE, 'meter'] }, 'counter'),
            spreadOf('siteward_printer_meter_billed_pages_total', { scope: 'site', by: [...DEVICE, 'meter'] }, 'used'),
          ],
          {
            width: 12,
            height: 12,
            description:
              'For a look, not for the bill: that is cut at its period in the meter ledger, by `siteward report meters`.',
            columns: [
              ...WHERE,
              { field: 'meter', title: 'Meter' },
              { field: 'counter', title: 'Counter', unit: 'locale' },
              { field: 'used', title: 'In this time', unit: 'locale' },
            ],
            sortBy: 'Device',
          },
        ),
        columns(
          'Pages',
          [
            growthOver(
              'siteward_printer_meter_billed_pages_total',
              { scope: 'site', where: { meter: 'total' }, by: ['site', 'device'] },
              '$tag_site $tag_device',
            ),
          ],
          {
            width: 12,
            height: 12,
            unit: 'locale',
            min: 0,
            decimals: 0,
          },
        ),
      ],
    },
    {
      title: 'Supplies',
      panels: [
        table(
          'Levels',
          [
            lastOf(
              'siteward_printer_supply_level_ratio',
              { scope: 'site', by: [...DEVICE, 'description', 'color', 'type'] },
              'left',
            ),
          ],
          {
            width: 12,
            columns: [
              ...WHERE,
              { field: 'description', title: 'Supply' },
              { field: 'color', title: 'Colour' },
              { field: 'type', title: 'Type' },
              { field: 'left', title: 'Left', unit: 'percentunit', steps: falling(0.1, 0.2), bar: true },
            ],
            sortBy: 'Left',
          },
        ),
        table(
          'Days left',
          [lastOf('siteward_printer_supply_days_left', { scope: 'site', by: [...DEVICE, 'supply'] }, 'days')],
          {
            width: 6,
            columns: [
              ...WHERE,
              { field: 'supply', title: 'Supply' },
              { field: 'days', title: 'Days left', unit: 'none', steps: falling(7, 30) },
            ],
            sortBy: 'Days left',
          },
        ),
        table(
          'What printers reported in this time',
          [lastOf('siteward_printer_error', { scope: 'site', by: [...DEVICE, 'error'] }, 'raised')],
          {
            width: 6,
            empty: 'nothing',
            columns: [...WHERE, { field: 'error', title: 'Condition' }, { field: 'Time', title: 'Last' }],
          },
        ),
        bars('Paper', [lastOf('siteward_printer_input_level_ratio', { scope: 'site', by: ['device', 'tray'] })], {
          width: 12,
          unit: 'percentunit',
          min: 0,
          max: 1,
          steps: falling(0.05, 0.15),
        }),
        lines(
          'Toner',
          [
            lastOver(
              'siteward_printer_supply_level_ratio',
              { scope: 'site', where: { type: 'toner' }, by: ['device', 'description'] },
              '$tag_device $tag_description',
            ),
          ],
          { width: 12, unit: 'percentunit', min: 0, max: 1 },
        ),
      ],
    },
  ],
};

export const influxBoards: readonly Board[] = [site, device, availability, print];
