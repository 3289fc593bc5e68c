import { INFLUX_VARIABLES, lastOf, lastOver, rateOver } from '../influxql.ts';
import { toDeviceOf } from '../links.ts';
import { type Board, lines, table, timeline } from '../panels.ts';
import { GOOD_OR_BAD, UP_OR_DOWN } from '../units.ts';
import { DEVICE, outages, WHERE } from './shared.ts';

export const site: Board = {
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
            { field: 'device', title: 'Device', link: toDeviceOf('siteward-device-influxdb') },
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
