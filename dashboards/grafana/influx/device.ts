import { INFLUX_VARIABLES, lastOf, lastOver, rateOver } from '../influxql.ts';
import { type Board, lines, stat, table, timeline } from '../panels.ts';
import { GOOD_OR_BAD, UP_OR_DOWN, YES_OR_NO } from '../units.ts';
import { outages } from './shared.ts';

export const device: Board = {
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
