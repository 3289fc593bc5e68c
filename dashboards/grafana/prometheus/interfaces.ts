import { type Board, bars, lines, stat, table } from '../panels.ts';
import { column, counted, DEVICE, now, over, selector, VARIABLES } from '../promql.ts';
import { NONE_IS_GOOD, rising } from '../units.ts';
import { outages, SITE_COLUMNS } from './shared.ts';

const rate = (series: string) => `rate(${series}[$__rate_interval])`;
const bits = (way: 'receive' | 'transmit') =>
  `8 * ${rate(selector(`siteward_interface_${way}_bytes_total`, 'device'))}`;
const used = (way: 'receive' | 'transmit') =>
  `${rate(selector(`siteward_interface_${way}_bytes_total`, 'device'))} / (${selector('siteward_interface_speed_bytes_per_second', 'device')} > 0)`;
const lost = (what: 'errors' | 'discards', way: 'receive' | 'transmit') =>
  rate(selector(`siteward_interface_${way}_${what}_total`, 'device'));
/** Meant to pass packets, and does not. */
const dead = `${selector('siteward_interface_enabled', 'device')} == 1 unless on (${DEVICE}, interface) ${selector('siteward_interface_up', 'device')} == 1`;
const NAMED = '{{site}} {{device}} {{interface}}';
const PORT = [
  ...SITE_COLUMNS,
  { field: 'device', title: 'Device' },
  { field: 'interface', title: 'Interface' },
] as const;

export const interfaces: Board = {
  uid: 'siteward-interfaces',
  title: 'siteward / Network interfaces',
  description: 'The busiest, the fullest and the faulty interfaces of the devices chosen.',
  language: 'promql',
  variables: [VARIABLES.client, VARIABLES.site, VARIABLES.class, VARIABLES.device],
  from: 'now-6h',
  refresh: '1m',
  annotations: [outages('device')],
  sections: [
    {
      title: 'Traffic',
      panels: [
        stat('Interfaces up', [now(counted(`${selector('siteward_interface_up', 'device')} == 1`))], {
          width: 6,
          unit: 'locale',
        }),
        stat('Enabled without a link', [now(counted(dead))], { width: 6, unit: 'locale' }),
        stat('Over 80 % used', [now(counted(`${used('receive')} > 0.8 or ${used('transmit')} > 0.8`))], {
          width: 6,
          unit: 'locale',
          steps: NONE_IS_GOOD,
        }),
        stat('With errors', [now(counted(`${lost('errors', 'receive')} + ${lost('errors', 'transmit')} > 0`))], {
          width: 6,
          unit: 'locale',
          steps: NONE_IS_GOOD,
        }),
        lines('Received, the busiest', [over(`topk(10, ${bits('receive')})`, NAMED)], {
          width: 12,
          unit: 'bps',
          min: 0,
        }),
        lines('Sent, the busiest', [over(`topk(10, ${bits('transmit')})`, NAMED)], { width: 12, unit: 'bps', min: 0 }),
        bars('Fullest, received', [now(`topk(10, ${used('receive')})`, NAMED)], {
          width: 12,
          unit: 'percentunit',
          min: 0,
          max: 1,
          steps: rising(0.6, 0.8),
        }),
        bars('Fullest, sent', [now(`topk(10, ${used('transmit')})`, NAMED)], {
          width: 12,
          unit: 'percentunit',
          min: 0,
          max: 1,
          steps: rising(0.6, 0.8),
        }),
        table(
          'Bytes in this time',
          [
            column(`topk(50, increase(${selector('siteward_interface_receive_bytes_total', 'device')}[$__range]))`),
            column(`topk(50, increase(${selector('siteward_interface_transmit_bytes_total', 'device')}[$__range]))`),
          ],
          {
            width: 24,
            columns: [
              ...PORT,
              { field: 'Value #A', title: 'Received', unit: 'bytes' },
              { field: 'Value #B', title: 'Sent', unit: 'bytes' },
            ],
            sortBy: '-Received',
          },
        ),
      ],
    },
    {
      title: 'Faults',
      panels: [
        lines(
          'Errors',
          [
            over(`topk(10, ${lost('errors', 'receive')} > 0)`, `${NAMED} in`),
            over(`topk(10, ${lost('errors', 'transmit')} > 0)`, `${NAMED} out`),
          ],
          {
            width: 12,
            unit: 'pps',
            min: 0,
            empty: 'none',
          },
        ),
        lines(
          'Discards',
          [
            over(`topk(10, ${lost('discards', 'receive')} > 0)`, `${NAMED} in`),
            over(`topk(10, ${lost('discards', 'transmit')} > 0)`, `${NAMED} out`),
          ],
          {
            width: 12,
            unit: 'pps',
            min: 0,
            empty: 'none',
          },
        ),
        lines(
          'Packets',
          [
            over(`topk(10, ${rate(selector('siteward_interface_receive_packets_total', 'device'))})`, `${NAMED} in`),
            over(`topk(10, ${rate(selector('siteward_interface_transmit_packets_total', 'device'))})`, `${NAMED} out`),
          ],
          { width: 12, unit: 'pps', min: 0 },
        ),
        table('Enabled without a link', [column(dead)], { width: 12, height: 8, empty: 'none', columns: [...PORT] }),
      ],
    },
  ],
};
