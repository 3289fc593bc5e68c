import { type Board, bars, lines, stat, table, timeline } from '../panels.ts';
import { column, counted, DEVICE, described, newest, now, ofClass, over, selector, VARIABLES } from '../promql.ts';
import { NONE_IS_GOOD, rising, STATE_WORDS } from '../units.ts';
import { DEVICE_COLUMNS, filled, inState, outages, stateNumber } from './shared.ts';

const NAMED = '{{site}} {{device}}';
const WHAT = ['class', 'address', 'vendor', 'model', 'version', 'serial'] as const;
const DAY = 86_400;

export const site: Board = {
  uid: 'siteward-site',
  title: 'siteward / Site',
  description: 'The devices of a site: what is wrong now, what was, and what fills up.',
  language: 'promql',
  variables: [VARIABLES.client, VARIABLES.site, VARIABLES.class],
  from: 'now-24h',
  refresh: '30s',
  annotations: [outages('site')],
  sections: [
    {
      title: 'Now',
      panels: [
        stat('Up', [now(counted(ofClass(inState('up'))))], { width: 4, unit: 'locale' }),
        stat('Down', [now(counted(ofClass(inState('down'))))], { width: 4, unit: 'locale', steps: NONE_IS_GOOD }),
        stat('Unreachable', [now(counted(ofClass(inState('unreachable'))))], {
          width: 4,
          unit: 'locale',
          steps: NONE_IS_GOOD,
        }),
        stat('In maintenance', [now(counted(ofClass(inState('maintenance'))))], { width: 4, unit: 'locale' }),
        stat('Parts failed', [now(counted(ofClass(`${selector('siteward_component_ok', 'site')} == 0`)))], {
          width: 4,
          unit: 'locale',
          steps: NONE_IS_GOOD,
        }),
        stat('Tunnels down', [now(counted(ofClass(`${selector('siteward_vpn_tunnel_up', 'site')} == 0`)))], {
          width: 4,
          unit: 'locale',
          steps: NONE_IS_GOOD,
        }),
      ],
    },
    {
      title: 'Devices',
      panels: [
        table(
          'Devices',
          [
            column(described(stateNumber('site'), WHAT)),
            column(described(selector('siteward_device_uptime_seconds', 'site'), WHAT)),
          ],
          {
            width: 24,
            height: 12,
            columns: [
              ...DEVICE_COLUMNS,
              { field: 'Value #A', title: 'State', words: STATE_WORDS },
              { field: 'Value #B', title: 'Since start', unit: 's' },
              { field: 'address', title: 'Address' },
              { field: 'vendor', title: 'Vendor' },
              { field: 'model', title: 'Model' },
              { field: 'version', title: 'Version' },
              { field: 'serial', title: 'Serial' },
            ],
            sortBy: '-State',
          },
        ),
        timeline('States', [over(ofClass(stateNumber('site')), NAMED)], {
          width: 24,
          height: 10,
          unit: 'none',
          words: STATE_WORDS,
        }),
      ],
    },
    {
      title: 'Network',
      panels: [
        lines(
          'Round trip',
          [over(`topk(10, ${ofClass(selector('siteward_icmp_rtt_seconds', 'site', { stat: 'mean' }))})`, NAMED)],
          { width: 12, unit: 's', min: 0, empty: 'no device is asked by echo requests' },
        ),
        lines(
          'Busiest interfaces, received and sent',
          [
            over(
              `topk(5, 8 * ${ofClass(`rate(${selector('siteward_interface_receive_bytes_total', 'site')}[$__rate_interval])`)})`,
              '{{device}} {{interface}} in',
            ),
            over(
              `topk(5, 8 * ${ofClass(`rate(${selector('siteward_interface_transmit_bytes_total', 'site')}[$__rate_interval])`)})`,
              '{{device}} {{interface}} out',
            ),
          ],
          { width: 12, unit: 'bps', min: 0 },
        ),
      ],
    },
    {
      title: 'What is loaded, and what fills up',
      panels: [
        bars(
          'Busiest processors',
          [now(`topk(10, avg by (${DEVICE}) (${ofClass(selector('siteward_cpu_usage_ratio', 'site'))}))`, NAMED)],
          {
            width: 6,
            unit: 'percentunit',
            min: 0,
            max: 1,
            steps: rising(0.8, 0.95),
          },
        ),
        bars(
          'Fullest memory',
          [now(`topk(10, max by (${DEVICE}) (${ofClass(selector('siteward_memory_used_ratio', 'site'))}))`, NAMED)],
          {
            width: 6,
            unit: 'percentunit',
            min: 0,
            max: 1,
            steps: rising(0.9, 0.97),
          },
        ),
        bars('Fullest file systems', [now(`topk(10, ${ofClass(filled('site'))})`, '{{device}} {{mountpoint}}')], {
          width: 6,
          unit: 'percentunit',
          min: 0,
          max: 1,
          steps: rising(0.85, 0.95),
        }),
        bars(
          'Hottest sensors',
          [
            now(
              `topk(10, ${ofClass(selector('siteward_sensor_temperature_celsius', 'site'))})`,
              '{{device}} {{sensor}}',
            ),
          ],
          {
            width: 6,
            unit: 'celsius',
            steps: rising(60, 75),
          },
        ),
      ],
    },
    {
      title: 'To be looked after',
      panels: [
        table('Failed parts', [column(described(`${selector('siteward_component_ok', 'site')} == 0`, ['class']))], {
          width: 8,
          empty: 'none',
          columns: [...DEVICE_COLUMNS, { field: 'kind', title: 'Kind' }, { field: 'component', title: 'Part' }],
        }),
        table(
          'Licences',
          [
            column(
              `min by (${DEVICE}, license) (${ofClass(newest('siteward_license_expiry_timestamp_seconds', 'site'))}) - time()`,
            ),
          ],
          {
            width: 8,
            columns: [
              { field: 'device', title: 'Device' },
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
        table('What printers report', [column(described(selector('siteward_printer_error', 'site'), ['class']))], {
          width: 8,
          empty: 'none',
          columns: [...DEVICE_COLUMNS, { field: 'error', title: 'Condition' }],
        }),
      ],
    },
  ],
};
