import { toDeviceOf } from '../links.ts';
import { type Board, lines, stat, table } from '../panels.ts';
import { column, counted, DEVICE, newest, now, over, selector } from '../promql.ts';
import { falling, NONE_IS_GOOD } from '../units.ts';
import { print } from './print.ts';
import { SITE_COLUMNS } from './shared.ts';

const PRINTER = [
  ...SITE_COLUMNS,
  { field: 'device', title: 'Device', link: toDeviceOf('siteward-device-printer') },
] as const;
const WHAT = ['description', 'type', 'color'].join(', ');
const days = newest('siteward_printer_supply_days_left', 'device');
const level = selector('siteward_printer_supply_level_ratio', 'device');
const info = newest('siteward_printer_supply_info', 'device');
const SUPPLY = [
  ...PRINTER,
  { field: 'description', title: 'Supply' },
  { field: 'color', title: 'Colour' },
  { field: 'type', title: 'Type' },
] as const;
/** The series with what the supply is; of two descriptions that a swap left behind, one. */
const named = (expr: string) =>
  `(${expr}) * on (${DEVICE}, supply) group_left (${WHAT}) topk by (${DEVICE}, supply) (1, ${info})`;

export const supplies: Board = {
  uid: 'siteward-supplies',
  title: 'siteward / Supplies to order',
  description: 'What will be used up, the soonest first.',
  language: 'promql',
  variables: print.variables,
  from: 'now-30d',
  refresh: '15m',
  sections: [
    {
      title: 'To order',
      panels: [
        stat('Used up within a week', [now(counted(`${days} < 7`))], { width: 6, unit: 'locale', steps: NONE_IS_GOOD }),
        stat('Within a month', [now(counted(`${days} < 30`))], { width: 6, unit: 'locale' }),
        stat(
          'Empty',
          [now(counted(`${selector('siteward_printer_supply_state', 'device', { state: 'empty' })} == 1`))],
          { width: 6, unit: 'locale', steps: NONE_IS_GOOD },
        ),
        stat('Low', [now(counted(`${selector('siteward_printer_supply_state', 'device', { state: 'low' })} == 1`))], {
          width: 6,
          unit: 'locale',
        }),
        table('By the days that are left', [column(`sort(${named(`max by (${DEVICE}, supply) (${days}) < 60`)})`)], {
          width: 12,
          height: 14,
          empty: 'nothing within two months',
          description:
            'Estimated from the use of the last weeks, on the appliance. A supply whose level the printer does not know has no days.',
          columns: [...SUPPLY, { field: 'Value', title: 'Days left', unit: 'none', steps: falling(7, 30) }],
          sortBy: 'Days left',
        }),
        table(
          'Low or empty, as the printer says',
          [
            column(
              named(
                `max by (${DEVICE}, supply, state) (${selector('siteward_printer_supply_state', 'device', { state: '=~low|empty' })}) == 1`,
              ),
            ),
          ],
          {
            width: 12,
            height: 14,
            empty: 'none',
            columns: [...SUPPLY, { field: 'state', title: 'State' }],
            sortBy: 'State',
          },
        ),
      ],
    },
    {
      title: 'All supplies',
      panels: [
        table('Levels', [column(`max by (${DEVICE}, supply, ${WHAT}) (${level})`)], {
          width: 12,
          height: 14,
          columns: [
            ...SUPPLY,
            { field: 'Value', title: 'Left', unit: 'percentunit', steps: falling(0.1, 0.2), bar: true },
          ],
          sortBy: 'Left',
        }),
        lines(
          'Toner',
          [
            over(
              selector('siteward_printer_supply_level_ratio', 'device', { type: 'toner' }),
              '{{site}} {{device}} {{description}}',
            ),
          ],
          {
            width: 12,
            height: 14,
            unit: 'percentunit',
            min: 0,
            max: 1,
          },
        ),
      ],
    },
  ],
};
