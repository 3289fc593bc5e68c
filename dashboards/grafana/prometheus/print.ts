import { toDeviceOf } from '../links.ts';
import { type Board, bars, columns, stat, table } from '../panels.ts';
import { column, counted, DEVICE, described, newest, now, over, selector, VARIABLES } from '../promql.ts';
import { falling, NONE_IS_GOOD, rising } from '../units.ts';
import { outages, SITE_COLUMNS } from './shared.ts';

const HOUR = 3600;
const PRINTER = [
  ...SITE_COLUMNS,
  { field: 'device', title: 'Device', link: toDeviceOf('siteward-device-printer') },
] as const;
const billed = (meter: string, window: string) =>
  `increase(${selector('siteward_printer_meter_billed_pages_total', 'device', { meter })}[${window}])`;
const lastRead = newest('siteward_printer_meter_last_read_timestamp_seconds', 'device');
/** Conditions of the Printer-MIB in which nothing is printed until someone comes. */
const STOPPED =
  'no_paper|no_toner|door_open|jammed|offline|supply_missing|input_tray_missing|output_tray_missing|output_full';

export const print: Board = {
  uid: 'siteward-print',
  title: 'siteward / Print fleet and meters',
  description: 'Pages as they count for the bill, the printers that stand still, and meters that were not read.',
  language: 'promql',
  variables: [
    VARIABLES.client,
    VARIABLES.site,
    {
      ...VARIABLES.device,
      query: 'label_values(siteward_device_info{client=~"$client",site=~"$site",class="printer"}, device)',
    },
  ],
  from: 'now-30d',
  refresh: '5m',
  annotations: [outages('device')],
  sections: [
    {
      title: 'Now',
      panels: [
        stat('Printers', [now(`count(${newest('siteward_device_info', 'device', { class: 'printer' })})`)], {
          width: 4,
          unit: 'locale',
        }),
        stat(
          'Stopped',
          [
            now(
              `count(count by (${DEVICE}) (${selector('siteward_printer_error', 'device', { error: `=~${STOPPED}` })} == 1)) or vector(0)`,
            ),
          ],
          {
            width: 4,
            unit: 'locale',
            steps: NONE_IS_GOOD,
          },
        ),
        stat('Meters not read for a day', [now(counted(`time() - ${lastRead} > ${24 * HOUR}`))], {
          width: 4,
          unit: 'locale',
          steps: NONE_IS_GOOD,
        }),
        stat('Pages in this time', [now(`sum(${billed('total', '$__range')})`)], {
          width: 4,
          unit: 'locale',
          decimals: 0,
        }),
        stat('Black and white', [now(`sum(${billed('mono', '$__range')})`)], { width: 4, unit: 'locale', decimals: 0 }),
        stat('Colour', [now(`sum(${billed('color', '$__range')})`)], { width: 4, unit: 'locale', decimals: 0 }),
      ],
    },
    {
      title: 'Printers',
      panels: [
        table(
          'Printers',
          [
            column(
              described(
                `max by (${DEVICE}) (${selector('siteward_printer_meter_pages_total', 'device', { meter: 'total' })})`,
                ['vendor', 'model', 'serial'],
                'device',
              ),
            ),
            column(
              described(`max by (${DEVICE}) (${billed('total', '$__range')})`, ['vendor', 'model', 'serial'], 'device'),
            ),
            column(
              described(
                `min by (${DEVICE}) (${selector('siteward_printer_supply_level_ratio', 'device', { type: 'toner' })})`,
                ['vendor', 'model', 'serial'],
                'device',
              ),
            ),
            column(described(`time() - max by (${DEVICE}) (${lastRead})`, ['vendor', 'model', 'serial'], 'device')),
          ],
          {
            width: 24,
            height: 12,
            columns: [
              ...PRINTER,
              { field: 'vendor', title: 'Vendor' },
              { field: 'model', title: 'Model' },
              { field: 'serial', title: 'Serial' },
              { field: 'Value #A', title: 'Counter', unit: 'locale' },
              { field: 'Value #B', title: 'Pages in this time', unit: 'locale' },
              { field: 'Value #C', title: 'Least toner', unit: 'percentunit', steps: falling(0.1, 0.2), bar: true },
              { field: 'Value #D', title: 'Meters read ago', unit: 's', steps: rising(6 * HOUR, 24 * HOUR) },
            ],
            sortBy: '-Pages in this time',
          },
        ),
        table('What printers report', [column(`${selector('siteward_printer_error', 'device')} == 1`)], {
          width: 12,
          empty: 'nothing',
          columns: [...PRINTER, { field: 'error', title: 'Condition' }],
        }),
        table('Alerts of the printers', [column(`${selector('siteward_printer_alert', 'device')} == 1`)], {
          width: 12,
          empty: 'none',
          columns: [
            ...PRINTER,
            { field: 'severity', title: 'Severity' },
            { field: 'alert', title: 'Alert' },
            { field: 'description', title: 'Text' },
          ],
        }),
      ],
    },
    {
      title: 'Pages',
      panels: [
        columns('Pages', [over(`sum by (site, device) (${billed('total', '$__interval')})`, '{{site}} {{device}}')], {
          width: 12,
          unit: 'locale',
          min: 0,
          decimals: 0,
        }),
        columns('By meter', [over(`sum by (meter) (${billed('=~mono|color|scan|fax', '$__interval')})`, '{{meter}}')], {
          width: 12,
          unit: 'locale',
          min: 0,
          decimals: 0,
        }),
        table(
          'Meters',
          [
            column(`max by (${DEVICE}, meter) (${selector('siteward_printer_meter_pages_total', 'device')})`),
            column(
              `max by (${DEVICE}, meter) (increase(${selector('siteward_printer_meter_billed_pages_total', 'device')}[$__range]))`,
            ),
          ],
          {
            width: 12,
            height: 12,
            description:
              'For a look, not for the bill: that is cut at its period in the meter ledger, by `siteward report meters`.',
            columns: [
              ...PRINTER,
              { field: 'meter', title: 'Meter' },
              { field: 'Value #A', title: 'Counter', unit: 'locale' },
              { field: 'Value #B', title: 'In this time', unit: 'locale' },
            ],
            sortBy: 'Device',
          },
        ),
        bars(
          'Most used',
          [now(`topk(15, sum by (site, device) (${billed('total', '$__range')}))`, '{{site}} {{device}}')],
          {
            width: 12,
            height: 12,
            unit: 'locale',
            decimals: 0,
          },
        ),
      ],
    },
  ],
};
