import { growthOver, INFLUX_VARIABLES, lastOf, lastOver, spreadOf } from '../influxql.ts';
import { type Board, bars, columns, lines, table } from '../panels.ts';
import { falling } from '../units.ts';
import { DEVICE, outages, WHERE } from './shared.ts';

export const print: Board = {
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
